import { isOver, UNKNOWN_JOB } from '../../hubJobs/hubJob.ts';
import { isTerminalStatus } from '../../hubJobs/jobStatus.ts';
import { HubError } from '../../registry/index.ts';
import type { RunError } from '../../runs/runRecord.ts';
import { hubOf } from '../../runs/runRecord.ts';
import type { FollowUp } from '../again/aftermath.ts';
import { areLinesGone } from '../check/checkAgain.ts';
import { checkDrop } from '../check/checkDrop.ts';
import { checkOf } from '../check/checkResult.ts';
import { endUnlisted } from '../report/endRun.ts';
import type { ProvisioningContext, ProvisionRun } from '../run/provisionRun.ts';
import { runError } from '../texts/runErrors.ts';

/** An import that runs, and may be one of this run's that it has no note of, is waited for at most so long. */
const LONGEST_UNKNOWN_IMPORT_MS = 2 * 60 * 60_000;

/**
 * What a run that has lost its notes still waits for: its lines, which are checked once more, and imports that may be its
 * own. Undefined when the registry can be read.
 */
export async function afterLoss(context: ProvisioningContext, record: ProvisionRun): Promise<FollowUp | undefined> {
  if ((await checkOf(context, record.runId)) === undefined) {
    try {
      await checkDrop(context, record);
    } catch (error) {
      if (!areLinesGone(error)) throw error;
      await endUnlisted(context, record, { state: 'failed', outcome: 'unconfirmed', error: lostError(record) });
      return { do: 'ended' };
    }
  }
  if (record.jobs.retry !== undefined && !(await isOver(context, record, record.jobs.retry))) {
    return { do: 'job', kind: 'retry' };
  }
  const lostMs = context.now().getTime() - Date.parse(record.stagingLost?.at ?? record.updatedAt);
  return lostMs < LONGEST_UNKNOWN_IMPORT_MS && (await importRuns(context, record))
    ? { do: 'wait', seconds: 10 }
    : undefined;
}

/** A second import whose start was not noted in the record, say. */
async function importRuns(context: ProvisioningContext, record: ProvisionRun): Promise<boolean> {
  try {
    const jobs = await context.hub(hubOf(record)).listJobs();
    return jobs.some(({ type, status }) => type.toLowerCase() === 'import' && !isTerminalStatus(status));
  } catch (error) {
    // Whether the hub can be read shows when it is.
    if (!(error instanceof HubError)) throw error;
    return false;
  }
}

function lostError({ runId, jobs: { import: job }, check }: ProvisionRun): RunError {
  const lines = check === undefined ? 0 : check.devices + check.modules;
  return runError('stagingLost:unlisted', {
    container: `hubkeeper-run-${runId}`,
    count: lines,
    job: job === undefined || job.jobId === UNKNOWN_JOB ? '' : ` (its import job was ${job.jobId})`,
  });
}
