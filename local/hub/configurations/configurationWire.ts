import { HubError } from '../http/hubError.ts';
import type { JsonObject } from '../twin/twinLimits.ts';
import { createMemberReader, readEnum, readInteger, readObject, readString } from '../wire/jsonNet.ts';
import { type ConfigurationRow, configurationEtag } from './configurationStore.ts';
import { type CountsById, systemMetrics } from './systemMetrics.ts';

/** What a caller may set of a configuration. */
export interface ConfigurationInput {
  readonly id: string;
  readonly schemaVersion: string;
  readonly labels: JsonObject;
  /** Content kinds that are not empty. */
  readonly content: JsonObject;
  readonly targetCondition: string;
  readonly priority: number;
  readonly metricQueries: JsonObject;
}

const readMembers = createMemberReader('Microsoft.Azure.Devices.Configuration', [
  'id',
  'schemaVersion',
  'labels',
  'content',
  'targetCondition',
  'priority',
  'metrics',
  'etag',
  'importMode',
]);
const readContent = createMemberReader('Microsoft.Azure.Devices.ConfigurationContent', [
  'deviceContent',
  'moduleContent',
  'modulesContent',
]);
const readMetrics = createMemberReader('Microsoft.Azure.Devices.ConfigurationMetrics', ['queries']);

/** The C# enum `ConfigurationImportMode` has one value, of number 4. */
const IMPORT_MODES = ['createOrUpdateIfMatchETag'] as const;

/** Reads a configuration, members in any case. Throws ConversionError or HubError. */
export function readConfiguration(value: unknown): ConfigurationInput & { readonly etag: string | undefined } {
  const members = readMembers(value, '');
  if (members === undefined) throw new HubError('ArgumentNull', 'There is no configuration.');
  if (members.importMode !== 4) {
    readEnum(members.importMode, IMPORT_MODES, 'Microsoft.Azure.Devices.ConfigurationImportMode', 'importMode');
  }
  const metrics = readMetrics(members.metrics, 'metrics');
  return {
    id: readString(members.id, 'id') ?? '',
    schemaVersion: readString(members.schemaVersion, 'schemaVersion') ?? '1.0',
    labels: readObject(members.labels, 'labels') ?? {},
    content: readConfigurationContent(members.content),
    targetCondition: readString(members.targetCondition, 'targetCondition') ?? '',
    priority: readInteger(members.priority, 'priority') ?? 0,
    metricQueries: readObject(metrics?.queries, 'metrics.queries') ?? {},
    etag: readString(members.etag, 'etag'),
  };
}

/** The content kinds of a configuration; .NET writes `{}` for those it does not use, which counts as absent. */
export function readConfigurationContent(value: unknown): JsonObject {
  const content = readContent(value, 'content') ?? {};
  const kinds: JsonObject = {};
  for (const [kind, member] of Object.entries(content)) {
    const object = readObject(member, `content.${kind}`);
    if (object !== undefined && Object.keys(object).length > 0) kinds[kind] = object;
  }
  return kinds;
}

/** A configuration as `GET /configurations/{id}` shows it. Custom metrics have no results: nobody reports here. */
export function configurationDocument(row: ConfigurationRow, counts: CountsById) {
  const { metricQueries, ...document } = row.document;
  return {
    id: row.id,
    ...document,
    systemMetrics: systemMetrics(row, counts),
    metrics: { results: {}, queries: metricQueries },
    etag: configurationEtag(row),
  };
}

/** Configurations as an export job writes them: members in Pascal case, content keys and names of metrics as they are. */
export function* exportConfigurationLines(rows: readonly ConfigurationRow[], counts: CountsById): Generator<string> {
  for (const row of rows) {
    const { systemMetrics, metrics, content, etag, ...rest } = configurationDocument(row, counts);
    const line = {
      ...pascal(rest),
      Content: pascal(content),
      SystemMetrics: pascal(systemMetrics),
      Metrics: pascal(metrics),
      ETag: etag,
    };
    yield `${JSON.stringify(line)}\r\n`;
  }
}

function pascal(object: object): JsonObject {
  return Object.fromEntries(
    Object.entries(object).map(([key, value]) => [key.slice(0, 1).toUpperCase() + key.slice(1), value]),
  );
}
