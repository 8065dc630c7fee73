/** Where two values of JSON differ, as paths to the leaves. */

import { displayName } from '../devicesFile/findings.ts';
import { isObject as isPlainObject, NESTING_LIMIT } from '../devicesFile/keyNames.ts';
import { WrittenNumber } from './exactJson.ts';

export type Fields = Readonly<Record<string, unknown>>;

const NOTHING: Fields = Object.freeze(Object.create(null) as Fields);

/**
 * Adds to `paths` where the members of two objects differ. A member that is null is not there; one that is an object is
 * looked into, and an array is a leaf. The order of keys does not count.
 *
 * @param parts the path of the objects
 * @param skips keys of these objects, not of those in them, that are not looked at
 */
export function addDifferences(
  before: Fields,
  after: Fields,
  parts: readonly string[],
  paths: string[],
  skips?: ReadonlySet<string>,
): void {
  for (const key in before) {
    if (skips?.has(key) !== true) addDifference(before[key], ownOf(after, key), parts, key, paths);
  }
  for (const key in after) {
    if (!Object.hasOwn(before, key) && skips?.has(key) !== true)
      addDifference(undefined, after[key], parts, key, paths);
  }
}

function addDifference(before: unknown, after: unknown, parts: readonly string[], key: string, paths: string[]): void {
  if (before === after || (isAbsent(before) && isAbsent(after))) return;
  const [from, to] = [insideOf(before, after), insideOf(after, before)];
  // What no hub takes need not be looked into.
  if (from !== undefined && to !== undefined && parts.length <= NESTING_LIMIT) {
    addDifferences(from, to, [...parts, key], paths);
  } else if (!isSame(before, after, parts.length)) {
    paths.push(pathOf([...parts, key]));
  }
}

/** The members to compare one by one; nothing has none, if the other has some. */
function insideOf(value: unknown, other: unknown): Fields | undefined {
  if (isObject(value)) return value;
  return isAbsent(value) && isObject(other) && hasMembers(other) ? NOTHING : undefined;
}

/** Whether two values are the same, whatever the order of keys. */
export function isSame(before: unknown, after: unknown, depth = 0): boolean {
  if (before === after) return true;
  if (before instanceof WrittenNumber) return after instanceof WrittenNumber && before.value === after.value;
  if (typeof before !== 'object' || typeof after !== 'object' || before === null || after === null) return false;
  if (after instanceof WrittenNumber || depth > NESTING_LIMIT * 2) return false;
  if (Array.isArray(before)) {
    return (
      Array.isArray(after) &&
      before.length === after.length &&
      before.every((item, index) => isSame(item, after[index], depth + 1))
    );
  }
  if (Array.isArray(after)) return false;
  const [from, to] = [before as Fields, after as Fields];
  const keys = Object.keys(from);
  return (
    keys.length === Object.keys(to).length &&
    keys.every((key) => Object.hasOwn(to, key) && isSame(from[key], to[key], depth + 1))
  );
}

/** Names as they may be shown: where a name belongs, a file can have a key by mistake. */
export function pathOf(parts: readonly string[]): string {
  return parts.map(displayName).join('.');
}

/** An object of JSON, and no number. */
export function isObject(value: unknown): value is Fields {
  return isPlainObject(value) && !(value instanceof WrittenNumber);
}

export function isAbsent(value: unknown): value is null | undefined {
  return value === undefined || value === null;
}

export function hasMembers(value: object): boolean {
  for (const _ in value) return true;
  return false;
}

/** Not what every object inherits. */
function ownOf(fields: Fields, key: string): unknown {
  return Object.hasOwn(fields, key) ? fields[key] : undefined;
}
