/**
 * The steps of a run around the jobs of its hub: the pre-image, the export that large ones need, and the import itself.
 * Each is one durable activity, safe to repeat at any moment.
 */

import {
  cancelHubJob,
  closeHubJob,
  type HubJobPlan,
  isOver,
  isOverdue,
  isTerminalStatus,
  openPreImageRound,
  readHubJob,
  readJobState,
  startHubJob,
} from '../../hubJobs/hubJob.ts';
import { HubError } from '../../registry/index.ts';
import type { ProvisioningContext } from '../../runs/runContext.ts';
import {
  endsReadingBack,
  isLostAfterSend,
  isSent,
  type JobKind,
  type RunError,
  type RunJob,
  type RunRecord,
  type RunState,
} from '../../runs/runRecord.ts';
import { StagingLost } from '../../runs/stagingLost.ts';
import {
  CHECK_BLOB,
  type CheckResult,
  checkOf,
  exportJobBlob,
  type FillManifest,
  IMPORT_JOB_BLOB,
  type PreImageManifest,
  stagingOf,
} from '../check/staging.ts';
import { prepareConfigurations } from '../configurations/prepareConfigurations.ts';
import { DropChanged } from '../drop/drop.ts';
import { FIELD_OF, noteJob, PHASE_OF, waitingFor } from '../job/jobNotes.ts';
import { importPlan, preImagePlan } from '../job/jobPlans.ts';
import { FIND_MS, startLaterJob } from '../job/laterJobs.ts';
import { endUnconfirmed, endWithoutJob, runErrorOf } from '../outcome/endRun.ts';
import { fillMissing } from '../preImage/fillMissing.ts';
import { exportBlobName, keepManifest, latestRound, preImageWay, readPreImage } from '../preImage/preImage.ts';
import { isEarlierRound, type PreImageRound } from '../preImage/preImageRound.ts';
import { stopDanger } from '../preImage/stopDanger.ts';
import { areLinesGone, checkedOf } from '../recovery/checkAgain.ts';
import { findLostImport } from '../recovery/lostImport.ts';
import { type Recovered, surviving } from '../recovery/recovery.ts';
import { endCancelled, openRun } from './runSteps.ts';

const MINUTE_MS = 60_000;

interface Step {
  readonly runId: string;
}

/** A step of one round of the pre-image; the work of a round that is over goes no further. */
interface RoundStep extends Step {
  readonly round: PreImageRound;
}

interface JobStep extends Step {
  readonly kind: JobKind;
  /** Of the pre-image that the export takes, or that the import was filled from. Default: the latest. */
  readonly round?: PreImageRound;
}

/** The record and check of a run that has been checked and has not ended; a cancel that was asked for ends it here. */
export async function openChecked(
  context: ProvisioningContext,
  runId: string,
): Promise<{ readonly record: RunRecord; readonly check: CheckResult } | undefined> {
  const record = await openRun(context, runId);
  if (record === undefined) return undefined;
  const check = await checkOfOpen(context, record);
  if (check === undefined) return undefined;
  if (record.cancelRequestedAt !== undefined && record.job === undefined) {
    // Once a job was started, or may have been, the run goes on until the job is found, and cancels that.
    if ((await closeHubJob(context, record, IMPORT_JOB_BLOB)) === 'closed') {
      // An attempt beside this one may have started the export: nobody would end it, and it keeps the hub from all others.
      const { exportJob } = record;
      if (exportJob !== undefined && !isTerminalStatus(exportJob.status)) {
        await tryToCancel(context, record, exportJob.jobId);
      }
      await endCancelled(context, runId, check);
      return undefined;
    }
  }
  return { record, check };
}

/** The check of the run; made again if it is gone and nothing was sent. Undefined when that ends the run. */
async function checkOfOpen(context: ProvisioningContext, record: RunRecord): Promise<CheckResult | undefined> {
  const { runId } = record;
  const known = await checkOf(context, runId);
  if (known !== undefined) return known;
  if (record.check === undefined) throw new Error(`The run ${runId} has not been checked.`);
  if (isSent(record)) throw new StagingLost(runId, CHECK_BLOB);
  try {
    const check = await checkedOf(context, record);
    if (check.refused === undefined) return check;
    await endWithoutJob(context, runId, { state: 'refused', error: check.refused, check });
  } catch (error) {
    if (!areLinesGone(error)) throw error;
    await endWithoutJob(context, runId, { state: 'refused', error: runErrorOf(error) });
  }
  return undefined;
}

/**
 * Ends a run that could not start its job. If a create was sent and its fate is not known, no line may be called not
 * sent: then the lines are unconfirmed.
 *
 * @returns false when a job was started after all, or another attempt is at it: the run must go on
 */
