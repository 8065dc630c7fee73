/** Hands what finished runs have touched to the queue: in portions, and each of them as often as it takes. */

import { safeError } from '../../redact.ts';
import { wantReconcile } from '../notes/wantedReconcile.ts';
import { StoreUnavailable } from '../store/mirrorStore.ts';
import { dropEndedRun, type EndedRun, endedRuns, movePosition, readEndedRun } from './endedRuns.ts';
import { queueTouched } from './queueTouched.ts';
import type { RefreshContext } from './refreshContext.ts';
import { type Touched, touchedBy } from './touched.ts';

/** In each bucket of the store some. */
const LINES_AT_ONCE = 1_000;
const LONGEST_MS = 10_000;

/**
 * @returns false: the time was up, and there is more to hand over
 * @throws StoreUnavailable
 */
export async function handOverRuns(context: RefreshContext, hub: string): Promise<boolean> {
  const until = context.now().getTime() + LONGEST_MS;
  for (const runId of (await endedRuns(context.storage)).get(hub) ?? []) {
    if (context.now().getTime() >= until) return false;
    if (!(await handOverOne(context, hub, runId, until))) return false;
  }
  return true;
}

/** What is wrong with one run holds up no other, and no row that waits: its note stays, and it is tried at the next look. */
async function handOverOne(context: RefreshContext, hub: string, runId: string, until: number): Promise<boolean> {
  try {
    const note = await readEndedRun(context.storage, runId);
    return note === undefined || (await handOver(context, hub, note, until));
  } catch (error) {
    if (error instanceof StoreUnavailable) throw error;
    context.log.log('error', `the run ${runId} is not handed over to the mirror yet: ${safeError(error).message}`);
    return true;
  }
}

/** @returns false: the time was up */
async function handOver(context: RefreshContext, hub: string, note: EndedRun, until: number): Promise<boolean> {
  const { storage, now, log } = context;
  const { runId } = note;
  const found = await touchedBy(context, runId);
  if ('waits' in found) return true;
  if ('items' in found) return queueAll(context, hub, note, { ...found, until });
  if ('reconcile' in found) {
    await wantReconcile(storage, { hub, reason: found.reconcile, at: now().toISOString() });
    log.log('info', `the run ${runId} is handed over by a reconcile: ${found.reconcile}`);
  } else {
    log.log('info', `the run ${runId} hands nothing over to the mirror: ${found.nothing}`);
  }
  await dropEndedRun(storage, note);
  return true;
}

interface ToQueue {
  readonly items: AsyncIterable<Touched>;
  readonly doneAt: Date;
  readonly until: number;
}

async function queueAll(
  context: RefreshContext,
  hub: string,
  first: EndedRun,
  { items, doneAt, until }: ToQueue,
): Promise<boolean> {
  const { storage, now, log } = context;
  const { runId } = first;
  let note = first;
  let at = 0;
  let batch: Touched[] = [];
  const queue = async (): Promise<boolean> => {
    await queueTouched(context, hub, batch, { runId, doneAt });
    batch = [];
    const moved = await movePosition(storage, note, at, hub);
    note = moved ?? note;
    return moved !== undefined;
  };
  for await (const item of items) {
    at += 1;
    if (at <= first.position) continue;
    batch.push(item);
    if (batch.length < LINES_AT_ONCE) continue;
    // Somebody else is at it, and sees it through.
    if (!(await queue())) return true;
    if (now().getTime() >= until) return false;
  }
  await queueTouched(context, hub, batch, { runId, doneAt });
  await dropEndedRun(storage, note);
  log.log('info', `the run ${runId} has handed ${at} identities over to the mirror`);
  return true;
}
