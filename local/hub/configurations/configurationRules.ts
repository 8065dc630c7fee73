import { HubError } from '../http/hubError.ts';
import { isJsonObject, type JsonObject } from '../twin/twinLimits.ts';
import type { ConfigurationRow, ConfigurationStore } from './configurationStore.ts';
import type { ConfigurationInput } from './configurationWire.ts';
import { parseTargetCondition } from './targetCondition.ts';

const ID = /^[a-z0-9\-+%_*!']{1,128}$/;

export interface ConfigurationContext {
  readonly configurations: ConfigurationStore;
  readonly maxConfigurations: number;
  readonly nowMs: number;
}

export function createConfiguration(context: ConfigurationContext, input: ConfigurationInput): ConfigurationRow {
  demandConfiguration(input);
  if (context.configurations.find(input.id)) {
    throw new HubError('ConfigurationAlreadyExists', `A configuration with ID '${input.id}' already exists.`);
  }
  if (context.configurations.count() >= context.maxConfigurations) {
    throw new HubError(
      'ConfigurationCountLimitExceeded',
      `A hub may have ${context.maxConfigurations} configurations.`,
    );
  }
  const now = new Date(context.nowMs).toISOString();
  const { id, ...document } = input;
  const row = { id, etag: 1, document: { ...document, createdTimeUtc: now, lastUpdatedTimeUtc: now } };
  context.configurations.put(row);
  return row;
}

/** Content never changes: an update with other content succeeds and keeps the old, as on the live hub. */
export function replaceConfiguration(
  context: ConfigurationContext,
  row: ConfigurationRow,
  input: ConfigurationInput,
): ConfigurationRow {
  demandConfiguration(input);
  const { createdTimeUtc, content } = row.document;
  const { id, ...document } = input;
  const lastUpdatedTimeUtc = new Date(context.nowMs).toISOString();
  const replaced = {
    id,
    etag: row.etag + 1,
    document: { ...document, content, createdTimeUtc, lastUpdatedTimeUtc },
  };
  context.configurations.put(replaced);
  return replaced;
}

export function demandConfigurationId(id: string): void {
  if (!ID.test(id)) {
    throw new HubError(
      'ArgumentInvalid',
      "A configuration id has 1 to 128 lower-case letters, digits or - + % _ * ! '",
    );
  }
}

function demandConfiguration(input: ConfigurationInput): void {
  demandConfigurationId(input.id);
  demandContent(input.content);
  parseTargetCondition(input.targetCondition, input.content);
}

/** Content is required, of one kind (device, module or edge modules), and its keys are desired properties. */
export function demandContent(content: JsonObject): void {
  const kinds = Object.keys(content);
  const [kind, ...more] = kinds;
  if (kind === undefined) throw invalidContent('The content is missing.');
  if (more.length > 0) throw invalidContent(`The content mixes ${kinds.join(' and ')}.`);
  const value = content[kind];
  if (!isJsonObject(value)) throw invalidContent(`${kind} must be an object.`);
  if (kind === 'modulesContent') {
    if (!('$edgeAgent' in value)) throw invalidContent('modulesContent must have $edgeAgent.');
    for (const [module, keys] of Object.entries(value)) demandDesiredKeys(keys, `modulesContent.${module}`);
    return;
  }
  demandDesiredKeys(value, kind);
}

function demandDesiredKeys(value: unknown, where: string): void {
  if (!isJsonObject(value)) throw invalidContent(`${where} must be an object.`);
  for (const key of Object.keys(value)) {
    if (!/^properties\.desired(\.|$)/.test(key)) {
      throw invalidContent(`The key '${key}' of ${where} must begin with properties.desired.`);
    }
  }
}

function invalidContent(message: string): HubError {
  return new HubError('InvalidConfigurationContent', message);
}
