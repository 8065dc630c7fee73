/** How rows wait for the registry to be read: pure. */

import { defined } from '../../defined.ts';
import type { IdentityKey, MirrorRow, Wanted } from '../rows/row.ts';
import { isJustDeleted, needsGet } from '../rows/wanting.ts';

/** Queries lag behind by seconds: after so many in vain the identity is read by GET. */
const TRIES_BY_QUERY = 3;
/** Until the next try, by how many there were. */
const AGAIN_SECONDS = [1, 2, 5, 15, 30, 60, 300];
/** A new identity may take seconds to become readable (Azure docs, "Identity registry"): until then its absence is not sure. */
const UNSURE_MS = 30_000;
/** The index behind queries lags a second or two (seen on a live hub); nothing tells whether it has caught up with a run. */
const INDEX_LAG_MS = 5_000;

/** Whether a row is read one by one, for a query cannot tell, or has told nothing so far. */
export function goesByGet(row: MirrorRow, nowIso: string): boolean {
  return needsGet(row, nowIso) || (row.wanted?.tries ?? 0) >= TRIES_BY_QUERY;
}

/** The row after it was read in vain. */
export function readInVain(row: MirrorRow, now: Date): MirrorRow {
  const { tries = 0 } = row.wanted ?? {};
  const seconds = AGAIN_SECONDS[Math.min(tries, AGAIN_SECONDS.length - 1)] ?? 0;
  return { ...row, wanted: { ...wantedOf(row, now), tries: tries + 1, due: later(now, seconds * 1000) } };
}

/** The row, to be read by GET: no query can be made for it. */
export function unqueryable(row: MirrorRow, now: Date): MirrorRow {
  return { ...row, wanted: { ...wantedOf(row, now), byGet: true } };
}

/** The row, with which something is wrong that will be so for long. */
export function postponed(row: MirrorRow, now: Date, minutes: number): MirrorRow {
  return { ...row, wanted: { ...wantedOf(row, now), due: later(now, minutes * 60_000) } };
}

/**
 * A row that a GET has found to be gone, so soon after something was heard of it for the first time that it may be too new
 * to be read: it is read once more.
 *
 * @param before as it was before the reading
 */
export function unsureGone(before: MirrorRow, gone: MirrorRow, now: Date): MirrorRow {
  const since = before.wanted?.since;
  // What was read before is no longer new.
  const isNew = before.state !== 'deleted' && before.identity === undefined;
  if (since === undefined || !isNew) return gone;
  const sure = Date.parse(since) + UNSURE_MS;
  return now.getTime() >= sure ? gone : { ...gone, wanted: { since, byGet: true, due: new Date(sure).toISOString() } };
}

/** Why a row is wanted that no event speaks of. */
export interface WantedBy {
  readonly runId?: string;
  /** When what has touched it was done. */
  readonly doneAt: Date;
  /** It may be gone. */
  readonly mayBeGone?: boolean;
}

/**
 * The row, or a new one, of an identity that something other than events says has been touched. An export or reading that
 * is under way may have begun before that: the row counts as changed now.
 */
export function wantedBy(
  hub: string,
  { deviceId, moduleId }: IdentityKey,
  row: MirrorRow | undefined,
  { runId, doneAt, mayBeGone = false }: WantedBy,
  now: Date,
): MirrorRow {
  const nowIso = now.toISOString();
  const byGet = mayBeGone || row?.wanted?.byGet === true || (row !== undefined && isJustDeleted(row, nowIso));
  // What shows until then may be from before: a change of status or parent moves no version.
  const shows = new Date(Math.max(now.getTime(), mayBeGone ? 0 : doneAt.getTime() + INDEX_LAG_MS)).toISOString();
  const { since = nowIso, version, due = shows, runId: earlier } = row?.wanted ?? {};
  const wanted: Wanted = {
    since,
    due: due > shows ? due : shows,
    ...(byGet ? { byGet } : {}),
    ...defined({ version, runId: runId ?? earlier }),
  };
  const before = row ?? { hub, deviceId, ...defined({ moduleId }), state: 'unknown' as const, changes: [] };
  return { ...before, updatedAt: nowIso, wanted };
}

function wantedOf({ wanted }: MirrorRow, now: Date): Wanted {
  return wanted ?? { since: now.toISOString() };
}

function later(now: Date, ms: number): string {
  return new Date(now.getTime() + ms).toISOString();
}
