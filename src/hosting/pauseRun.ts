/**
 * Suspends and resumes runs.
 *
 * Durable Functions suspends one instance, not its children, so each that could go on to the job is suspended by itself.
 * The one that watches a job is left alone: the job runs on the hub whatever happens here, and what is watched can be
 * shown. A suspended run that has nothing on the hub gives up its turn at once.
 */

import { type DurableClient, EntityId } from 'durable-functions';
import { isTerminalStatus } from '../lib/hubJobs/jobStatus.ts';
import { JOB_FIELDS, type ProvisioningContext } from '../lib/provisioning/run/provisionRun.ts';
import type { RunRecord } from '../lib/runKinds.ts';
import { isFinal } from '../lib/runs/runRecord.ts';
import type { LeaveInput } from '../lib/turns/turnQueue.ts';
import { childInstanceId, instanceIdOfRun, RUN_CHILDREN, TURN_ENTITY } from '../orchestrations/instanceIds.ts';
import { liveStatus } from './instances.ts';

export type PauseResult =
  | { readonly status: 'done'; readonly run: RunRecord }
  | { readonly status: 'unknown' }
  | { readonly status: 'ended'; readonly run: RunRecord }
  /** Suspend: it has no orchestration yet. Resume: it is not suspended. */
  | { readonly status: 'refused'; readonly run: RunRecord };

/** Control messages are queued like all others: they take effect within moments, or seconds on a host that idles. */
const EFFECT_MS = 10_000;
const LOOK_MS = 200;

/** Suspends a run; a suspended one stays so. */
export async function suspendRun(
  context: ProvisioningContext,
  client: DurableClient,
  runId: string,
): Promise<PauseResult> {
  const known = await context.runs.read(runId);
  if (known === undefined) return { status: 'unknown' };
  if (isFinal(known.state)) return { status: 'ended', run: known };
  const [parent = '', ...children] = instancesOf(known);
  // The parent first: from then on it starts no further child.
  const suspended = await bring(context, client, parent, 'Suspended');
  if (!suspended) {
    const run = (await context.runs.read(runId)) ?? known;
    return { status: isFinal(run.state) ? 'ended' : 'refused', run };
  }
  for (const child of children) await bring(context, client, child, 'Suspended');
  const run = await context.runs.update(runId, (current) =>
    current.suspendedAt === undefined
      ? { ...withoutPlace(current), suspendedAt: context.now().toISOString() }
      : undefined,
  );
  if (isFinal(run.state)) return { status: 'ended', run };
  const jobs = JOB_FIELDS.map((field) => run[field]);
  if (run.hub !== undefined && jobs.every((job) => job === undefined || isTerminalStatus(job.status))) {
    await client.signalEntity(new EntityId(TURN_ENTITY, run.hub), 'leave', { runId } satisfies LeaveInput);
  }
  return { status: 'done', run };
}

/** Lets a suspended run go on; it takes its place in the queue again, by the time its file was dropped. */
export async function resumeRun(
  context: ProvisioningContext,
  client: DurableClient,
  runId: string,
): Promise<PauseResult> {
  const known = await context.runs.read(runId);
  if (known === undefined) return { status: 'unknown' };
  if (isFinal(known.state)) return { status: 'ended', run: known };
  const before = await liveStatus(client, instanceIdOfRun(runId));
  if (known.suspendedAt === undefined && before !== 'Suspended') return { status: 'refused', run: known };
  // The record first: a step that runs at once must not find itself suspended.
  const run = await context.runs.update(runId, (current) => {
    const { suspendedAt, suspendedMs = 0, ...rest } = current;
    const lastMs = suspendedAt === undefined ? 0 : context.now().getTime() - Date.parse(suspendedAt);
    return { ...withoutPlace(rest), suspendedMs: suspendedMs + lastMs };
  });
  for (const instance of instancesOf(known).reverse()) await bring(context, client, instance, 'Running');
  return { status: isFinal(run.state) ? 'ended' : 'done', run };
}

/** A suspended run stands in no queue; and the time for which it was suspended is no time for which it has waited. */
function withoutPlace(record: RunRecord): RunRecord {
  const { waiting, ...rest } = record;
  return waiting === undefined || waiting.kind === 'turn' ? rest : record;
}

/** The instances of a run that can be paused, the parent first. */
function instancesOf(record: RunRecord): string[] {
  const attempt = record.startClaim?.attempt ?? 1;
  const { runId } = record;
  return [instanceIdOfRun(runId), ...RUN_CHILDREN.map((child) => childInstanceId(runId, child, attempt))];
}

/**
 * Suspends or resumes one instance, and waits for it to take effect: a resume that overtakes its suspend would be lost.
 *
 * @returns false when there is no such instance, or it has ended
 */
async function bring(
  context: ProvisioningContext,
  client: DurableClient,
  instanceId: string,
  wanted: 'Suspended' | 'Running',
): Promise<boolean> {
  const isThere = (status: string) => (status === 'Suspended') === (wanted === 'Suspended');
  const status = await liveStatus(client, instanceId);
  if (status === undefined) return false;
  if (isThere(status)) return true;
  try {
    await (wanted === 'Suspended' ? client.suspend(instanceId, 'asked') : client.resume(instanceId, 'asked'));
  } catch (error) {
    // An instance that is gone meanwhile answers 404, one that is in that state already 500.
    const after = await liveStatus(client, instanceId);
    if (after === undefined) return false;
    if (!isThere(after)) throw error;
  }
  for (const end = Date.now() + EFFECT_MS; Date.now() < end; await context.sleep(LOOK_MS)) {
    const after = await liveStatus(client, instanceId);
    if (after === undefined) return false;
    if (isThere(after)) break;
  }
  return true;
}
