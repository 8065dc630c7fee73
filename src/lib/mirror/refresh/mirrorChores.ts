/** What is to be done for the mirror once in a while, whatever was lost: each of it may be done at any time, and twice. */

import { safeError } from '../../redact.ts';
import { dropWantedReconcile, readWantedReconcile } from '../notes/wantedReconcile.ts';
import { endedRuns } from './endedRuns.ts';
import type { RefreshContext } from './refreshContext.ts';

export interface MirrorChores {
  /** Begins the refresh of a hub, unless it goes on. */
  startRefresh(hub: string): Promise<void>;
  /** Begins a reconcile, or gives the one that goes on. */
  startReconcile(hub: string, reason: string): Promise<{ readonly createdAt: string }>;
  /** Applies events that wait for the store, for a while; gives the hubs whose rows are wanted now. */
  replayParked(until: Date): Promise<readonly string[]>;
  /** Removes dead letters that are too old to be of use. */
  dropOldLetters(): Promise<unknown>;
}

const REPLAY_MS = 30_000;

/** What goes wrong with one of them holds up none of the others, and is done the next time. */
export async function doMirrorChores(context: RefreshContext, chores: MirrorChores): Promise<void> {
  const { settings, storage, store, now } = context;
  const hubs = [...settings.hubs.keys()];
  for (const hub of hubs) {
    await alone(context, `a reconcile of the hub ${hub}`, () => startWanted(context, chores, hub));
  }
  const until = new Date(now().getTime() + REPLAY_MS);
  const replayed = await alone(context, 'parked events', () => chores.replayParked(until));
  // Once an hour does.
  if (now().getUTCMinutes() === 0) await alone(context, 'old dead letters', () => chores.dropOldLetters());
  const ended = await alone(context, 'runs that have ended', () => endedRuns(storage));
  for (const hub of hubs) {
    await alone(context, `a refresh of the hub ${hub}`, async () => {
      const isWanted = replayed?.includes(hub) || ended?.has(hub) || (await store.countWanted(hub, 1)) > 0;
      if (isWanted) await chores.startRefresh(hub);
    });
  }
}

async function startWanted({ storage, now, log }: RefreshContext, chores: MirrorChores, hub: string): Promise<void> {
  const wanted = await readWantedReconcile(storage, hub);
  if (wanted === undefined) return;
  const before = now().toISOString();
  const { createdAt } = await chores.startReconcile(hub, wanted.reason);
  // One that began before goes on, and may have seen too little. (The clock of whoever asked may be ahead.)
  if (createdAt < wanted.at && createdAt < before) return;
  log.log('info', `a reconcile of the hub ${hub} has begun: ${wanted.reason}`);
  await dropWantedReconcile(storage, hub, wanted.etag);
}

async function alone<Result>(
  { log }: RefreshContext,
  what: string,
  work: () => Promise<Result>,
): Promise<Result | undefined> {
  try {
    return await work();
  } catch (error) {
    log.log('error', `the mirror leaves ${what} for the next time: ${safeError(error).message}`);
    return undefined;
  }
}
