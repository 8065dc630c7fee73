/** Configurations: automatic device management and edge deployments. */

import { defined } from '../defined.ts';
import { etagIn } from './etag.ts';
import { asInstant, asNumber, asObject, asString, asText, type JsonObject } from './reader.ts';
import { getRequest, operationsOn, readList, type WriteOptions } from './requests.ts';
import type { CallOptions, Transport } from './transport.ts';
import type { WireConfiguration, WireConfigurationContent } from './wire.ts';

export type ConfigurationContent = WireConfigurationContent;

export interface ConfigurationInput {
  /** Lower case, at most 128 characters. */
  readonly id: string;
  /** Compared with by `onlyIfUnchanged`. */
  readonly etag?: string;
  readonly schemaVersion?: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** Required on every write; a hub silently keeps the first content that a configuration was given. */
  readonly content: ConfigurationContent;
  readonly targetCondition?: string;
  readonly priority?: number;
  /** Custom metrics: query by name. */
  readonly metricQueries?: Readonly<Record<string, string>>;
}

export interface Configuration extends ConfigurationInput {
  readonly etag: string;
  readonly createdTimeUtc?: string;
  readonly lastUpdatedTimeUtc?: string;
  /** Latest results of the custom metrics and of the hub's own. */
  readonly metricResults: Readonly<Record<string, number>>;
  readonly systemMetricResults: Readonly<Record<string, number>>;
}

export type ConfigurationToDelete = Pick<ConfigurationInput, 'id' | 'etag'>;

export interface ConfigurationOperations {
  getConfiguration(id: string, options?: CallOptions): Promise<Configuration | undefined>;
  listConfigurations(options?: CallOptions & { readonly top?: number }): Promise<readonly Configuration[]>;
  /** Fails with kind `conflict` when the id is taken. */
  createConfiguration(configuration: ConfigurationInput, options?: CallOptions): Promise<Configuration>;
  updateConfiguration(configuration: ConfigurationInput, options?: WriteOptions): Promise<Configuration>;
  /** What it has set on devices stays set. */
  deleteConfiguration(configuration: ConfigurationToDelete, options?: WriteOptions): Promise<void>;
  /**
   * Sets modules and their desired properties on one edge device; safe to repeat.
   *
   * @param content text is JSON already, and sent as it is written
   */
  applyConfigurationContent(
    deviceId: string,
    content: ConfigurationContent | string,
    options?: CallOptions,
  ): Promise<void>;
}

export function createConfigurationOperations(transport: Transport): ConfigurationOperations {
  const configurations = operationsOn<Pick<ConfigurationInput, 'id'>, ConfigurationInput, Configuration>(transport, {
    kind: 'configuration',
    nameOf: ({ id }) => `"${id}"`,
    pathOf: ({ id }) => ['configurations', id],
    bodyOf: configurationBody,
    parse: parseConfiguration,
    codesOfAbsence: ['ConfigurationNotFound'],
  });
  return {
    getConfiguration: (id, options) => configurations.get({ id }, options),
    async listConfigurations(options = {}) {
      const query = { top: options.top };
      const request = { ...getRequest('list configurations', ['configurations'], options), query };
      return readList(transport, request, parseConfiguration);
    },
    createConfiguration: configurations.create,
    updateConfiguration: configurations.update,
    deleteConfiguration: configurations.delete,
    async applyConfigurationContent(deviceId, content, options = {}) {
      await transport.send({
        operation: `apply configuration content to "${deviceId}"`,
        method: 'POST',
        path: ['devices', deviceId, 'applyConfigurationContent'],
        ...(typeof content === 'string' ? { bodyText: () => content } : { body: content }),
        writes: true,
        retry: 'always',
        options,
      });
    },
  };
}

/** A configuration in the hub's spelling, as a PUT has it and a line of `configurations.txt`. */
export function configurationBody(configuration: ConfigurationInput): WireConfiguration {
  const { id, content, schemaVersion, labels, targetCondition, priority, metricQueries, etag } = configuration;
  const metrics = metricQueries && { queries: metricQueries };
  return { id, content, ...defined({ schemaVersion, labels, targetCondition, priority, metrics, etag }) };
}

function parseConfiguration(value: unknown): Configuration | undefined {
  const body = asObject(value);
  const id = asText(body?.id);
  if (body === undefined || id === undefined) return undefined;
  const metrics = asObject(body.metrics);
  return {
    id,
    etag: etagIn(body),
    content: parseContent(body.content),
    metricResults: valuesIn(metrics?.results, asNumber),
    systemMetricResults: valuesIn(asObject(body.systemMetrics)?.results, asNumber),
    ...defined({
      schemaVersion: asText(body.schemaVersion),
      labels: asObject(body.labels) && valuesIn(body.labels, asString),
      targetCondition: asText(body.targetCondition),
      priority: asNumber(body.priority),
      metricQueries: asObject(metrics?.queries) && valuesIn(metrics?.queries, asString),
      createdTimeUtc: asInstant(body.createdTimeUtc),
      lastUpdatedTimeUtc: asInstant(body.lastUpdatedTimeUtc),
    }),
  };
}

/** .NET clients write `{}` for the kinds of content that are not used. */
function parseContent(value: unknown): ConfigurationContent {
  const content = asObject(value);
  const used = (part: unknown): JsonObject | undefined => {
    const object = asObject(part);
    return object !== undefined && Object.keys(object).length > 0 ? object : undefined;
  };
  return defined({
    deviceContent: used(content?.deviceContent),
    moduleContent: used(content?.moduleContent),
    modulesContent: used(content?.modulesContent),
  });
}

/** The values of an object that `read` knows. */
function valuesIn<T>(value: unknown, read: (item: unknown) => T | undefined): Readonly<Record<string, T>> {
  const entries = Object.entries(asObject(value) ?? {}).map(([name, item]) => [name, read(item)] as const);
  return Object.fromEntries(entries.filter((entry): entry is readonly [string, T] => entry[1] !== undefined));
}
