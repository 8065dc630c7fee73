/**
 * Suspends and resumes runs, by their records alone: each step reads its record before it does anything, and the event
 * only wakes a run that waits. So a suspend takes effect once the step that is under way has ended.
 */

import type { DurableClient } from 'durable-functions';

import { pausedRun, resumedRun } from '../lib/runs/pausing.ts';
import type { RunContext } from '../lib/runs/runContext.ts';
import { isFinal, type RunBase } from '../lib/runs/runRecord.ts';
import { instanceIdOfRun, WAKE_EVENT } from '../orchestrations/instanceIds.ts';
import { liveStatus } from './instances.ts';

export type PauseResult =
  | { readonly status: 'done'; readonly run: RunBase }
  | { readonly status: 'unknown' }
  | { readonly status: 'ended'; readonly run: RunBase }
  /** Suspend: it has no orchestration yet. Resume: it is not suspended. */
  | { readonly status: 'refused'; readonly run: RunBase };

/** Suspends a run; a suspended one stays so. */
export async function suspendRun(
  context: RunContext<RunBase>,
  client: DurableClient,
  runId: string,
): Promise<PauseResult> {
  const known = await context.runs.read(runId);
  if (known === undefined) return { status: 'unknown' };
  if (isFinal(known.state)) return { status: 'ended', run: known };
  if ((await liveStatus(client, instanceIdOfRun(runId))) === undefined) {
    const run = (await context.runs.read(runId)) ?? known;
    return { status: isFinal(run.state) ? 'ended' : 'refused', run };
  }
  const run = await context.runs.update(runId, (current) =>
    current.suspendedAt === undefined ? pausedRun(current, context.now()) : undefined,
  );
  await wakeRun(context, client, runId);
  return { status: isFinal(run.state) ? 'ended' : 'done', run };
}

/** Lets a suspended run go on; it takes its place in the queue again, by the time its file was dropped. */
export async function resumeRun(
  context: RunContext<RunBase>,
  client: DurableClient,
  runId: string,
): Promise<PauseResult> {
  const known = await context.runs.read(runId);
  if (known === undefined) return { status: 'unknown' };
  if (isFinal(known.state)) return { status: 'ended', run: known };
  const instanceId = instanceIdOfRun(runId);
  // Somebody may have suspended the instance through the API of Durable Functions: that counts, too.
  const isSuspendedThere = (await liveStatus(client, instanceId)) === 'Suspended';
  if (known.suspendedAt === undefined && !isSuspendedThere) return { status: 'refused', run: known };
  // The record first: a step that runs at once must not find itself suspended.
  const run = await context.runs.update(runId, (current) =>
    current.suspendedAt === undefined && !isSuspendedThere ? undefined : resumedRun(current, context.now()),
  );
  if (isSuspendedThere) await client.resume(instanceId, 'asked');
  await wakeRun(context, client, runId);
  return { status: isFinal(run.state) ? 'ended' : 'done', run };
}

/** Has a run that was cancelled come to its end: one that is suspended, in whatever way, is resumed. */
export async function letRunEnd<Run extends RunBase>(
  context: RunContext<Run>,
  client: DurableClient,
  record: Run,
): Promise<RunBase> {
  const resumed = await resumeRun(context, client, record.runId);
  if (resumed.status === 'unknown') return record;
  if (resumed.status === 'refused') await wakeRun(context, client, record.runId);
  return resumed.run;
}

/** Has a run that waits read its record now. One that cannot be told of it reads it within moments all the same. */
async function wakeRun(context: RunContext<RunBase>, client: DurableClient, runId: string): Promise<void> {
  try {
    await client.raiseEvent(instanceIdOfRun(runId), WAKE_EVENT, {});
  } catch (error) {
    context.log.log('info', `run ${runId} was not woken: ${String(error)}`);
  }
}
