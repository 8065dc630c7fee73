import { startHubJob } from '../../hubJobs/startHubJob.ts';
import { HubError } from '../../registry/index.ts';
import { runErrorOf } from '../../runs/endRun.ts';
import { isSuspended } from '../../runs/runRecord.ts';
import { waitedMs, waitingFor } from '../../runs/waiting.ts';
import { DropChanged } from '../drop/drop.ts';
import type { PlannedJob } from '../job/jobPlans.ts';
import { FIND_MS, JOB_POLICIES } from '../job/jobPolicies.ts';
import { openChecked } from '../job/openChecked.ts';
import { openRun } from '../job/openRun.ts';
import { epochSince } from '../preImage/preImage.ts';
import { findLostImport } from '../recovery/lostImport.ts';
import { surviving } from '../recovery/recovery.ts';
import { isEarlierEpoch } from '../run/epoch.ts';
import { noteJob, PHASE_OF } from '../run/jobNotes.ts';
import { isLostAfterSend, type JobKind, type ProvisioningContext, retryMsOf } from '../run/provisionRun.ts';
import type { OfJob, Results } from './flow.ts';

type StartReply = Results['startJob'];

const STARTED = { status: 'started' } as const;
const ENDED = { status: 'ended' } as const;

/**
 * Starts a job of the run, as the policy of its kind says.
 *
 * `anew`: what the job would read is gone, and nothing was sent: the pre-image has to be taken anew. `ended`: the run has
 * ended, or goes on without this job.
 */
export const startJob = surviving(openAndStart, (how, { kind }): StartReply => {
  if (how !== 'sent') return { status: how };
  // The import is looked for; of what follows it, the next step is asked for once more.
  return isBeforeSend(kind) ? { status: 'wait', seconds: 1 } : ENDED;
});

function isBeforeSend(kind: JobKind): boolean {
  return kind === 'import' || kind === 'export';
}

async function openAndStart(context: ProvisioningContext, input: OfJob): Promise<StartReply> {
  const { runId, kind } = input;
  const known = await openRun(context, runId);
  if (known === undefined) return ENDED;
  // The import was started long ago; of a run that has lost its notes it is looked for, and started by nobody.
  if (kind === 'import' && known.jobs.import !== undefined) return STARTED;
  if (kind === 'import' && isLostAfterSend(known)) return findLostImport(context, known);
  const run = await openChecked(context, runId);
  if (run === undefined) return ENDED;
  const { record } = run;
  // An export is taken anew in each epoch: whether this one was, its state tells.
  if (kind !== 'export' && record.jobs[kind] !== undefined) return STARTED;
  if (!isBeforeSend(kind)) return start({ context, ...run, epoch: undefined }, kind);
  const epoch = await epochSince(context, run, input.epoch);
  if (isEarlierEpoch(input.epoch ?? epoch, epoch)) return ENDED;
  return start({ context, ...run, epoch }, kind);
}

/** It is too late to create the job, and it was not found either. */
class TooLate extends Error {}
/** The run was suspended or cancelled, or has ended, since the step began: the next step finds out what follows. */
class NotNow extends Error {}

async function start(work: PlannedJob, kind: JobKind): Promise<StartReply> {
  const { context, record, epoch } = work;
  const policy = JOB_POLICIES[kind];
  const notStarted = async (why: Parameters<typeof policy.notStarted>[1]): Promise<StartReply> =>
    (await policy.notStarted(work, why)) ? ENDED : { status: 'wait', seconds: 5 };
  const wait = async (
    waiting: { readonly kind: 'busy' | 'trouble'; readonly reason: string },
    seconds: number,
  ): Promise<StartReply> => {
    await waitingFor(context, record.runId, { ...waiting, phase: PHASE_OF[kind] });
    return { status: 'wait', seconds };
  };

  const tooLate = await policy.whyTooLate?.(work);
  if (tooLate !== undefined && (await policy.isUnsent?.(work)) !== false)
    return notStarted({ is: 'tooLate', reason: tooLate });
  const heldUpMs = waitedMs(context, record, policy.counted);
  try {
    const plan = await policy.plan(work);
    const beforeCreate = async (): Promise<void> => {
      if (tooLate !== undefined) throw new TooLate(tooLate);
      await plan.beforeCreate?.();
      const now = await openRun(context, record.runId);
      if (now === undefined || isSuspended(now) || now.cancelRequestedAt !== record.cancelRequestedAt) {
        throw new NotNow();
      }
    };
    const result = await startHubJob(context, record, { ...plan, beforeCreate });
    if (result.status === 'outdated') return ENDED;
    if (result.status === 'closed') return await notStarted({ is: 'closed' });
    if (result.status === 'wait') {
      const { reason, seconds } = result;
      if (heldUpMs < policy.longestBusyMs) return await wait({ kind: 'busy', reason }, seconds);
      return await notStarted({ is: 'busy', reason });
    }
    await noteJob(context, record.runId, kind, kind === 'export' ? { ...result.job, epoch } : result.job);
    return STARTED;
  } catch (error) {
    if (error instanceof NotNow) return { status: 'wait', seconds: 1 };
    if (error instanceof TooLate) return notStarted({ is: 'tooLate', reason: error.message });
    if (error instanceof DropChanged) return notStarted({ is: 'failed', error });
    if (!(error instanceof HubError)) throw error;
    // A create whose fate is not known is looked for, even when no time was given for retries.
    const mostMs = Math.max(
      error.retryable ? Math.max(retryMsOf(record), policy.leastTroubleMs) : 0,
      error.outcomeUnknown ? FIND_MS : 0,
    );
    if (heldUpMs < mostMs) return wait({ kind: 'trouble', reason: runErrorOf(error).message }, 5);
    return notStarted({ is: 'failed', error });
  }
}
