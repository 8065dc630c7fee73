/**
 * Bodies of events (azure-docs iot-hub-non-telemetry-event-schema.md): the twin, whole or in part. No key, status or
 * scope is in any of them.
 */

import { type IdentityRow, twinEtag } from '../registry/identityRow.ts';
import { UNSET_TIME } from '../times.ts';
import { desiredMetadata, reportedMetadata, type TwinParts } from '../twin/twinColumns.ts';
import type { JsonObject } from '../twin/twinLimits.ts';
import { uniformMetadata, withoutNulls, withoutSystemKeys } from '../twin/twinSections.ts';
import { stringifyFloats } from '../wire/numbers.ts';

/** Of a section that nobody has written yet, as in the documented sample. */
const UNWRITTEN = `{"$metadata":{"$lastUpdated":"${UNSET_TIME}"},"$version":1}`;

/**
 * Of a creation or a deletion: the twin as it then is. The sample has no tags; where a bulk call or a job creates a twin
 * with some, they are shown.
 */
export function lifecycleBody(row: IdentityRow): string {
  return `{${head(row)}${row.tags === '{}' ? '' : `,"tags":${row.tags}`},${properties(row)}}`;
}

/** Of a twin that was replaced: all of it. */
export function replacedTwinBody(row: IdentityRow): string {
  return `{${head(row)},"tags":${row.tags},${properties(row)}}`;
}

/** Of a twin that was changed: the changed parts only, with null for what is gone. */
export function changedTwinBody(after: IdentityRow, patch: TwinParts): string {
  const desired = patch.desired && withoutSystemKeys(patch.desired);
  return stringifyFloats({
    version: after.twinVersion,
    ...(patch.tags && { tags: patch.tags }),
    ...(desired && { properties: { desired: changedDesired(after, desired) } }),
  });
}

/** What is written carries the stamp of this version; what is gone has no metadata. */
function changedDesired(after: IdentityRow, change: JsonObject): JsonObject {
  const { $lastUpdated } = desiredMetadata(after) as { $lastUpdated: string };
  const stamp = { time: $lastUpdated, version: after.desiredVersion };
  return { ...change, $metadata: uniformMetadata(withoutNulls(change), stamp), $version: after.desiredVersion };
}

function head(row: IdentityRow): string {
  const module = row.moduleId === '' ? '' : `"moduleId":${JSON.stringify(row.moduleId)},`;
  return `"deviceId":${JSON.stringify(row.deviceId)},${module}"etag":"${twinEtag(row)}","version":${row.twinVersion}`;
}

function properties(row: IdentityRow): string {
  const desired = section(row.desired, row.desiredVersion, () => desiredMetadata(row));
  const reported = section(row.reported, row.reportedVersion, () => reportedMetadata(row));
  return `"properties":{"desired":${desired},"reported":${reported}}`;
}

/** `json` as it is stored: to parse it would lose how its floats are written. */
function section(json: string, version: number, metadata: () => JsonObject): string {
  if (json === '{}' && version === 1) return UNWRITTEN;
  const members = json === '{}' ? '' : `${json.slice(1, -1)},`;
  return `{${members}"$metadata":${JSON.stringify(metadata())},"$version":${version}}`;
}
