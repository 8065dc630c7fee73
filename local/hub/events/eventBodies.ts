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
import type { EventKind } from './eventKinds.ts';
import { type PackedTwin, unpackTwin } from './packedTwin.ts';
import type { LoggedEvent } from './partitionTable.ts';

/** Of a section that nobody has written yet, as in the documented sample. */
const UNWRITTEN = `{"$metadata":{"$lastUpdated":"${UNSET_TIME}"},"$version":1}`;

type Subject = Pick<LoggedEvent, 'deviceId' | 'moduleId' | 'payload'> & { readonly kind: EventKind };

/** The body of an event, from what the log keeps of it. */
export function bodyOf(event: Subject): string {
  if (event.kind === 'updateTwin') return event.payload;
  const twin = unpackTwin(event.payload);
  // The sample of a creation has no tags; where a bulk call or a job creates a twin with some, they are shown.
  const tags = twin.tags === '{}' && event.kind !== 'replaceTwin' ? '' : `,"tags":${twin.tags}`;
  return `{${head(event, twin)}${tags},${properties(twin)}}`;
}

/** The body of `updateTwin`: the changed parts only, with null for what is gone. */
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

function head({ deviceId, moduleId }: Subject, twin: PackedTwin): string {
  const module = moduleId === '' ? '' : `"moduleId":${JSON.stringify(moduleId)},`;
  return `"deviceId":${JSON.stringify(deviceId)},${module}"etag":"${twinEtag(twin)}","version":${twin.twinVersion}`;
}

function properties(twin: PackedTwin): string {
  const desired = section(twin.desired, twin.desiredVersion, () => desiredMetadata(twin));
  const reported = section(twin.reported, twin.reportedVersion, () => reportedMetadata(twin));
  return `"properties":{"desired":${desired},"reported":${reported}}`;
}

/** `json` as it is stored: to parse it would lose how its floats are written. */
function section(json: string, version: number, metadata: () => JsonObject): string {
  if (json === '{}' && version === 1) return UNWRITTEN;
  const members = json === '{}' ? '' : `${json.slice(1, -1)},`;
  return `{${members}"$metadata":${JSON.stringify(metadata())},"$version":${version}}`;
}
