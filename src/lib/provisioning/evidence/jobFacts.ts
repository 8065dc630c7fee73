/** What the import jobs of a run have left behind, and what their error logs say of the run as a whole. */

import { ERROR_LOG_BLOB, type ErrorLog, FIRST_ERROR_LOG_BLOB, readErrorLog } from '../../hubJobs/errorLog.ts';
import { explainHubError } from '../../registry/index.ts';
import { stagingOf } from '../../runs/runContainer.ts';
import type { RunJob } from '../../runs/runRecord.ts';
import { StagingLost } from '../../runs/stagingLost.ts';
import { isLostAfterSend, type ProvisioningContext, type ProvisionRun } from '../run/provisionRun.ts';
import { type Doubt, doubt } from '../texts/outcomeTexts.ts';
import { type Facts, type JobFacts, type LineOf, LOST, OTHER_ETAG, TWICE, WITHOUT_TWIN } from './evidence.ts';

/** A second import job was needed (`due`), has ended, or could not be started. */
export interface SecondJob {
  readonly blobName: string;
  readonly lines: number;
  readonly state: 'due' | 'ended' | 'givenUp';
  /** Given up although a create had been sent whose fate is not known. */
  readonly mayHaveRun?: true;
}

/**
 * Reads the error logs of a run.
 *
 * @param waves what the run has noted since its import job ended; `hasLog`: the job has left its error log
 * @throws StagingLost when a log that was there is gone
 */
export async function readFacts(
  context: ProvisioningContext,
  record: ProvisionRun,
  waves: { readonly hasLog?: true; readonly secondJob?: SecondJob } | undefined,
): Promise<Facts> {
  const container = stagingOf(context, record.runId);
  const read = (name: string) => readErrorLog(container.getBlockBlobClient(name));
  if (record.jobs.import === undefined) throw new Error(`The run ${record.runId} has no job.`);
  // The first log is put aside before the second job is started, and before that is noted.
  const aside = await read(FIRST_ERROR_LOG_BLOB);
  if (isLostAfterSend(record)) {
    // A second job has written its log under the name of the first's.
    const log = aside ?? (record.jobs.retry === undefined ? await read(ERROR_LOG_BLOB) : undefined);
    return { first: { ...factsOf(record.jobs.import, log), doubt: LOST, lost: true } };
  }
  if (waves?.secondJob !== undefined && aside === undefined) throw new StagingLost(record.runId, FIRST_ERROR_LOG_BLOB);
  const firstLog = aside ?? (await read(ERROR_LOG_BLOB));
  if (waves?.hasLog && firstLog === undefined) throw new StagingLost(record.runId, ERROR_LOG_BLOB);
  const first = factsOf(record.jobs.import, firstLog);
  if (waves?.secondJob === undefined) return { first };
  if (waves.secondJob.mayHaveRun === true) return { first, second: { log: undefined, doubt: TWICE, repeated: true } };
  if (waves.secondJob.state !== 'ended' || record.jobs.retry === undefined) return { first };
  return { first, second: factsOf(record.jobs.retry, await read(ERROR_LOG_BLOB)) };
}

function factsOf(job: RunJob, log: ErrorLog | undefined): JobFacts {
  return { log, doubt: doubtAbout(job, log), repeated: job.ambiguous === true };
}

/** Why the absence of an error line proves nothing; undefined when it proves success. */
export function doubtAbout(job: RunJob, log: ErrorLog | undefined): Doubt | undefined {
  const status = job.status.toLowerCase();
  if (status === 'cancelled') return doubt('jobCancelled');
  if (status === 'failed') {
    const words = job.failureReason === undefined ? '' : ` ("${job.failureReason}")`;
    return doubt('jobFailed', { words });
  }
  if (status !== 'completed') return doubt('jobNotEnded');
  if (job.ambiguous) return doubt('jobAmbiguous');
  if (log === undefined) return doubt('logMissing');
  if (log.unattributed > 0) {
    const codes = log.unattributedCodes.map((code) => explainHubError(code).name).join(', ');
    return doubt('logUnclear', { errors: log.unattributed === 1 ? '1 error' : `${log.unattributed} errors`, codes });
  }
  return undefined;
}

/** Whether an error log of the run names an error of which this holds. */
export function logsName(
  { first, second }: Facts,
  holds: (error: ReturnType<typeof explainHubError>) => boolean,
): boolean {
  const words = [...(first.log?.failures.words ?? []), ...(second?.log?.failures.words ?? [])];
  return words.some((code) => holds(explainHubError(code)));
}

/** Whether any line may have failed transiently. */
export function hasTransient(facts: Facts): boolean {
  return logsName(facts, (error) => error.class === 'transient');
}

/** Whether all that the job says is final, so that nothing is to be retried or verified. */
export function isFinalWord({ first: { log, doubt: why } }: Facts): boolean {
  if (why !== undefined || log === undefined) return false;
  return !log.failures.words.some((code) => {
    const { name, class: errorClass } = explainHubError(code);
    return errorClass !== 'permanent' || name === WITHOUT_TWIN;
  });
}

/** Whether a line that was merged may have met a twin that had changed. */
export function mayBeStale(facts: Facts): boolean {
  return logsName(facts, ({ name }) => OTHER_ETAG.has(name));
}

/** Whether a call of which nothing is noted any more may have sent the line again. */
export function mayBeCalled({ id, moduleId }: Pick<LineOf, 'id' | 'moduleId'>, { first }: Facts): boolean {
  return first.lost === true && first.log?.failures.find(id, moduleId) !== undefined;
}
