import { HubError } from '../http/hubError.ts';
import { MAX_INTEGER } from '../wire/numbers.ts';

export type JsonObject = { [key: string]: unknown };

export interface SectionLimits {
  readonly name: 'tags' | 'properties.desired' | 'properties.reported';
  readonly bytes: number;
}

/** Sizes and shapes of a twin (https://learn.microsoft.com/azure/iot-hub/iot-hub-devguide-device-twins, tags and properties format). */
export const TAGS_LIMITS: SectionLimits = { name: 'tags', bytes: 8 * 1024 };
export const DESIRED_LIMITS: SectionLimits = { name: 'properties.desired', bytes: 32 * 1024 };
export const REPORTED_LIMITS: SectionLimits = { name: 'properties.reported', bytes: 32 * 1024 };

/** Below the section itself: the documented example nests ten objects in `tags`. */
const MAX_DEPTH = 10;
const MAX_KEY_BYTES = 1024;
const MAX_STRING_BYTES = 4 * 1024;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what the rule forbids.
const BAD_KEY = /[\u0000-\u001f\u007f-\u009f.$# ]/;

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Fails with 400004 when a section of a twin breaks a limit; the message names the path. */
export function demandSection(section: JsonObject, limits: SectionLimits): void {
  const size = sizeOfObject(section, limits.name, 0);
  if (size > limits.bytes) {
    throw invalid(`${limits.name} has ${size} bytes, and may have ${limits.bytes}.`);
  }
}

/** The size as the hub counts it: UTF-8 lengths of keys and strings, 8 for a number, 4 for a boolean. */
function sizeOfObject(object: JsonObject, path: string, depth: number): number {
  if (depth > MAX_DEPTH) throw invalid(`${path} is nested deeper than ${MAX_DEPTH} levels.`);
  let size = 0;
  for (const [key, value] of Object.entries(object)) {
    const bytes = Buffer.byteLength(key);
    if (bytes > MAX_KEY_BYTES || BAD_KEY.test(key)) {
      throw invalid(
        `The key '${key.slice(0, 100)}' in ${path} is not allowed: 1 KB at most, no control characters, '.', '$', '#' or space.`,
      );
    }
    size += bytes + sizeOf(value, `${path}.${key}`, depth);
  }
  return size;
}

function sizeOf(value: unknown, path: string, depth: number): number {
  switch (typeof value) {
    case 'string': {
      const bytes = Buffer.byteLength(value);
      if (bytes > MAX_STRING_BYTES) throw invalid(`${path} has ${bytes} bytes, and may have ${MAX_STRING_BYTES}.`);
      return bytes;
    }
    case 'bigint':
      throw invalid(`${path} is an integer beyond ±${MAX_INTEGER}.`);
    case 'number':
      if (!Number.isFinite(value)) throw invalid(`${path} is too large for a float.`);
      return 8;
    case 'boolean':
      return 4;
    default:
      // Null as a member has been taken out before: it deletes, or means absent.
      if (value === null) throw invalid(`${path} is null, which is not allowed in arrays.`);
      if (Array.isArray(value)) {
        if (depth >= MAX_DEPTH) throw invalid(`${path} is nested deeper than ${MAX_DEPTH} levels.`);
        let size = 0;
        for (const [index, item] of value.entries()) size += sizeOf(item, `${path}[${index}]`, depth + 1);
        return size;
      }
      return isJsonObject(value) ? sizeOfObject(value, path, depth + 1) : 0;
  }
}

/** Fails with 400004 when something in a section that is written as a whole is null. */
export function demandNoNulls(section: JsonObject, path: string): void {
  for (const [key, value] of Object.entries(section)) {
    if (value === null) throw invalid(`${path}.${key} is null, which is allowed in updates only.`);
    if (isJsonObject(value)) demandNoNulls(value, `${path}.${key}`);
  }
}

function invalid(message: string): HubError {
  return new HubError('ArgumentInvalid', message);
}
