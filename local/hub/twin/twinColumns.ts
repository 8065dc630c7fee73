import type { IdentityRow } from '../registry/identityRow.ts';
import { dotnetTime } from '../times.ts';
import { stringifyFloats } from '../wire/numbers.ts';
import { DESIRED_LIMITS, demandSection, type JsonObject, REPORTED_LIMITS, TAGS_LIMITS } from './twinLimits.ts';
import {
  mergeMetadata,
  mergeSection,
  type Stamp,
  uniformMetadata,
  withoutNulls,
  withoutSystemKeys,
} from './twinSections.ts';

/** The parts of a twin that a service writes. An absent part stays as it is. */
export interface TwinParts {
  readonly tags?: JsonObject;
  readonly desired?: JsonObject;
  readonly reported?: JsonObject;
}

export type TwinColumns = Pick<
  IdentityRow,
  | 'twinEtag'
  | 'twinVersion'
  | 'tags'
  | 'desired'
  | 'desiredVersion'
  | 'desiredUpdated'
  | 'desiredMetadata'
  | 'reported'
  | 'reportedVersion'
  | 'reportedUpdated'
>;

/** The twin of a new identity: version 2 and etag 1, as new twins of a hub have. */
export function newTwin(parts: TwinParts, nowMs: number): TwinColumns {
  const time = dotnetTime(nowMs);
  return {
    twinEtag: 1,
    twinVersion: 2,
    tags: wholeSection(parts.tags, 'tags'),
    desired: wholeSection(parts.desired, 'desired'),
    desiredVersion: 1,
    desiredUpdated: time,
    desiredMetadata: null,
    reported: wholeSection(parts.reported, 'reported'),
    reportedVersion: 1,
    reportedUpdated: time,
  };
}

/** Replaces the parts given. Throws 400004 before anything is changed. */
export function replaceTwinParts(row: IdentityRow, parts: TwinParts, nowMs: number): TwinColumns {
  const time = dotnetTime(nowMs);
  return {
    ...twinOf(row),
    twinEtag: row.twinEtag + 1,
    twinVersion: row.twinVersion + 1,
    ...(parts.tags && { tags: wholeSection(parts.tags, 'tags') }),
    ...(parts.desired && {
      desired: wholeSection(parts.desired, 'desired'),
      desiredVersion: row.desiredVersion + 1,
      desiredUpdated: time,
      desiredMetadata: null,
    }),
    ...(parts.reported && {
      reported: wholeSection(parts.reported, 'reported'),
      reportedVersion: row.reportedVersion + 1,
      reportedUpdated: time,
    }),
  };
}

/** Merges tags and desired properties; null deletes. Throws 400004 before anything is changed. */
export function patchTwinParts(row: IdentityRow, patch: TwinParts, nowMs: number): TwinColumns {
  const columns = { ...twinOf(row), twinEtag: row.twinEtag + 1, twinVersion: row.twinVersion + 1 };
  if (patch.tags) {
    const tags = mergeSection(JSON.parse(row.tags), patch.tags);
    demandSection(tags, TAGS_LIMITS);
    columns.tags = stringifyFloats(tags);
  }
  if (patch.desired) {
    const change = withoutSystemKeys(patch.desired);
    const desired = mergeSection(JSON.parse(row.desired), change);
    demandSection(desired, DESIRED_LIMITS);
    const stamp: Stamp = { time: dotnetTime(nowMs), version: row.desiredVersion + 1 };
    columns.desired = stringifyFloats(desired);
    columns.desiredMetadata = JSON.stringify(mergeMetadata(desired, change, desiredMetadata(row), stamp));
    columns.desiredVersion = row.desiredVersion + 1;
  }
  return columns;
}

/** `$metadata` of the desired properties. */
export function desiredMetadata(
  row: Pick<IdentityRow, 'desired' | 'desiredVersion' | 'desiredUpdated' | 'desiredMetadata'>,
): JsonObject {
  if (row.desiredMetadata !== null) return JSON.parse(row.desiredMetadata);
  return uniformMetadata(JSON.parse(row.desired), { time: row.desiredUpdated, version: row.desiredVersion });
}

/** `$metadata` of the reported properties. */
export function reportedMetadata(row: Pick<IdentityRow, 'reported' | 'reportedUpdated'>): JsonObject {
  return uniformMetadata(JSON.parse(row.reported), { time: row.reportedUpdated });
}

const LIMITS = { tags: TAGS_LIMITS, desired: DESIRED_LIMITS, reported: REPORTED_LIMITS };

function wholeSection(section: JsonObject | undefined, name: keyof typeof LIMITS): string {
  if (section === undefined) return '{}';
  const whole = withoutNulls(name === 'tags' ? section : withoutSystemKeys(section));
  demandSection(whole, LIMITS[name]);
  return stringifyFloats(whole);
}

function twinOf(row: IdentityRow): TwinColumns {
  return {
    twinEtag: row.twinEtag,
    twinVersion: row.twinVersion,
    tags: row.tags,
    desired: row.desired,
    desiredVersion: row.desiredVersion,
    desiredUpdated: row.desiredUpdated,
    desiredMetadata: row.desiredMetadata,
    reported: row.reported,
    reportedVersion: row.reportedVersion,
    reportedUpdated: row.reportedUpdated,
  };
}