async function endWithoutImport(
  context: ProvisioningContext,
  run: { readonly record: RunRecord; readonly check: CheckResult },
  ending: { readonly state: RunState; readonly error: RunError },
): Promise<boolean> {
  const { record, check } = run;
  const gate = await closeHubJob(context, record, IMPORT_JOB_BLOB);
  if (gate === 'closed') {
    await endWithoutJob(context, record.runId, { ...ending, check });
    return true;
  }
  if (gate === 'busy' || (await importJobStarted(context, record))) return false;
  // What the error says to do may rest on nothing having been sent.
  const action = 'A job may have been started: look at its devices in the hub, then drop the file again.';
  const error = ending.state === 'refused' ? { ...ending.error, action } : ending.error;
  await endUnconfirmed(context, record.runId, { ...ending, error, check });
  return true;
}

async function importJobStarted(context: ProvisioningContext, record: RunRecord): Promise<boolean> {
  return (await readJobState(context, record, IMPORT_JOB_BLOB))?.job !== undefined;
}

/**
 * The same, for a step that comes after the pre-image of the round `asked`.
 *
 * @throws StagingLost
 */
async function roundSince(
  context: ProvisioningContext,
  { record, check }: { readonly record: RunRecord; readonly check: CheckResult },
  asked: PreImageRound | undefined,
): Promise<PreImageRound | undefined> {
  const round = await latestRound(context, record);
  if (round === undefined && asked !== undefined && preImageWay(check, record.options) !== 'none') {
    throw new StagingLost(record.runId, IMPORT_JOB_BLOB);
  }
  return round;
}

/**
 * Reads what the run may overwrite or delete, where that can be done one by one; else says that an export is needed. An
 * import that was sent already, or may have been, keeps the pre-image that it was filled from.
 */
export async function takePreImage(
  context: ProvisioningContext,
  input: RoundStep,
): Promise<{ readonly status: 'ready' | 'export' | 'anew' | 'ended' }> {
  return surviving(context, input.runId, () => tryTakePreImage(context, input), preparedAfter);
}

/** Of a run that has sent its import nothing is prepared any more; the start of the job finds it. */
function preparedAfter(how: Recovered): { readonly status: 'ready' | 'anew' | 'ended' } {
  return { status: how === 'sent' ? 'ready' : how };
}

async function tryTakePreImage(
  context: ProvisioningContext,
  input: RoundStep,
): Promise<{ readonly status: 'ready' | 'export' | 'ended' }> {
  const run = await openChecked(context, input.runId);
  if (run === undefined) return { status: 'ended' };
  const { record, check } = run;
  const way = preImageWay(check, record.options);
  if (way === 'none') return { status: 'ready' };
  const opened = await openPreImageRound(context, record, input.round);
  if (opened === 'busy') throw new Error('An earlier attempt to start the job may still be under way.');
  if (opened === 'outdated') return { status: 'ended' };
  if (opened === 'sent') return { status: 'ready' };
  await context.runs.update(input.runId, (current) => ({ ...current, phase: 'preImage' }));
  try {
    const preImage = way === 'export' ? 'export' : await readPreImage(context, record, check, input.round);
    if (preImage === 'export') return { status: 'export' };
    await notePreImage(context, input, preImage);
    return { status: 'ready' };
  } catch (error) {
    if (!(error instanceof HubError) || error.retryable) throw error;
    await endWithoutJob(context, input.runId, { state: 'failed', error: runErrorOf(error), check });
    return { status: 'ended' };
  }
}

/** Takes over what the export wrote as the pre-image. Without it nothing is sent: what cannot be put back is not changed. */
export async function finishPreImage(
  context: ProvisioningContext,
  input: RoundStep,
): Promise<{ readonly status: 'ready' | 'wait' | 'anew' | 'ended' }> {
  return surviving(context, input.runId, () => tryFinishPreImage(context, input), preparedAfter);
}

