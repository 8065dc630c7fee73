/**
 * Reads JSON as the hub's Json.NET does: member names and enum names without regard to case, enums by number too,
 * scalars where a string is expected (https://www.newtonsoft.com/json/help/html/DeserializeObject.htm).
 */

/** JSON that does not fit its type. The message is in Json.NET's words; `path` and `value` say where. */
export class ConversionError extends Error {
  override readonly name = 'ConversionError';
  readonly path: string;
  readonly value: unknown;

  constructor(message: string, path: string, value?: unknown) {
    super(message);
    this.path = path;
    this.value = value;
  }
}

import { stringifyNumbers } from './numbers.ts';

export type Members<Name extends string> = { readonly [key in Name]?: unknown };

/** Reads the members that have one of the names; others are ignored. A null object gives undefined. */
export function createMemberReader<Name extends string>(typeName: string, names: readonly Name[]) {
  const exact = new Set<string>(names);
  const folded = new Map<string, Name>(names.map((name) => [name.toLowerCase(), name]));
  return (value: unknown, path: string): Members<Name> | undefined => {
    if (value === null || value === undefined) return undefined;
    if (typeof value !== 'object' || Array.isArray(value)) throw cannotConvert(value, typeName, path);
    const members: { [key in Name]?: unknown } = {};
    for (const [key, member] of Object.entries(value)) {
      const name = exact.has(key) ? (key as Name) : folded.get(key.toLowerCase());
      if (name !== undefined) members[name] = member;
    }
    return members;
  };
}

export function readString(value: unknown, path: string): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') return String(value);
  throw new ConversionError('Unexpected character encountered while parsing value.', path, value);
}

export function readBoolean(value: unknown, path: string): boolean | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'boolean') return value;
  if (typeof value === 'number') return value !== 0;
  if (typeof value === 'string' && /^(true|false)$/i.test(value)) return value.toLowerCase() === 'true';
  throw new ConversionError(`Could not convert to boolean: ${shown(value)}.`, path, value);
}

export function readInteger(value: unknown, path: string): number | undefined {
  if (value === undefined || value === null) return undefined;
  const number = typeof value === 'string' && /^-?\d+$/.test(value) ? Number(value) : value;
  if (typeof number === 'number' && Number.isInteger(number)) return number;
  throw new ConversionError(`Could not convert to integer: ${shown(value)}.`, path, value);
}

/** `allowed` is in the order of the C# enum, so that numbers can be read too. */
export function readEnum<Value extends string>(
  value: unknown,
  allowed: readonly Value[],
  typeName: string,
  path: string,
): Value | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'number' && allowed[value] !== undefined) return allowed[value];
  if (typeof value === 'string') {
    const folded = value.toLowerCase();
    const found = allowed.find((name) => name.toLowerCase() === folded);
    if (found !== undefined) return found;
  }
  throw cannotConvert(value, typeName, path);
}

export function readStrings(value: unknown, path: string): string[] | undefined {
  if (value === undefined || value === null) return undefined;
  if (!Array.isArray(value)) throw cannotConvert(value, 'System.Collections.Generic.IList`1[System.String]', path);
  return value.flatMap((item, index) => readString(item, `${path}[${index}]`) ?? []);
}

export function readObject(value: unknown, path: string): { [key: string]: unknown } | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'object' && !Array.isArray(value)) return value as { [key: string]: unknown };
  throw cannotConvert(value, 'Microsoft.Azure.Devices.Shared.TwinCollection', path);
}

function cannotConvert(value: unknown, typeName: string, path: string): ConversionError {
  return new ConversionError(`Error converting value ${shown(value)} to type '${typeName}'.`, path, value);
}

function shown(value: unknown): string {
  return typeof value === 'object' ? '{…}' : stringifyNumbers(value);
}
