import { isJsonObject, type JsonObject } from '../twin/twinLimits.ts';
import { bareObject } from '../twin/twinSections.ts';

/**
 * Desired properties with the content of a configuration: the key `properties.desired` replaces them all,
 * `properties.desired.a.b` sets what is at that path.
 */
export function withContent(desired: JsonObject, content: JsonObject): JsonObject {
  let result = desired;
  for (const [key, value] of Object.entries(content)) {
    const path = pathOf(key);
    result = path.length > 0 ? withValue(result, path, value) : isJsonObject(value) ? value : {};
  }
  return result;
}

/** Desired properties without what the content set. */
export function withoutContent(desired: JsonObject, content: JsonObject): JsonObject {
  let result = desired;
  for (const key of Object.keys(content)) {
    const path = pathOf(key);
    result = path.length > 0 ? withoutValue(result, path) : {};
  }
  return result;
}

/**
 * Whether a deployment is layered, i.e. only adds to the deployment below it: a module of it has keys
 * `properties.desired.x` (`az iot edge deployment create --help`).
 */
export function isLayered(modulesContent: JsonObject): boolean {
  return Object.values(modulesContent).some(
    (keys) => isJsonObject(keys) && Object.keys(keys).some((key) => pathOf(key).length > 0),
  );
}

function pathOf(key: string): string[] {
  return key.split('.').slice(2);
}

function withValue(target: JsonObject, [first, ...rest]: readonly string[], value: unknown): JsonObject {
  if (first === undefined) return target;
  const changed = bareObject(target);
  const inner = changed[first];
  changed[first] = rest.length === 0 ? value : withValue(isJsonObject(inner) ? inner : {}, rest, value);
  return changed;
}

function withoutValue(target: JsonObject, [first, ...rest]: readonly string[]): JsonObject {
  if (first === undefined || !Object.hasOwn(target, first)) return target;
  const changed = bareObject(target);
  const inner = changed[first];
  if (rest.length === 0) delete changed[first];
  else if (isJsonObject(inner)) changed[first] = withoutValue(inner, rest);
  return changed;
}
