/**
 * How a reading of the registry changes a row.
 *
 * The row is the one that was read from the store before the registry was read, and it is written only over that: an event
 * that came in between may be newer than the reading. Of an export, which takes long, the row may be read at its end.
 */

import { defined } from '../../defined.ts';
import { isSame } from '../../registryLines/differences.ts';
import { withChange } from './changes.ts';
import { clockTime } from './operationTime.ts';
import {
  IDENTITY_FIELDS,
  type IdentityKey,
  type MirroredIdentity,
  type MirroredTwin,
  type MirrorRow,
  type TwinSections,
  UNKNOWN_VERSION,
} from './row.ts';
import { tombstone } from './tombstone.ts';
import { EMPTY_SECTIONS, hasSections, sectionDifferences } from './twinSections.ts';
import { needsGet, satisfied } from './wanting.ts';

/** What the registry says of an identity; sections that it does not tell are those of the row. */
export interface FoundIdentity {
  readonly identity: MirroredIdentity;
  /** Absent version: an export tells none. */
  readonly twin: Partial<TwinSections> & { readonly version?: number };
}

export type Reading = FoundIdentity | 'absent';

/** What was read, how, and when. */
export interface ReadHow extends IdentityKey {
  /** Alias of the hub. */
  readonly hub: string;
  /** `query`: lags behind by seconds, and lists what is deleted for a while; the others are exact. */
  readonly by: 'query' | 'get' | 'export';
  /** Our clock, before the first request was sent, or the export begun: ISO UTC. */
  readonly begunAt: string;
  /** Our clock: ISO UTC. */
  readonly nowIso: string;
}

/**
 * The row after the registry was read.
 *
 * @param row undefined: there is none
 * @returns undefined: nothing is to be written. `again`: the reading does not count. The row is to be read again, if it is
 *   wanted, and is left alone by a reconcile
 */
export function mergeReading(
  row: MirrorRow | undefined,
  reading: Reading,
  how: ReadHow,
): MirrorRow | undefined | 'again' {
  if (row !== undefined && !counts(row, reading, how)) return 'again';
  if (reading === 'absent') return row && gone(row, how);
  return found(row, reading, how);
}

/** Whether a reading tells at least as much as the row knows. */
function counts(row: MirrorRow, reading: Reading, { by, begunAt, nowIso }: ReadHow): boolean {
  // What came after the reading began may be newer.
  if (row.updatedAt > begunAt) return false;
  switch (by) {
    case 'get':
      return true;
    case 'export':
      return row.updatedAt < begunAt && (row.order === undefined || row.order.at < clockTime(begunAt));
    case 'query': {
      // One that does not list a device does not list it yet; those that are deleted stay in it.
      if (reading === 'absent' || needsGet(row, nowIso)) return false;
      const { version = UNKNOWN_VERSION } = reading.twin;
      return version >= Math.max(row.twin?.version ?? 0, row.wanted?.version ?? 0);
    }
  }
}

function gone(row: MirrorRow, how: ReadHow): MirrorRow | undefined {
  if (row.state === 'deleted' && row.wanted === undefined && how.by === 'export') return undefined;
  const checked = { ...row, ...checkedNow(how), updatedAt: how.nowIso };
  if (row.state === 'deleted') return satisfied(checked);
  return tombstone(checked, how.nowIso, { at: how.nowIso, by: changedBy(how) });
}

function found(row: MirrorRow | undefined, reading: FoundIdentity, how: ReadHow): MirrorRow | undefined {
  const { hub, deviceId, moduleId, nowIso } = how;
  const twin = twinAfter(row, reading.twin);
  const what = differences(row, reading, twin);
  if (row !== undefined && how.by === 'export' && isAsRead(row, twin, what)) return undefined;
  const before = row ?? { hub, deviceId, ...defined({ moduleId }), changes: [] };
  return satisfied({
    ...before,
    state: 'present',
    identity: reading.identity,
    twin,
    updatedAt: nowIso,
    ...checkedNow(how),
    changes: withChange(before.changes, { at: nowIso, by: changedBy(how), what }),
  });
}

function checkedNow({ by, begunAt }: ReadHow): Pick<MirrorRow, 'checkedAt' | 'exactAt'> {
  return { checkedAt: begunAt, ...(by === 'query' ? {} : { exactAt: begunAt }) };
}

/** What is as it should be is not written: most of what a reconcile reads. */
function isAsRead(row: MirrorRow, { version }: MirroredTwin, what: readonly string[]): boolean {
  return what.length === 0 && row.wanted === undefined && row.identity !== undefined && row.twin?.version === version;
}

function twinAfter(row: MirrorRow | undefined, { version, ...sections }: FoundIdentity['twin']): MirroredTwin {
  const before = row?.twin;
  const after = { ...EMPTY_SECTIONS, ...before, ...sections };
  if (version !== undefined) return { ...after, version };
  // The same content is that of the same version, unless an event has told of a later one.
  const isKnown = before !== undefined && (row?.wanted?.version ?? 0) <= before.version;
  return { ...after, version: isKnown && hasSections(before, sections) ? before.version : UNKNOWN_VERSION };
}

/** Names of what the registry has other than the row. */
function differences(row: MirrorRow | undefined, { identity }: FoundIdentity, twin: MirroredTwin): readonly string[] {
  if (row?.state !== 'present') return ['found'];
  const sections = sectionDifferences(row.twin ?? EMPTY_SECTIONS, twin);
  // Events tell nothing of it: it is read for the first time, and has not changed.
  return row.identity === undefined ? sections : [...identityDifferences(row.identity, identity), ...sections];
}

function identityDifferences(before: MirroredIdentity, after: MirroredIdentity): readonly string[] {
  return IDENTITY_FIELDS.filter((name) => !isSame(before[name], after[name]));
}

function changedBy({ by }: ReadHow): 'refresh' | 'reconcile' {
  return by === 'export' ? 'reconcile' : 'refresh';
}
