/** What a snapshot says of a row: whether it has drifted, and what it comes to. Pure. */

import { defined } from '../../defined.ts';
import { mergeReading, type Reading } from '../rows/mergeReading.ts';
import type { IdentityKey, MirroredIdentity, MirrorRow } from '../rows/row.ts';
import { differingFields } from './rowDifference.ts';
import type { ShownIdentity } from './shownIdentity.ts';

/** `missing`: the hub has it and the mirror does not show it; `extra`: the other way round. */
export type Drift = 'missing' | 'extra' | 'different';

export interface JudgeTerms {
  /** Alias. */
  readonly hub: string;
  /** Our clock, before the reading of the snapshot began, ISO UTC: it says nothing of rows that are newer. */
  readonly begunAt: string;
  /** ISO UTC. */
  readonly nowIso: string;
}

/** Of a row that is not as the snapshot shows it, or that waits for what the snapshot tells. */
export interface Judgement {
  /** Absent: nobody who asks the mirror sees a difference. */
  readonly drift?: Drift;
  /** Of a row that is different: the names of its fields that are. */
  readonly fields?: readonly string[];
  /** What the row comes to; `removed`; or `newer`, for the snapshot says nothing of it: it is left alone. */
  readonly next: MirrorRow | 'removed' | 'newer';
}

/** A tombstone is of no use after so long: neither events nor what queries list of a deleted device are kept for it. */
export const TOMBSTONE_DAYS = 30;
const DAY_MS = 24 * 60 * 60_000;

/**
 * @param key of what is judged
 * @param row undefined: the mirror has none
 * @param shown undefined: the snapshot does not have it
 * @returns undefined: all is well
 */
export function judge(
  key: IdentityKey,
  row: MirrorRow | undefined,
  shown: ShownIdentity | undefined,
  terms: JudgeTerms,
): Judgement | undefined {
  const merged = (reading: Reading, found: Omit<Judgement, 'next'>): Judgement | undefined => {
    const next = mergeReading(row, reading, { ...key, ...terms, by: 'export' });
    return next && { ...found, next: next === 'again' ? 'newer' : next };
  };
  if (shown === undefined) {
    if (row?.state === 'present') return merged('absent', { drift: 'extra' });
    if (row?.state === 'unknown' || row?.wanted !== undefined) return merged('absent', {});
    return row && isOld(row, terms) ? { next: 'removed' } : undefined;
  }
  const reading = readingOf(row, shown);
  if (row?.state !== 'present') return merged(reading, { drift: 'missing' });
  const fields = differingFields(row, shown);
  if (fields.length > 0) return merged(reading, { drift: 'different', fields });
  const isWaiting = row.wanted !== undefined || row.identity === undefined;
  return isWaiting ? merged(reading, {}) : undefined;
}

function isOld({ deletedAt, updatedAt }: MirrorRow, { begunAt }: JudgeTerms): boolean {
  return Date.parse(deletedAt ?? updatedAt) < Date.parse(begunAt) - TOMBSTONE_DAYS * DAY_MS;
}

/**
 * No line of an export has the version of its twin (its `twinETag` counts otherwise), so the reading has none: a row whose
 * twin is put right takes part in no partial event until it has been read again.
 */
function readingOf(row: MirrorRow | undefined, shown: ShownIdentity): Exclude<Reading, 'absent'> {
  // What is known of an earlier life says nothing of this one.
  const known = row?.state === 'present' ? row.identity : undefined;
  const { tags, desired, reported } = shown;
  return { identity: identityOf(known ?? {}, shown), twin: defined({ tags, desired, reported }) };
}

/** What is not told stays as it is known. */
function identityOf(known: MirroredIdentity, shown: ShownIdentity): MirroredIdentity {
  const { status = known.status, edge = known.edge, authenticationType = known.authenticationType } = shown;
  const { statusReason = known.statusReason, parent = known.parent } = shown;
  return defined({
    status,
    statusReason: statusReason ?? undefined,
    edge,
    parent: parent ?? undefined,
    authenticationType,
  });
}
