import { defined } from '../../defined.ts';
import { type MirrorRow, TOMBSTONE_MINUTES, type Wanted } from './row.ts';

/** Why a row has to be read, and what has to be read at least. */
export interface Want {
  readonly version?: number | undefined;
  readonly byGet?: boolean;
  /** The run that has touched the identity. */
  readonly runId?: string;
}

/** What a row wants after it has got one more reason: never less than before. */
export function wantedAlso(row: MirrorRow | undefined, want: Want, nowIso: string): Wanted {
  const before = row?.wanted;
  const version = Math.max(want.version ?? 0, before?.version ?? 0);
  return {
    ...(before ?? { since: nowIso }),
    ...(version > 0 ? { version } : {}),
    ...(want.byGet === true ? { byGet: true } : {}),
    ...defined({ runId: want.runId }),
  };
}

/** What a row wants in a new life: versions of the last one mean nothing, and nothing was tried in vain. */
export function wantedAnew(row: MirrorRow | undefined, want: Want, nowIso: string): Wanted {
  const { since = nowIso, runId, byGet } = row?.wanted ?? {};
  return {
    since,
    ...defined({ version: want.version, runId }),
    ...(want.byGet === true || byGet === true ? { byGet: true } : {}),
  };
}

/** The same reasons for a row that wants nothing more. */
export function isSameWant(one: Wanted | undefined, other: Wanted): boolean {
  return one !== undefined && one.version === other.version && one.byGet === other.byGet;
}

/** The row after it was read, or is gone: it wants nothing any more, and what wanted it is noted. */
export function satisfied({ wanted, ...row }: MirrorRow): MirrorRow {
  return wanted?.runId === undefined ? row : { ...row, lastRun: wanted.runId };
}

/** Whether only a GET can tell what the row is: a query may show what is gone, or an earlier life. */
export function needsGet(row: MirrorRow, nowIso: string): boolean {
  return row.wanted?.byGet === true || isJustDeleted(row, nowIso);
}

/** Whether queries may still list the row's identity as it was before it was last deleted. */
export function isJustDeleted({ deletedAt }: MirrorRow, nowIso: string): boolean {
  return deletedAt !== undefined && Date.parse(nowIso) - Date.parse(deletedAt) < TOMBSTONE_MINUTES * 60_000;
}