async function tryFinishPreImage(
  context: ProvisioningContext,
  input: RoundStep,
): Promise<{ readonly status: 'ready' | 'wait' | 'ended' }> {
  const run = await openChecked(context, input.runId);
  if (run === undefined) return { status: 'ended' };
  const { record, check } = run;
  const { round } = input;
  if (isEarlierRound(round, await roundSince(context, run, round))) return { status: 'ended' };
  const job = record.exportJob?.round === round ? record.exportJob : undefined;
  // Whoever watched the export may have been lost.
  if (job !== undefined && !(await isOver(context, record, job))) return { status: 'wait' };
  const blobName = exportBlobName(check, round);
  const status = job?.status.toLowerCase();
  // The container of an export that was deleted under it: what it wrote is gone, or it could not write at all.
  if (job !== undefined && (await readJobState(context, record, exportJobBlob(round)))?.job === undefined) {
    throw new StagingLost(input.runId, exportJobBlob(round));
  }
  const isThere = await stagingOf(context, input.runId).getBlockBlobClient(blobName).exists();
  // Once; a hub that completes an export and writes nothing would do so for ever.
  if (status === 'completed' && !isThere && record.stagingLost === undefined) {
    throw new StagingLost(input.runId, blobName);
  }
  if (status !== 'completed' || !isThere) {
    await endWithoutJob(context, input.runId, {
      state: 'failed',
      check,
      error: {
        code: 'preImageFailed',
        message: `What the file would overwrite could not be read from the hub: the export job ended as "${status ?? 'unknown'}".`,
        action: 'Nothing was sent to the hub. Drop the file again; if it happens again, look at the jobs of the hub.',
      },
    });
    return { status: 'ended' };
  }
  await notePreImage(context, input, await keepManifest(context, record, round, { blobName, way: 'export' }));
  return { status: 'ready' };
}

async function notePreImage(
  context: ProvisioningContext,
  { runId, round }: RoundStep,
  manifest: PreImageManifest,
): Promise<void> {
  const { blobName, identities } = manifest;
  const preImage = {
    container: stagingOf(context, runId).containerName,
    blobName,
    ...(identities === undefined ? {} : { identities }),
    round,
  };
  await context.runs.update(runId, (current) =>
    // Nothing can be undone from that of a dry run: it is staging like the rest.
    current.options?.dryRun === true || isEarlierRound(round, current.preImage?.round)
      ? undefined
      : { ...current, preImage },
  );
}

/** Stops a file that deletes much unconfirmed; else fills in what its lines leave out and their devices have. */
export async function fillLines(
  context: ProvisioningContext,
  input: RoundStep,
): Promise<{ readonly status: 'ready' | 'anew' | 'ended' }> {
  return surviving(context, input.runId, () => tryFillLines(context, input), preparedAfter);
}

async function tryFillLines(
  context: ProvisioningContext,
  input: RoundStep,
): Promise<{ readonly status: 'ready' | 'ended' }> {
  const run = await openChecked(context, input.runId);
  if (run === undefined) return { status: 'ended' };
  const latest = await roundSince(context, run, input.round);
  if (isEarlierRound(input.round, latest)) return { status: 'ended' };
  if (latest !== undefined && (await stopDanger(context, run, latest))) return { status: 'ended' };
  const { kept } = await filledFor(context, run.record, run.check, latest);
  if (kept !== undefined) await context.runs.update(input.runId, (current) => ({ ...current, kept }));
  return { status: 'ready' };
}

/** The name of the blob that the import job reads, or has read. */
export async function inputOf(context: ProvisioningContext, record: RunRecord, check: CheckResult): Promise<string> {
  return (await filledFor(context, record, check, await latestRound(context, record))).blobName;
}

async function filledFor(
  context: ProvisioningContext,
  record: RunRecord,
  check: CheckResult,
  round: PreImageRound | undefined,
): Promise<FillManifest> {
  if (record.options === undefined) throw new Error(`The run ${record.runId} has no options.`);
  return fillMissing(context, record, check, record.options, round);
}

async function planOf(
  context: ProvisioningContext,
  record: RunRecord,
  check: CheckResult,
  kind: 'export' | 'import',
  round: PreImageRound | undefined,
): Promise<HubJobPlan> {
  switch (kind) {
    case 'export':
      if (round === undefined) throw new Error(`The run ${record.runId} takes no pre-image.`);
      return preImagePlan(context, record, check, round);
    case 'import': {
      if (record.options?.dryRun === true) throw new Error(`The run ${record.runId} is a dry run: it imports nothing.`);
      const filled = await filledFor(context, record, check, round);
      const configurationsBlobName = (await prepareConfigurations(context, record, check))?.blobName;
      return importPlan(context, record, check, { ...filled, round, configurationsBlobName });
    }
    default: {
      const never: never = kind;
      throw new Error(`unknown kind of job ${String(never)}`);
    }
  }
}

/** The run was cancelled after a create was sent, or may have been; no job of it has come to light so far. */
class CancelledInDoubt extends Error {}

