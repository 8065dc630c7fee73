/** Whose line it is: of lines that are known to be good, and of those that may be anything. */

import { characterName, type Problem, problemOf } from '../devicesFile/findings.ts';
import { isObject } from '../devicesFile/keyNames.ts';
import { explainJsonError } from '../textFile/jsonError.ts';

export interface LineIdentity {
  readonly id: string;
  readonly moduleId?: string;
}

/** IoT Hub docs, "Quotas and throttling": of a device or module id. */
const LONGEST_ID = 128;

/** A line that may be anything, parsed, or what is wrong with it. */
export function parseLine(text: string): { readonly fields: Record<string, unknown> } | Problem {
  let line: unknown;
  try {
    line = JSON.parse(text);
  } catch {
    return text.startsWith('{') ? problemOf('badJson', { ...explainJsonError(text) }) : problemOf('notAnObject');
  }
  return isObject(line) ? { fields: line } : problemOf('notAnObject');
}

/** The identity of a line, or what is wrong with it; keys are read as a hub reads them, in any case. */
export function identityOfFields(line: Record<string, unknown>): LineIdentity | Problem {
  const id = nameIn(line, 'id');
  if (typeof id === 'object') return id;
  if (id === undefined) return problemOf('idMissing', { hint: '' });
  const moduleId = nameIn(line, 'moduleId');
  if (typeof moduleId === 'object') return moduleId;
  return moduleId === undefined ? { id } : { id, moduleId };
}

/** The identity of a line that may be anything, or what is wrong with it. */
export function readIdentityOf(text: string): LineIdentity | Problem {
  const parsed = parseLine(text);
  return 'code' in parsed ? parsed : identityOfFields(parsed.fields);
}

/** The device of a line that has no good identity, where that is told all the same: only the id of its module is wrong. */
export function deviceNamedIn(text: string): string | undefined {
  const parsed = parseLine(text);
  if ('code' in parsed) return undefined;
  const id = nameIn(parsed.fields, 'id');
  return typeof id === 'string' ? id : undefined;
}

/** The identity of a line that a hub wrote, and that was verified, or what is wrong with it. Nearly all have their ids first, and need not be parsed. */
export function verifiedIdentityOf(text: string): LineIdentity | Problem {
  const [, id, moduleId] = /^\{"id":"([^"\\]+)"(?:,"moduleId":"([^"\\]+)")?/.exec(text) ?? [];
  if (id === undefined) return readIdentityOf(text);
  if (moduleId !== undefined) return { id, moduleId };
  return text.includes('"moduleId"') ? readIdentityOf(text) : { id };
}

function nameIn(line: Record<string, unknown>, name: 'id' | 'moduleId'): string | undefined | Problem {
  const value = Object.hasOwn(line, name) ? line[name] : inOtherCase(line, name.toLowerCase());
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value !== 'string') return problemOf('wrongType', { expected: 'a string' }, name);
  const { length } = value;
  if (length > LONGEST_ID) return problemOf('idTooLong', { length, limit: LONGEST_ID }, name);
  // Others than a hub takes may come from an older one; none of these does, and terminals act on them.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are looked for
  const at = value.search(/[\u0000-\u001f\u007f-\u009f\ud800-\udfff]/);
  if (at < 0) return value;
  return problemOf('idCharacters', { position: at + 1, character: characterName(value, at) }, name);
}

function inOtherCase(line: Record<string, unknown>, lower: string): unknown {
  for (const key in line) if (key.length === lower.length && key.toLowerCase() === lower) return line[key];
  return undefined;
}
