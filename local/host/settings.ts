import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** App settings as .NET configuration sees them: names are case-insensitive, and `__` means `:`. */
export interface Settings {
  get(name: string): string | undefined;
  /** Members of a section (`X__a` for `X`), by their name within it in lower case. */
  section(name: string): ReadonlyMap<string, string>;
}

function normalName(name: string): string {
  return name.replaceAll('__', ':').toLowerCase();
}

/** Prefixes that Azure gives to the entries of its "Connection strings" page (docs: configure an App Service app). */
const connectionStringPrefixes = /^(?:CUSTOMCONNSTR|SQLCONNSTR|SQLAZURECONNSTR|MYSQLCONNSTR)_/i;

export function settingsFrom(environment: Readonly<Record<string, string | undefined>>): Settings {
  const values = new Map<string, string>();
  for (const [name, value] of Object.entries(environment)) {
    if (value !== undefined) {
      values.set(normalName(name.replace(connectionStringPrefixes, 'ConnectionStrings:')), value);
    }
  }
  return {
    get: (name) => values.get(normalName(name)),
    section(name) {
      const prefix = `${normalName(name)}:`;
      return new Map(
        [...values].filter(([key]) => key.startsWith(prefix)).map(([key, value]) => [key.slice(prefix.length), value]),
      );
    },
  };
}

/**
 * `Values` and `ConnectionStrings` of the app's local.settings.json, as `func start` reads them; empty without the file.
 *
 * @throws Error naming the file and the member that is wrong.
 */
export async function readLocalSettings(appDirectory: string): Promise<Record<string, string>> {
  const path = join(appDirectory, 'local.settings.json');
  if (!existsSync(path)) {
    return {};
  }
  let parsed: unknown;
  try {
    parsed = JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    throw new Error(`${path} is not valid JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  const { IsEncrypted, Values, ConnectionStrings } = asRecord(parsed, path);
  if (IsEncrypted === true) {
    throw new Error(`${path} is encrypted ("IsEncrypted": true); decrypt it with "func settings decrypt".`);
  }
  const settings: Record<string, string> = {};
  for (const [name, value] of Object.entries(Values === undefined ? {} : asRecord(Values, `"Values" of ${path}`))) {
    if (typeof value !== 'string') {
      throw new Error(`Setting "${name}" in "Values" of ${path} must be a string; put the value in quotes.`);
    }
    settings[name] = value;
  }
  const strings = ConnectionStrings === undefined ? {} : asRecord(ConnectionStrings, `"ConnectionStrings" of ${path}`);
  for (const [name, value] of Object.entries(strings)) {
    const text = typeof value === 'object' && value !== null ? asRecord(value, name)['ConnectionString'] : value;
    if (typeof text !== 'string') {
      throw new Error(`Connection string "${name}" in ${path} must be a string.`);
    }
    settings[`ConnectionStrings:${name}`] = text;
  }
  return settings;
}

function asRecord(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Error(`${what} must be a JSON object.`);
  }
  return value as Record<string, unknown>;
}

/**
 * Puts app settings in the place of `%Name%`.
 *
 * @throws Error naming the setting that does not exist.
 */
export function resolveNames(text: string, settings: Settings): string {
  return text.replaceAll(/%([^%]+)%/g, (_match, name: string) => {
    const value = settings.get(name);
    if (value === undefined) {
      throw new Error(`"%${name}%" does not resolve: there is no app setting "${name}".`);
    }
    return value;
  });
}

/** Parts of a binding that are not options, or that the host takes as they are. */
const unresolved = new Set(['name', 'type', 'direction', 'route']);

/** A copy of a binding with `%Name%` resolved in every string option, except the route (which has its own syntax). */
export function resolveBinding(
  binding: Readonly<Record<string, unknown>>,
  settings: Settings,
): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(binding).map(([key, value]) => [
      key,
      typeof value === 'string' && !unresolved.has(key) ? resolveNames(value, settings) : value,
    ]),
  );
}

/** Whether the app setting `AzureWebJobs.<name>.Disabled` (or its form without dots) switches the function off. */
export function isDisabled(functionName: string, settings: Settings): boolean {
  const value =
    settings.get(`AzureWebJobs.${functionName}.Disabled`) ?? settings.get(`AzureWebJobs_${functionName}_Disabled`);
  return value === '1' || value?.toLowerCase() === 'true';
}
