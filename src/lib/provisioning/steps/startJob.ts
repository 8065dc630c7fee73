/**
 * The steps of a run around the jobs of its hub: the pre-image, the export that large ones need, and the import itself.
 * Each is one durable activity, safe to repeat at any moment.
 */

import { readJobState } from '../../hubJobs/jobState.ts';
import { type HubJobPlan, startHubJob } from '../../hubJobs/startHubJob.ts';
import { HubError } from '../../registry/index.ts';
import type { CheckResult } from '../check/checkResult.ts';
import { prepareConfigurations } from '../configurations/prepareConfigurations.ts';
import { DropChanged } from '../drop/drop.ts';
import { importPlan, preImagePlan } from '../job/jobPlans.ts';
import { FIND_MS, startLaterJob } from '../job/laterJobs.ts';
import { endWithoutImport, openChecked } from '../job/openChecked.ts';
import { openRun } from '../job/openRun.ts';
import { filledFor } from '../preImage/filled.ts';
import { epochSince } from '../preImage/preImage.ts';
import { findLostImport } from '../recovery/lostImport.ts';
import { surviving } from '../recovery/recovery.ts';
import { endWithoutJob, runErrorOf } from '../report/endRun.ts';
import { type Epoch, isEarlierEpoch } from '../run/epoch.ts';
import { IMPORT_JOB_BLOB } from '../run/jobBlobs.ts';
import { noteJob, PHASE_OF, waitingFor } from '../run/jobNotes.ts';
import { isLostAfterSend, type ProvisioningContext, type ProvisionRun } from '../run/provisionRun.ts';
import { runError } from '../texts/runErrors.ts';
import type { JobStep } from './stepInputs.ts';

const MINUTE_MS = 60_000;

async function planOf(
  context: ProvisioningContext,
  record: ProvisionRun,
  check: CheckResult,
  kind: 'export' | 'import',
  epoch: Epoch | undefined,
): Promise<HubJobPlan> {
  switch (kind) {
    case 'export':
      if (epoch === undefined) throw new Error(`The run ${record.runId} takes no pre-image.`);
      return preImagePlan(context, record, check, epoch);
    case 'import': {
      if (record.options?.dryRun === true) throw new Error(`The run ${record.runId} is a dry run: it imports nothing.`);
      const filled = await filledFor(context, record, check, epoch);
      const configurationsBlobName = (await prepareConfigurations(context, record, check))?.blobName;
      return importPlan(context, record, check, { ...filled, epoch, configurationsBlobName });
    }
    default: {
      const never: never = kind;
      throw new Error(`unknown kind of job ${String(never)}`);
    }
  }
}

/** The run was cancelled after a create was sent, or may have been; no job of it has come to light so far. */
class CancelledInDoubt extends Error {}

function unlessCancelled(record: ProvisionRun, plan: HubJobPlan): HubJobPlan {
  return {
    ...plan,
    async beforeCreate() {
      if (record.cancelRequestedAt !== undefined) throw new CancelledInDoubt();
      await plan.beforeCreate?.();
    },
  };
}

/** @returns false while the job may still come to light, and then be cancelled */
async function endInDoubt(
  context: ProvisioningContext,
  run: { readonly record: ProvisionRun; readonly check: CheckResult },
): Promise<boolean> {
  const { record } = run;
  const { intent } = (await readJobState(context, record, IMPORT_JOB_BLOB)) ?? {};
  if (intent !== undefined && context.now().getTime() - Date.parse(intent.at) < FIND_MS) {
    const reason = 'the run was cancelled; looking for an import that it may have started';
    await waitingFor(context, record.runId, { kind: 'busy', reason, phase: PHASE_OF.import });
    return false;
  }
  return endWithoutImport(context, run, { state: 'cancelled', error: runError('cancelled:inDoubt') });
}

type StartReply =
  | { readonly status: 'started' | 'anew' | 'ended' }
  | { readonly status: 'wait'; readonly seconds: number };

/** `anew`: what the job would read is gone, and nothing was sent: the pre-image has to be taken anew. */
export async function startJob(context: ProvisioningContext, input: JobStep): Promise<StartReply> {
  return surviving(
    context,
    input.runId,
    () => tryStartJob(context, input),
    (how) => {
      if (how !== 'sent') return { status: how };
      // The import is looked for; of what follows it, the next step is asked for once more.
      return input.kind === 'import' || input.kind === 'export' ? { status: 'wait', seconds: 1 } : { status: 'ended' };
    },
  );
}

async function tryStartJob(context: ProvisioningContext, input: JobStep): Promise<StartReply> {
  const { runId, kind } = input;
  const known = await openRun(context, runId);
  if (known === undefined) return { status: 'ended' };
  // The import was started long ago; of a run that has lost its notes it is looked for, and started by nobody.
  if (kind === 'import' && known.jobs.import !== undefined) return { status: 'started' };
  if (kind === 'import' && isLostAfterSend(known)) return findLostImport(context, known);
  const run = await openChecked(context, runId);
  if (run === undefined) return { status: 'ended' };
  if (kind !== 'export' && kind !== 'import') return startLaterJob(context, run, kind);
  const { record, check } = run;
  // Its orchestrations are suspended one by one: one that was about to start may get here all the same.
  if (record.suspendedAt !== undefined && record.jobs[kind] === undefined) return { status: 'wait', seconds: 30 };
  const epoch = await epochSince(context, run, input.epoch);
  if (isEarlierEpoch(input.epoch ?? epoch, epoch)) return { status: 'ended' };
  try {
    const plan = await planOf(context, record, check, kind, epoch);
    const result = await startHubJob(context, record, kind === 'import' ? unlessCancelled(record, plan) : plan);
    if (result.status === 'outdated') return { status: 'ended' };
    if (result.status === 'wait') {
      await waitingFor(context, runId, { kind: 'busy', reason: result.reason, phase: PHASE_OF[kind] });
      return { status: 'wait', seconds: result.seconds };
    }
    if (result.status === 'closed') {
      // An attempt before this one gave up, and died before it could say so.
      await endWithoutJob(context, runId, { state: 'failed', error: runError('startGivenUp'), check });
      return { status: 'ended' };
    }
    await noteJob(context, runId, kind, kind === 'export' ? { ...result.job, epoch } : result.job);
    return { status: 'started' };
  } catch (error) {
    const again = { status: 'wait', seconds: 5 } as const;
    if (error instanceof CancelledInDoubt) return (await endInDoubt(context, run)) ? { status: 'ended' } : again;
    if (error instanceof DropChanged) {
      const ended = await endWithoutImport(context, run, { state: 'refused', error: runErrorOf(error) });
      return ended ? { status: 'ended' } : again;
    }
    if (!(error instanceof HubError)) throw error;
    const reason = runErrorOf(error).message;
    const troubledMs =
      record.waiting?.kind === 'trouble' ? context.now().getTime() - Date.parse(record.waiting.since) : 0;
    const retryMs = (record.options?.retryMinutes ?? 0) * MINUTE_MS;
    // A create whose fate is not known is looked for, even when no time was given for trying again.
    if ((error.retryable && troubledMs < retryMs) || (error.outcomeUnknown && troubledMs < FIND_MS)) {
      await waitingFor(context, runId, { kind: 'trouble', reason, phase: PHASE_OF[kind] });
      return again;
    }
    const ended = await endWithoutImport(context, run, { state: 'failed', error: runErrorOf(error) });
    return ended ? { status: 'ended' } : again;
  }
}
