import { isJsonObject, type JsonObject } from './twinLimits.ts';

/** An object without prototype: `__proto__` is a key like any other in it. */
export function bareObject(members: JsonObject = {}): JsonObject {
  return Object.assign(Object.create(null), members);
}

/** A copy without null members, at every depth: in a whole section null means absent. */
export function withoutNulls(section: JsonObject): JsonObject {
  const copy = bareObject();
  for (const [key, value] of Object.entries(section)) {
    if (value === null) continue;
    copy[key] = isJsonObject(value) ? withoutNulls(value) : value;
  }
  return copy;
}

/** A copy without `$metadata` and `$version`, which clients send back and exports of old had. */
export function withoutSystemKeys(section: JsonObject): JsonObject {
  if (!('$metadata' in section) && !('$version' in section)) return section;
  const { $metadata, $version, ...rest } = section;
  return rest;
}

/** Merges a patch: objects member by member, null deletes, everything else replaces. */
export function mergeSection(current: JsonObject, patch: JsonObject): JsonObject {
  const merged = bareObject(current);
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) {
      delete merged[key];
    } else if (isJsonObject(value)) {
      const inner = merged[key];
      merged[key] = isJsonObject(inner) ? mergeSection(inner, value) : withoutNulls(value);
    } else {
      merged[key] = value;
    }
  }
  return merged;
}

export interface Stamp {
  readonly time: string;
  /** Version of the section after the write; absent for reported properties. */
  readonly version?: number;
}

/** `$metadata` of a section that was written as a whole. */
export function uniformMetadata(section: JsonObject, stamp: Stamp): JsonObject {
  const metadata = bareObject(stampOf(stamp));
  for (const [key, value] of Object.entries(section)) {
    metadata[key] = isJsonObject(value) ? uniformMetadata(value, stamp) : stampOf(stamp);
  }
  return metadata;
}

/** `$metadata` after a patch: what the patch touched carries the new stamp, its ancestors too. */
export function mergeMetadata(merged: JsonObject, patch: JsonObject, current: JsonObject, stamp: Stamp): JsonObject {
  const metadata = bareObject({ ...current, ...stampOf(stamp) });
  for (const [key, value] of Object.entries(patch)) {
    const now = merged[key];
    if (now === undefined) {
      delete metadata[key];
    } else if (isJsonObject(now) && isJsonObject(value)) {
      const inner = metadata[key];
      metadata[key] = mergeMetadata(now, value, isJsonObject(inner) ? inner : {}, stamp);
    } else {
      metadata[key] = isJsonObject(now) ? uniformMetadata(now, stamp) : stampOf(stamp);
    }
  }
  return metadata;
}

function stampOf(stamp: Stamp): JsonObject {
  return stamp.version === undefined
    ? { $lastUpdated: stamp.time }
    : { $lastUpdated: stamp.time, $lastUpdatedVersion: stamp.version };
}
