import { cancelHubJob } from '../../hubJobs/hubJob.ts';
import { isTerminalStatus } from '../../hubJobs/jobStatus.ts';
import { HubError } from '../../registry/hubError.ts';
import { runErrorOf } from '../../runs/endRun.ts';
import type { RunError, RunState } from '../../runs/runRecord.ts';
import { StagingLost } from '../../runs/stagingLost.ts';
import { areLinesGone } from '../check/checkAgain.ts';
import { checkDrop } from '../check/checkDrop.ts';
import { CHECK_BLOB, type CheckResult, checkOf } from '../check/checkResult.ts';
import { endUnconfirmed, endWithoutJob } from '../report/endRun.ts';
import { closeImportJob, importJobStarted } from '../run/importNotes.ts';
import { isSent, type ProvisioningContext, type ProvisionRun } from '../run/provisionRun.ts';
import { LOOK_BEFORE_DROPPING } from '../texts/runErrors.ts';
import { CANCELLED, openRun } from './openRun.ts';

/**
 * Ends a run that could not start its job. If a create was sent and its fate is not known, no line may be called not
 * sent: then the lines are unconfirmed.
 *
 * @returns false when a job was started after all, or another attempt is at it: the run must go on
 */
export async function endWithoutImport(
  context: ProvisioningContext,
  run: { readonly record: ProvisionRun; readonly check: CheckResult },
  ending: { readonly state: RunState; readonly error: RunError },
): Promise<boolean> {
  const { record, check } = run;
  const gate = await closeImportJob(context, record);
  if (gate === 'closed') {
    await endWithoutJob(context, record.runId, { ...ending, check });
    return true;
  }
  if (gate === 'busy' || (await importJobStarted(context, record))) return false;
  // What the error says to do may rest on nothing having been sent.
  const error = ending.state === 'refused' ? { ...ending.error, action: LOOK_BEFORE_DROPPING } : ending.error;
  await endUnconfirmed(context, record.runId, { ...ending, error, check });
  return true;
}

/** A hub that will not cancel is no reason to lose the run: the job is watched on, and asked again. */
export async function tryToCancel(context: ProvisioningContext, record: ProvisionRun, jobId: string): Promise<boolean> {
  try {
    return await cancelHubJob(context, record, jobId);
  } catch (error) {
    if (!(error instanceof HubError)) throw error;
    context.log.log('warn', `the hub does not cancel job ${jobId}: ${runErrorOf(error).message}`);
    return false;
  }
}

/** The check of the run; made again if it is gone and nothing was sent. Undefined when that ends the run. */
async function checkOfOpen(context: ProvisioningContext, record: ProvisionRun): Promise<CheckResult | undefined> {
  const { runId } = record;
  const known = await checkOf(context, runId);
  if (known !== undefined) return known;
  if (record.check === undefined) throw new Error(`The run ${runId} has not been checked.`);
  if (isSent(record)) throw new StagingLost(runId, CHECK_BLOB);
  try {
    const check = await checkDrop(context, record);
    if (check.refused === undefined) return check;
    await endWithoutJob(context, runId, { state: 'refused', error: check.refused, check });
  } catch (error) {
    if (!areLinesGone(error)) throw error;
    await endWithoutJob(context, runId, { state: 'refused', error: runErrorOf(error) });
  }
  return undefined;
}

/** The record and check of a run that has been checked and has not ended; a cancel that was asked for ends it here. */
export async function openChecked(
  context: ProvisioningContext,
  runId: string,
): Promise<{ readonly record: ProvisionRun; readonly check: CheckResult } | undefined> {
  const record = await openRun(context, runId);
  if (record === undefined) return undefined;
  const check = await checkOfOpen(context, record);
  if (check === undefined) return undefined;
  if (record.cancelRequestedAt !== undefined && record.jobs.import === undefined) {
    // Once a job was started, or may have been, the run goes on until the job is found, and cancels that.
    if ((await closeImportJob(context, record)) === 'closed') {
      // An attempt beside this one may have started the export: nobody would end it, and it keeps the hub from all others.
      const exportJob = record.jobs.export;
      if (exportJob !== undefined && !isTerminalStatus(exportJob.status)) {
        await tryToCancel(context, record, exportJob.jobId);
      }
      await endWithoutJob(context, runId, { ...CANCELLED, check });
      return undefined;
    }
  }
  return { record, check };
}
