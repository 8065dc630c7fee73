/**
 * How an event changes a row. Events come more than once and in any order; whatever comes, a row ends in the state of the
 * registry, by two means:
 *
 * - Three times only grow: that of the newest creation (`bornAt`), of the newest deletion (`diedAt`), and of the newest
 *   event (`order`). They tell what an event is: known, of an earlier life, next, or a surprise.
 * - Whatever may have left wrong content behind (a gap in versions, a creation or deletion that comes after newer events,
 *   two operations at one time) makes the row wanted: the registry is read, and what it says counts.
 *
 * So the content of a row that is not wanted is that of its version, or an event is still to come that makes it wanted:
 * each life has a creation, and each but the last a deletion.
 */

import { defined } from '../../defined.ts';
import { withChange } from './changes.ts';
import type { DeletedEvent, MirrorEvent, UpdatedEvent, WholeEvent } from './mirrorEvent.ts';
import { clockTime } from './operationTime.ts';
import { type MirroredTwin, type MirrorRow, type RowOrder, UNKNOWN_VERSION } from './row.ts';
import { tombstone } from './tombstone.ts';
import { EMPTY_SECTIONS, patchedSections, sectionDifferences } from './twinSections.ts';
import { isJustDeleted, isSameWant, type Want, wantedAlso, wantedAnew } from './wanting.ts';

/**
 * The row after an event.
 *
 * @param row undefined: there is none
 * @param nowIso our clock
 * @returns undefined: the event changes nothing
 */
export function mergeEvent(row: MirrorRow | undefined, event: MirrorEvent, nowIso: string): MirrorRow | undefined {
  switch (event.kind) {
    case 'created':
      return mergeCreated(row, event, nowIso);
    case 'deleted':
      return mergeDeleted(row, event, nowIso);
    case 'doubted':
      // Always a change: a reading that is on its way may have begun before what nobody could read.
      return { ...next(row, event, nowIso), wanted: wantedAlso(row, { byGet: true }, nowIso) };
    default:
      return mergeTwinChange(row, event, nowIso);
  }
}

function mergeCreated(row: MirrorRow | undefined, event: WholeEvent, nowIso: string): MirrorRow | undefined {
  const { at, twin } = event;
  if (row === undefined) return born(row, event, nowIso, {});
  const { state, bornAt, diedAt, checkedAt, exactAt } = row;
  if (isKnown(event, row, bornAt) || (diedAt !== undefined && at < diedAt)) return undefined;
  // Of an earlier life that events have told of, a query may still show something. Of one that they have not, a deletion
  // is still to come.
  const hadLife = state === 'deleted' || bornAt !== undefined || diedAt !== undefined;
  const isNews = isNewest(event, row);
  // What a run has handed over is often read before its events come.
  const isRead = isBefore(at, checkedAt) && (row.twin?.version ?? 0) >= twin.version;
  if (state === 'present' && !hadLife && (isBefore(at, exactAt) || (isNews && isRead))) {
    return { ...next(row, event, nowIso), bornAt: at };
  }
  if (isNews) return born(row, event, nowIso, { byGet: state === 'deleted' ? isJustDeleted(row, nowIso) : hadLife });
  // Newer events came first, and found nothing, or an earlier life.
  if (state === 'unknown' && !hadLife) {
    return { ...born(row, event, nowIso, {}), wanted: wantedAlso(row, { version: twin.version }, nowIso) };
  }
  return { ...next(row, event, nowIso), bornAt: at, wanted: wantedAlso(row, { byGet: hadLife }, nowIso) };
}

/** A life begins as an event shows it; status and parents are in none. */
function born(row: MirrorRow | undefined, event: WholeEvent, nowIso: string, want: Want): MirrorRow {
  const { identity: _identity, ...before } = next(row, event, nowIso);
  return {
    ...before,
    state: 'present',
    twin: event.twin,
    bornAt: event.at,
    wanted: wantedAnew(row, { version: event.twin.version, ...want }, nowIso),
    changes: withChange(before.changes, { at: event.at, by: 'event', what: ['created'] }),
  };
}

function mergeDeleted(row: MirrorRow | undefined, event: DeletedEvent, nowIso: string): MirrorRow | undefined {
  const { at } = event;
  if (row !== undefined && isKnown(event, row, row.diedAt)) return undefined;
  const after = { ...next(row, event, nowIso), diedAt: at, deletedAt: nowIso };
  const isFoundSince = row?.state === 'present' && isBefore(at, row.checkedAt);
  // Newer events came first, or a reading: it is not known which life the row shows, nor whether a query would show the last.
  if (!isNewest(event, row) || isFoundSince) return { ...after, wanted: wantedAlso(row, { byGet: true }, nowIso) };
  const gone = tombstone(after, nowIso, { at, by: 'event' });
  // What a run has done since, no event need tell: its reading is not given up for an event that came late.
  const isTouchedSince = row?.wanted?.runId !== undefined && isBefore(at, row.updatedAt);
  return at === row?.bornAt || isTouchedSince ? { ...gone, wanted: wantedAlso(row, { byGet: true }, nowIso) } : gone;
}

