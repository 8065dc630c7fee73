import type { Fields } from '../rows/row.ts';

/**
 * The text that a tag is compared and grouped by: a string as it is, a number or a boolean as JSON writes it. An object or
 * an array has none; what is in an object has a path of its own.
 *
 * @param path names with dots between them, such as `site` or `place.city`: the name of a tag holds no dot
 */
export function tagText(tags: Fields, path: string): string | undefined {
  let value: unknown = tags;
  for (const name of path.split('.')) {
    if (!isObject(value) || !Object.hasOwn(value, name)) return undefined;
    value = value[name];
  }
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? JSON.stringify(value) : undefined;
}

/** A hub takes no more levels in a twin (10), nor longer names (1 KB), than this. */
const MOST_PATH = 11 * 1025;

/** Whether a text can be the path of a tag. */
export function isTagPath(path: string): boolean {
  return path.length <= MOST_PATH && /^[^.$\s]+(\.[^.$\s]+)*$/.test(path);
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
