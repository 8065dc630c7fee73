/** How the rows of a hub stand. */

import { isOverdue, nextRun, parseSchedule, type Schedule } from '../../backup/schedule.ts';
import { readJson } from '../../storage/jsonBlob.ts';
import { type LastReconcile, readLastReconcile } from '../notes/lastReconcile.ts';
import { type Containers, noteBlob, writeNote } from '../notes/note.ts';
import { MOST_PENDING, readWantedReconcile } from '../notes/wantedReconcile.ts';
import type { Counts, StoredCount } from '../query/counts.ts';
import { type MirrorStore, StoreUnavailable } from '../store/mirrorStore.ts';
import { type MirrorNote, noteOf } from './statusTexts.ts';

export interface HubStatus {
  /** Alias. */
  readonly hub: string;
  /** Rows of devices and of modules that are there; null: they were never counted, or are too many to wait for it. */
  readonly devices: number | null;
  readonly modules: number | null;
  /** When that was, ISO UTC. */
  readonly countedAt: string | null;
  /** Rows for which the registry is to be read; null: the store does not answer. */
  readonly pendingRefreshes: number | null;
  /** Whether there are more of them: they are not counted further. */
  readonly pendingRefreshesMore: boolean;
  readonly reconcile: LastReconcile | null;
  /** When the next is due, ISO UTC; null: on demand only. */
  readonly nextReconcile: string | null;
}

export interface HubContext {
  readonly storage: Containers;
  readonly store: MirrorStore;
  readonly counts: Counts;
  /** Six-field NCRONTAB; undefined: on demand only. */
  readonly schedule: string | undefined;
  readonly now: () => Date;
}

const STUCK_MINUTES = 60;
/** People wait for it; a count goes on behind, and is there for who asks next. */
const COUNT_MS = 3_000;

/** @param mayCount whether rows are counted anew where their count is old; else the last count is given */
export async function hubStatus(
  context: HubContext,
  hub: string,
  mayCount: boolean,
): Promise<{ readonly status: HubStatus; readonly notes: readonly MirrorNote[] }> {
  const { storage, now } = context;
  const [refreshes, counted, reconcile, wanted] = await Promise.all([
    pendingRefreshes(context, hub),
    rowsCounted(context, hub, mayCount),
    readLastReconcile(storage, hub),
    readWantedReconcile(storage, hub),
  ]);
  const parsed = context.schedule === undefined ? undefined : parseSchedule(context.schedule);
  const schedule = parsed !== undefined && 'schedule' in parsed ? parsed.schedule : undefined;
  return {
    status: {
      hub,
      devices: counted?.devices ?? null,
      modules: counted?.modules ?? null,
      countedAt: counted?.at ?? null,
      pendingRefreshes: refreshes.pending,
      pendingRefreshesMore: (refreshes.pending ?? 0) >= MOST_PENDING,
      reconcile: reconcile ?? null,
      nextReconcile: (schedule && nextRun(schedule, now())?.toISOString()) ?? null,
    },
    notes: [
      ...refreshes.notes,
      ...(wanted === undefined ? [] : [noteOf('reconcileWanted', { hub, why: wanted.reason })]),
      ...(await reconcileNotes(context, hub, schedule, reconcile)),
    ],
  };
}

async function pendingRefreshes({ store, now }: HubContext, hub: string) {
  try {
    const pending = await store.countWanted(hub, MOST_PENDING);
    const dueBy = new Date(now().getTime() - STUCK_MINUTES * 60_000).toISOString();
    const notes: MirrorNote[] = [];
    if (pending > 0) {
      for await (const _row of store.wanted(hub, { dueBy, most: 1 })) {
        notes.push(noteOf('refreshesStuck', { hub, minutes: STUCK_MINUTES }));
        break;
      }
    }
    return { pending, notes };
  } catch (error) {
    if (!(error instanceof StoreUnavailable)) throw error;
    return { pending: null, notes: [noteOf('storeSilent')] };
  }
}

async function rowsCounted(
  { counts }: HubContext,
  hub: string,
  mayCount: boolean,
): Promise<Pick<StoredCount, 'devices' | 'modules' | 'at'> | undefined> {
  if (!mayCount) return counts.known(hub);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), COUNT_MS);
  });
  // What hinders the count is told by the rest of the status.
  const counted = counts.count(hub, undefined).catch(() => undefined);
  const found = await Promise.race([counted, late]);
  clearTimeout(timer);
  return found ?? counts.known(hub);
}

/** Since when a hub has had its schedule: nothing is overdue that was not asked for yet. */
interface Since {
  readonly schedule: string;
  /** ISO UTC. */
  readonly at: string;
}

async function reconcileNotes(
  { storage, schedule: text = '', now }: HubContext,
  hub: string,
  schedule: Schedule | undefined,
  last: LastReconcile | undefined,
): Promise<readonly MirrorNote[]> {
  const repaired = last?.dryRun === false ? last : undefined;
  const never = repaired === undefined ? [noteOf('reconcileNever', { hub })] : [];
  if (schedule === undefined) return never;
  const name = `reconciles/${hub}-schedule.json`;
  const known = (await readJson<Since>(noteBlob(storage, name)))?.value;
  if (known?.schedule !== text) {
    await writeNote(storage, name, { schedule: text, at: now().toISOString() } satisfies Since);
    return never;
  }
  const since = new Date(Math.max(Date.parse(known.at), repaired === undefined ? 0 : Date.parse(repaired.begunAt)));
  return isOverdue(schedule, since, now()) ? [noteOf('reconcileOverdue', { hub })] : never;
}
