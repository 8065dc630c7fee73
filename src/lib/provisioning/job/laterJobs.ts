/**
 * The jobs that follow the import of a run: a second import, and the exports by which lines are read back or devices
 * linked. Each may be given up, but none ends the run.
 */

import { closeHubJob } from '../../hubJobs/jobState.ts';
import { type HubJobPlan, startHubJob } from '../../hubJobs/startHubJob.ts';
import { HubError } from '../../registry/index.ts';
import { StagingLost } from '../../runs/stagingLost.ts';
import { parentsExport } from '../again/parentLinks.ts';
import { changeRounds, isTimeOver, ROUNDS_BLOB, type RoundsState, readRounds } from '../again/rounds.ts';
import type { CheckResult } from '../check/checkResult.ts';
import { runErrorOf } from '../report/endRun.ts';
import { RETRY_JOB_BLOB } from '../run/jobBlobs.ts';
import { noteJob, PHASE_OF, waitingFor } from '../run/jobNotes.ts';
import type { JobKind, ProvisioningContext, ProvisionRun } from '../run/provisionRun.ts';
import { parentsPlan, retryPlan, verifyPlan } from './jobPlans.ts';

const MINUTE_MS = 60_000;
/** How long a job whose create had an unclear end is looked for at least. */
export const FIND_MS = 2 * MINUTE_MS;

async function plannedOf(context: ProvisioningContext, record: ProvisionRun): Promise<RoundsState> {
  const rounds = await readRounds(context, record);
  if (rounds === undefined) throw new StagingLost(record.runId, ROUNDS_BLOB);
  return rounds.value;
}

export type LaterJob = Exclude<JobKind, 'export' | 'import'>;

/** How long a job that comes after the import is waited for while the hub does something else. */
const LONGEST_BUSY_MS = 2 * 60 * MINUTE_MS;

/** A job that comes after the import: what it was to do is not done then, and the report says so. */
async function giveUp(
  context: ProvisioningContext,
  record: ProvisionRun,
  kind: LaterJob,
  reason: string,
): Promise<void> {
  context.log.log('warn', `the ${kind} job was given up: ${reason}`);
  // A create may have been sent whose fate nobody knows: then its lines may have been applied.
  const isClosed = kind !== 'retry' || (await closeHubJob(context, record, RETRY_JOB_BLOB)) === 'closed';
  await changeRounds(context, record, (state) => {
    if (kind === 'retry' && state.secondJob?.state === 'due') {
      return {
        ...state,
        secondJob: { ...state.secondJob, state: 'givenUp', ...(isClosed ? {} : { mayHaveRun: true }) },
      };
    }
    if (kind === 'verify' && state.verification?.state === 'due') {
      return { ...state, verification: { ...state.verification, state: 'givenUp' } };
    }
    if (kind === 'parents' && state.parents?.state === 'due') {
      return { ...state, parents: { ...state.parents, state: 'givenUp' } };
    }
    return undefined;
  });
  // The next job has its own time.
  await context.runs.update(record.runId, (current) => {
    const { waiting, ...rest } = current;
    return waiting === undefined ? undefined : rest;
  });
}

/** Why a job that comes after the import is not started any more. */
class TooLate extends Error {}

/** Why it is too late to start a job; undefined when it may be started. What was done is read back at any time. */
async function whyTooLate(
  context: ProvisioningContext,
  record: ProvisionRun,
  kind: LaterJob,
): Promise<string | undefined> {
  if (kind === 'verify') return undefined;
  if (record.cancelRequestedAt !== undefined) return 'the run was cancelled';
  if (kind !== 'retry') return undefined;
  return isTimeOver(context, record, await plannedOf(context, record)) ? 'the time for retries is over' : undefined;
}

async function planOf(
  context: ProvisioningContext,
  record: ProvisionRun,
  check: CheckResult,
  kind: LaterJob,
): Promise<HubJobPlan> {
  const { secondJob, verification, parents } = await plannedOf(context, record);
  if (kind === 'retry' && secondJob !== undefined) return retryPlan(context, record, secondJob);
  if (kind === 'verify' && verification !== undefined) return verifyPlan(context, record, check, verification);
  if (kind === 'parents' && parents !== undefined) {
    return parentsPlan(context, record, check, parentsExport(parents));
  }
  throw new Error(`The run ${record.runId} has not planned a ${kind} job.`);
}

/** Starts a job that comes after the import. It may be given up, but it never ends the run. */
export async function startLaterJob(
  context: ProvisioningContext,
  run: { readonly record: ProvisionRun; readonly check: CheckResult },
  kind: LaterJob,
): Promise<{ readonly status: 'started' | 'ended' } | { readonly status: 'wait'; readonly seconds: number }> {
  const { record, check } = run;
  if (record.jobs[kind] !== undefined) return { status: 'started' };
  if (record.suspendedAt !== undefined) return { status: 'wait', seconds: 30 };
  const tooLate = await whyTooLate(context, record, kind);
  // One that was sent, or may have been, is looked for all the same.
  if (
    tooLate !== undefined &&
    (kind !== 'retry' || (await closeHubJob(context, record, RETRY_JOB_BLOB)) === 'closed')
  ) {
    await giveUp(context, record, kind, tooLate);
    return { status: 'ended' };
  }
  const { waiting } = record;
  // For its turn it may have waited for long before that.
  const isFirst = waiting === undefined || waiting.kind === 'turn';
  const waitedMs = isFirst ? 0 : context.now().getTime() - Date.parse(waiting.since);
  const retryMs = (record.options?.retryMinutes ?? 0) * MINUTE_MS;
  try {
    const plan = await planOf(context, record, check, kind);
    const beforeCreate = async (): Promise<void> => {
      if (tooLate !== undefined) throw new TooLate(tooLate);
      await plan.beforeCreate?.();
    };
    const result = await startHubJob(context, record, { ...plan, beforeCreate });
    if (result.status === 'started') {
      await noteJob(context, record.runId, kind, result.job);
      return { status: 'started' };
    }
    if (result.status === 'wait' && waitedMs < LONGEST_BUSY_MS) {
      await waitingFor(context, record.runId, { kind: 'busy', reason: result.reason, phase: PHASE_OF[kind] });
      return { status: 'wait', seconds: result.seconds };
    }
    await giveUp(context, record, kind, result.status === 'wait' ? result.reason : 'it was closed');
  } catch (error) {
    if (error instanceof TooLate) {
      await giveUp(context, record, kind, error.message);
      return { status: 'ended' };
    }
    if (!(error instanceof HubError)) throw error;
    const reason = runErrorOf(error).message;
    if ((error.retryable && waitedMs < Math.max(retryMs, FIND_MS)) || (error.outcomeUnknown && waitedMs < FIND_MS)) {
      await waitingFor(context, record.runId, { kind: 'trouble', reason, phase: PHASE_OF[kind] });
      return { status: 'wait', seconds: 5 };
    }
    await giveUp(context, record, kind, reason);
  }
  return { status: 'ended' };
}
