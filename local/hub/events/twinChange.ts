import type { IdentityRow } from '../registry/identityRow.ts';
import type { TwinParts } from '../twin/twinColumns.ts';
import { isJsonObject, type JsonObject } from '../twin/twinLimits.ts';
import { bareObject } from '../twin/twinSections.ts';

/** The patch that leads from one state of a twin to the next: for writes of which only the rows are known. */
export function twinChange(before: IdentityRow, after: IdentityRow): TwinParts {
  return {
    ...(before.tags !== after.tags && { tags: sectionChange(JSON.parse(before.tags), JSON.parse(after.tags)) }),
    ...(before.desiredVersion !== after.desiredVersion && {
      desired: sectionChange(JSON.parse(before.desired), JSON.parse(after.desired)),
    }),
  };
}

/** The members of `after` that differ, and null for those that are gone. */
export function sectionChange(before: JsonObject, after: JsonObject): JsonObject {
  const change = bareObject();
  for (const key of Object.keys(before)) {
    if (!Object.hasOwn(after, key)) change[key] = null;
  }
  for (const [key, now] of Object.entries(after)) {
    const was = Object.hasOwn(before, key) ? before[key] : undefined;
    if (isJsonObject(was) && isJsonObject(now)) {
      const inner = sectionChange(was, now);
      if (Object.keys(inner).length > 0) change[key] = inner;
    } else if (JSON.stringify(was) !== JSON.stringify(now)) {
      change[key] = now;
    }
  }
  return change;
}