function unlessCancelled(record: RunRecord, plan: HubJobPlan): HubJobPlan {
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
  run: { readonly record: RunRecord; readonly check: CheckResult },
): Promise<boolean> {
  const { record } = run;
  const { intent } = (await readJobState(context, record, IMPORT_JOB_BLOB)) ?? {};
  if (intent !== undefined && context.now().getTime() - Date.parse(intent.at) < FIND_MS) {
    const reason = 'the run was cancelled; an import that it may have started is looked for';
    await waitingFor(context, record.runId, { kind: 'busy', reason, phase: PHASE_OF.import });
    return false;
  }
  const message = 'The run was cancelled while its import job was being started; the hub shows no such job.';
  return endWithoutImport(context, run, { state: 'cancelled', error: { code: 'cancelled', message } });
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
  if (kind === 'import' && known.job !== undefined) return { status: 'started' };
  if (kind === 'import' && isLostAfterSend(known)) return findLostImport(context, known);
  const run = await openChecked(context, runId);
  if (run === undefined) return { status: 'ended' };
  if (kind !== 'export' && kind !== 'import') return startLaterJob(context, run, kind);
  const { record, check } = run;
  // Its orchestrations are suspended one by one: one that was about to start may get here all the same.
  if (record.suspendedAt !== undefined && record[FIELD_OF[kind]] === undefined) return { status: 'wait', seconds: 30 };
  const round = await roundSince(context, run, input.round);
  if (isEarlierRound(input.round ?? round, round)) return { status: 'ended' };
  try {
    const plan = await planOf(context, record, check, kind, round);
    const result = await startHubJob(context, record, kind === 'import' ? unlessCancelled(record, plan) : plan);
    if (result.status === 'outdated') return { status: 'ended' };
    if (result.status === 'wait') {
      await waitingFor(context, runId, { kind: 'busy', reason: result.reason, phase: PHASE_OF[kind] });
      return { status: 'wait', seconds: result.seconds };
    }
    if (result.status === 'closed') {
      // An attempt before this one gave up, and died before it could say so.
      const error = { code: 'startGivenUp', message: 'The job could not be started, and nothing was sent to the hub.' };
      await endWithoutJob(context, runId, { state: 'failed', error, check });
      return { status: 'ended' };
    }
    await noteJob(context, runId, kind, kind === 'export' ? { ...result.job, round } : result.job);
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

export async function watchJob(
  context: ProvisioningContext,
  input: JobStep,
): Promise<{ readonly ended: boolean; readonly progress?: number }> {
  const { runId, kind } = input;
  const field = FIELD_OF[kind];
  const record = await openRun(context, runId);
  const known = record?.[field];
  if (record === undefined || known === undefined) return { ended: true };
  if (kind === 'export' && input.round !== undefined && known.round !== input.round) return { ended: true };
  if (isTerminalStatus(known.status)) return { ended: true };

  const overdue = isOverdue(context, known);
  try {
    // The event wakes the orchestration at once; this finds a cancel whose event was lost.
    // Of a cancelled run, too, it is read back what was done: that export goes on, unless it is what was cancelled.
    const isUnwanted = record.cancelRequestedAt !== undefined && (kind !== 'verify' || endsReadingBack(record));
    // A job that may be somebody else's is not ours to cancel.
    if ((isUnwanted || overdue) && !known.mayBeForeign) await tryToCancel(context, record, known.jobId);
    const job = await readHubJob(context, record, known.jobId);
    await context.runs.update(runId, (current) => {
      const { waiting: _waiting, ...rest } = current;
      const seen: RunJob = {
        ...known,
        status: job?.status ?? 'unknown',
        progress: job?.progress ?? known.progress,
        ...(job?.failureReason === undefined ? {} : { failureReason: job.failureReason }),
      };
      const before = current[field];
      if (before?.jobId !== known.jobId) return undefined;
      const same = current.waiting === undefined && before?.status === seen.status && before.progress === seen.progress;
      return same ? undefined : { ...rest, [field]: seen };
    });
    // A job that the hub does not know any more will not change again.
    if (job === undefined || isTerminalStatus(job.status) || overdue) return { ended: true };
    return { ended: false, ...(job.progress === undefined ? {} : { progress: job.progress }) };
  } catch (error) {
    if (!(error instanceof HubError)) throw error;
    await waitingFor(context, runId, { kind: 'trouble', reason: runErrorOf(error).message });
    return { ended: overdue };
  }
}

export async function cancelJob(context: ProvisioningContext, input: Step): Promise<{ readonly asked: boolean }> {
  const record = await openRun(context, input.runId);
  if (record?.job === undefined || record.job.mayBeForeign) return { asked: false };
  return { asked: await tryToCancel(context, record, record.job.jobId) };
}

/** A hub that will not cancel is no reason to lose the run: the job is watched on, and asked again. */
async function tryToCancel(context: ProvisioningContext, record: RunRecord, jobId: string): Promise<boolean> {
  try {
    return await cancelHubJob(context, record, jobId);
  } catch (error) {
    if (!(error instanceof HubError)) throw error;
    context.log.log('warn', `the hub does not cancel job ${jobId}: ${runErrorOf(error).message}`);
    return false;
  }
}