/** A change within a life: partial, or whole. */
function mergeTwinChange(
  row: MirrorRow | undefined,
  event: UpdatedEvent | WholeEvent,
  nowIso: string,
): MirrorRow | undefined {
  const version = event.kind === 'updated' ? event.version : event.twin.version;
  if (row === undefined) return firstSeen(event, version, nowIso);
  const { bornAt, diedAt, twin, state } = row;
  const { at } = event;
  // Of an earlier life.
  if ((bornAt !== undefined && at < bornAt) || (diedAt !== undefined && at < diedAt)) return undefined;
  // Of the life that has ended at this time, or of one that has begun then.
  const isUnclear = at === diedAt;
  const isOld = state === 'deleted' || (twin !== undefined && version <= twin.version);
  if (isOld && (!isNewest(event, row) || isBefore(at, row.checkedAt))) {
    if (isUnclear && state !== 'deleted') return wanting(row, event, nowIso, { byGet: true });
    // A reading that is on its way may have begun before it: so the row has to change, if it waits for one.
    return row.wanted === undefined ? undefined : wanting(row, event, nowIso, {});
  }
  if (isOld || isUnclear) return doubtful(row, event, nowIso);
  // It is in what was read, or of an earlier life, of whose end no event has told; unless our clock is ahead of the hub's.
  if (twin !== undefined && isBefore(at, row.exactAt)) {
    return isLongBefore(at, row.exactAt) ? undefined : wanting(row, event, nowIso, { byGet: true });
  }
  if (state === 'present' && twin !== undefined && twin.version !== UNKNOWN_VERSION && !isOlder(event, row)) {
    if (event.kind !== 'updated') return changed(row, event, event.twin, nowIso);
    if (version === twin.version + 1) {
      return changed(row, event, { ...patchedSections(twin, event.patch), version }, nowIso);
    }
  }
  return wanting(row, event, nowIso, { version });
}

/** Nothing has told what the identity is; its creation is still to come. */
function firstSeen(event: UpdatedEvent | WholeEvent, version: number, nowIso: string): MirrorRow {
  const row = next(undefined, event, nowIso);
  const wanted = wantedAlso(undefined, { version }, nowIso);
  return event.kind === 'updated' ? { ...row, wanted } : { ...changed(row, event, event.twin, nowIso), wanted };
}

function changed(row: MirrorRow, event: MirrorEvent, twin: MirroredTwin, nowIso: string): MirrorRow {
  const what = sectionDifferences(row.twin ?? EMPTY_SECTIONS, twin);
  return {
    ...next(row, event, nowIso),
    state: 'present',
    twin,
    changes: withChange(row.changes, { at: event.at, by: 'event', what }),
  };
}

/** An event that is newer than all, and whose version or time is not: of another life, most likely. */
function doubtful(row: MirrorRow, event: UpdatedEvent | WholeEvent, nowIso: string): MirrorRow | undefined {
  // The newer whole event wins until the registry is read; a tombstone is lifted by the registry alone.
  if (event.kind === 'replaced' && row.state === 'present' && isNewest(event, row)) {
    return { ...changed(row, event, event.twin, nowIso), wanted: wantedAlso(row, { byGet: true }, nowIso) };
  }
  return wanting(row, event, nowIso, { byGet: true });
}

/** The same content, which the registry is asked for; undefined when it is already, for this. */
function wanting(row: MirrorRow, event: MirrorEvent, nowIso: string, want: Want): MirrorRow | undefined {
  const wanted = wantedAlso(row, want, nowIso);
  const after = next(row, event, nowIso);
  if (after.order === row.order && isSameWant(row.wanted, wanted)) return undefined;
  return { ...after, wanted };
}

/** The row, or a new one, which has seen the event. */
function next(row: MirrorRow | undefined, event: MirrorEvent, nowIso: string): MirrorRow {
  const { hub, deviceId, moduleId } = event;
  const before: Omit<MirrorRow, 'updatedAt'> = row ?? {
    hub,
    deviceId,
    ...defined({ moduleId }),
    state: 'unknown',
    changes: [],
  };
  const order = isNewest(event, row) ? orderOf(event) : row?.order;
  return { ...before, ...defined({ order }), updatedAt: nowIso };
}

function orderOf({ at, place }: MirrorEvent): RowOrder {
  return { at, partition: partitionOf(place), sequence: place.sequence };
}

function partitionOf({ source, partition }: MirrorEvent['place']): string {
  return `${source}/${partition}`;
}

/** By time, then by place, where both stood in one partition. */
function isNewest(event: MirrorEvent, row: MirrorRow | undefined): boolean {
  const order = row?.order;
  if (order === undefined || event.at !== order.at) return order === undefined || event.at > order.at;
  return partitionOf(event.place) === order.partition && event.place.sequence > order.sequence;
}

function isOlder({ at }: MirrorEvent, { order }: MirrorRow): boolean {
  return order !== undefined && at < order.at;
}

/**
 * Whether a creation or deletion is the newest of its kind that is known, or older. Of one tick in which there was one of
 * each, nobody knows how many there were.
 */
function isKnown(
  { at, place }: MirrorEvent,
  { bornAt, diedAt, order }: MirrorRow,
  newest: string | undefined,
): boolean {
  if (newest === undefined || at !== newest) return newest !== undefined && at < newest;
  return bornAt !== diedAt || (order?.partition === partitionOf(place) && order.sequence === place.sequence);
}

/** Whether an operation was done before the registry was read. */
function isBefore(at: string, checkedAt: string | undefined): boolean {
  return checkedAt !== undefined && at <= clockTime(checkedAt);
}

/** Two clocks differ by less. */
const CLOCKS_MS = 60_000;

/** Whether it was, however much the clocks differ. */
function isLongBefore(at: string, checkedAt: string | undefined): boolean {
  return checkedAt !== undefined && isBefore(at, new Date(Date.parse(checkedAt) - CLOCKS_MS).toISOString());
}
