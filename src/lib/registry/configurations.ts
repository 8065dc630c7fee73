/** Configurations: automatic device management and edge deployments. */

import { bareEtag, ifMatchFor } from './etag.ts';
import { deleteRequest, foundReply, getRequest, putRequest, readList, type WriteOptions } from './identities.ts';
import { asInstant, asNumber, asObject, asString, asText, defined, type JsonObject } from './reader.ts';
import type { CallOptions, HubReply, HubRequest, Transport } from './transport.ts';
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
  /** Sets modules and their desired properties on one edge device. */
  applyConfigurationContent(deviceId: string, content: ConfigurationContent, options?: CallOptions): Promise<void>;
}

export function createConfigurationOperations(transport: Transport): ConfigurationOperations {
  const readConfiguration = (request: HubRequest, reply: HubReply): Configuration => {
    const configuration = parseConfiguration(reply.body);
    if (configuration === undefined) {
      throw transport.invalid(request, 'is no configuration');
    }
    return configuration;
  };
  const put = async (
    verb: string,
    configuration: ConfigurationInput,
    ifMatch: string | undefined,
    options: CallOptions,
  ): Promise<Configuration> => {
    const request = putRequest(`${verb} the configuration "${configuration.id}"`, {
      path: ['configurations', configuration.id],
      body: configurationBody(configuration),
      ifMatch,
      options,
    });
    return readConfiguration(request, await transport.send(request));
  };
  return {
    async getConfiguration(id, options = {}) {
      const request = getRequest(`read the configuration "${id}"`, ['configurations', id], options);
      const reply = await foundReply(transport.send(request), ['ConfigurationNotFound']);
      return reply && readConfiguration(request, reply);
    },
    async listConfigurations(options = {}) {
      const request = {
        ...getRequest('list configurations', ['configurations'], options),
        query: { top: options.top },
      };
      return readList(transport, request, parseConfiguration);
    },
    createConfiguration: (configuration, options = {}) => put('create', configuration, undefined, options),
    async updateConfiguration(configuration, options = {}) {
      const ifMatch = ifMatchFor(`The configuration "${configuration.id}"`, configuration.etag, options);
      return put('update', configuration, ifMatch, options);
    },
    async deleteConfiguration(configuration, options = {}) {
      const ifMatch = ifMatchFor(`The configuration "${configuration.id}"`, configuration.etag, options);
      await transport.send(
        deleteRequest(
          `delete the configuration "${configuration.id}"`,
          ['configurations', configuration.id],
          ifMatch,
          options,
        ),
      );
    },
    async applyConfigurationContent(deviceId, content, options = {}) {
      await transport.send({
        operation: `apply configuration content to "${deviceId}"`,
        method: 'POST',
        path: ['devices', deviceId, 'applyConfigurationContent'],
        body: content,
        writes: true,
        retry: 'always',
        options,
      });
    },
  };
}

/** A configuration in the hub's spelling, as a PUT has it and a line of `configurations.txt`. */
export function configurationBody(configuration: ConfigurationInput): WireConfiguration {
  const { etag, metricQueries, ...rest } = configuration;
  return {
    id: rest.id,
    content: rest.content,
    ...defined({
      schemaVersion: rest.schemaVersion,
      labels: rest.labels,
      targetCondition: rest.targetCondition,
      priority: rest.priority,
      metrics: metricQueries && { queries: metricQueries },
      etag,
    }),
  };
}

function parseConfiguration(value: unknown): Configuration | undefined {
  const body = asObject(value);
  const id = asText(body?.id);
  if (body === undefined || id === undefined) {
    return undefined;
  }
  const metrics = asObject(body.metrics);
  return {
    id,
    etag: bareEtag(asString(body.etag) ?? ''),
    content: parseContent(body.content),
    metricResults: numbersIn(metrics?.results),
    systemMetricResults: numbersIn(asObject(body.systemMetrics)?.results),
    ...defined({
      schemaVersion: asText(body.schemaVersion),
      labels: asObject(body.labels) && textsIn(body.labels),
      targetCondition: asText(body.targetCondition),
      priority: asNumber(body.priority),
      metricQueries: asObject(metrics?.queries) && textsIn(metrics?.queries),
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

function numbersIn(value: unknown): Readonly<Record<string, number>> {
  return Object.fromEntries(
    Object.entries(asObject(value) ?? {}).filter(([, item]) => typeof item === 'number'),
  ) as Record<string, number>;
}

function textsIn(value: unknown): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(asObject(value) ?? {}).filter(([, item]) => typeof item === 'string'),
  ) as Record<string, string>;
}
