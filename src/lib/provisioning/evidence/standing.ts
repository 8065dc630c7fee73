/** Where a line stands after the jobs of its run, as far as these tell: before anything was tried again or read back. */

import { type ImportMode, MODE_RULES } from '../../devicesFile/importMode.ts';
import { ERROR_LOG_BLOB, type ErrorLog, FIRST_ERROR_LOG_BLOB, readErrorLog } from '../../hubJobs/errorLog.ts';
import { explainHubError } from '../../registry/index.ts';
import { stagingOf } from '../../runs/runContainer.ts';
import type { RunJob } from '../../runs/runRecord.ts';
import { StagingLost } from '../../runs/stagingLost.ts';
import { isLostAfterSend, type ProvisioningContext, type ProvisionRun } from '../run/provisionRun.ts';
import { type Doubt, doubt } from '../texts/outcomeTexts.ts';

/** A second import job was needed (`due`), has ended, or could not be started. */
export interface SecondJob {
  readonly blobName: string;
  readonly lines: number;
  readonly state: 'due' | 'ended' | 'givenUp';
  /** Given up although a create had been sent whose fate is not known. */
  readonly mayHaveRun?: true;
}

/** What is known of one import job after its end. */
interface JobFacts {
  readonly log: ErrorLog | undefined;
  readonly doubt: Doubt | undefined;
  /** What was done after it is not known any more: errors that may have been mended since prove nothing. */
  readonly lost?: true;
  /** The job may have been given twice: what it says of existing devices may be its own doing. */
  readonly repeated: boolean;
}

export interface Facts {
  readonly first: JobFacts;
  /** Of the lines that failed for a passing reason, when these were given to a second job. */
  readonly second?: JobFacts;
}

export type Standing =
  | { readonly is: 'succeeded' | 'unchanged' }
  /** `transient`: it may pass, and the line may be tried again; `quota`: the hub said that it is full. */
  | { readonly is: 'warned' | 'failed' | 'transient' | 'quota'; readonly code: number | string }
  /**
   * The twin that the line was merged into has changed since it was read. `maybe`: the line may have been sent twice, and
   * have changed it itself.
   */
  | { readonly is: 'stale'; readonly code: number | string; readonly maybe: boolean }
  /** Only the registry can tell. `code`: the error that may be of its own making, if there was one. */
  | { readonly is: 'doubtful'; readonly doubt: Doubt; readonly code?: number | string };

/** A line, as far as its standing depends on it. */
export interface LineOf {
  readonly id: string;
  readonly moduleId?: string;
  /** As the file asks. */
  readonly mode: ImportMode;
}

/** A device or module that is not there, as an error log tells it. */
const NOT_THERE = new Set(['DeviceNotFound', 'ModuleNotFound']);
const ALREADY_THERE = new Set(['DeviceAlreadyExists', 'ModuleAlreadyExistsOnDevice']);
const OTHER_ETAG = new Set(['PreconditionFailed', 'GenericPreconditionFailed', 'EtagDoesNotMatch']);
/** Applied, but not in full: the identity exists. */
const WARNINGS = new Set(['ImportWarningExistsError']);
export const WITHOUT_TWIN = 'DeviceRegisteredWithoutTwin';

/**
 * Reads the error logs of a run.
 *
 * @param rounds what the run has noted since its import job ended; `hasLog`: the job has left its error log
 * @throws StagingLost when a log that was there is gone
 */
export async function readFacts(
  context: ProvisioningContext,
  record: ProvisionRun,
  rounds: { readonly hasLog?: true; readonly secondJob?: SecondJob } | undefined,
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
  if (rounds?.secondJob !== undefined && aside === undefined) throw new StagingLost(record.runId, FIRST_ERROR_LOG_BLOB);
  const firstLog = aside ?? (await read(ERROR_LOG_BLOB));
  if (rounds?.hasLog && firstLog === undefined) throw new StagingLost(record.runId, ERROR_LOG_BLOB);
  const first = factsOf(record.jobs.import, firstLog);
  if (rounds?.secondJob === undefined) return { first };
  if (rounds.secondJob.mayHaveRun === true) return { first, second: { log: undefined, doubt: TWICE, repeated: true } };
  if (rounds.secondJob.state !== 'ended' || record.jobs.retry === undefined) return { first };
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

/** Whether any line may have failed for a passing reason. */
export function hasTransient(facts: Facts): boolean {
  return logsName(facts, (error) => error.class === 'transient');
}

/** Whether all that the job says is final, so that nothing is to be tried again or read back. */
export function isFinalWord({ first: { log, doubt: why, repeated } }: Facts): boolean {
  if (why !== undefined || log === undefined || repeated) return false;
  return !log.failures.words.some((code) => {
    const { name, class: errorClass } = explainHubError(code);
    return errorClass !== 'permanent' || name === WITHOUT_TWIN;
  });
}

/** Whether a line that was merged may have met a twin that had changed. */
export function mayBeStale(facts: Facts): boolean {
  return logsName(facts, ({ name }) => OTHER_ETAG.has(name));
}

export function standingOf(line: LineOf, { first, second }: Facts): Standing {
  const standing = afterJob(line, first, false);
  if (first.lost && standing.is === 'stale') return { is: 'doubtful', doubt: LOST };
  if (first.lost && 'code' in standing && mayBeMended(standing))
    return { is: 'doubtful', doubt: LOST, code: standing.code };
  if (standing.is !== 'transient' || second === undefined) return standing;
  return afterJob(line, second, true);
}

function afterJob(line: LineOf, { log, doubt: why, repeated }: JobFacts, again: boolean): Standing {
  const code = log?.failures.find(line.id, line.moduleId);
  if (code === undefined) return why === undefined ? { is: 'succeeded' } : { is: 'doubtful', doubt: why };
  const { name, class: errorClass } = explainHubError(code);
  if (name === WITHOUT_TWIN) return { is: 'warned', code };
  if (errorClass === 'transient' || errorClass === 'quota') return { is: errorClass, code };
  if (WARNINGS.has(name)) return { is: 'warned', code };
  // Applied once before, a delete finds nothing.
  if (MODE_RULES[line.mode].deletes && NOT_THERE.has(name))
    return { is: again || repeated ? 'succeeded' : 'unchanged' };
  // A module cannot be made before its device: when that is tried again, so is the module.
  const device = line.moduleId === undefined ? undefined : log?.failures.find(line.id, undefined);
  if (device !== undefined && NOT_THERE.has(name)) {
    const deviceClass = explainHubError(device).class;
    if (deviceClass === 'transient' || deviceClass === 'quota') return { is: deviceClass, code };
  }
  // A line that merges compares an ETag only because this run has it do so.
  if (MODE_RULES[line.mode].patches && OTHER_ETAG.has(name)) return { is: 'stale', code, maybe: again || repeated };
  if ((again || repeated) && explainsItself(line.mode, name)) return { is: 'doubtful', doubt: TWICE, code };
  if (again && isOfGuard(line.mode, name)) return { is: 'doubtful', doubt: TWICE, code };
  return { is: 'failed', code };
}

/** Whether a line that stands so was sent once more, if there was time for it. */
function mayBeMended(standing: Extract<Standing, { readonly code?: number | string }>): boolean {
  if (standing.is === 'warned') return explainHubError(standing.code).name === WITHOUT_TWIN;
  return standing.is === 'transient' || standing.is === 'quota';
}

const LOST = doubt('stagingLost');
const TWICE = doubt('sentTwice');

/** Whether a line that was applied once gets this error when it is sent again. */
export function explainsItself(mode: ImportMode, code: string): boolean {
  const { present, needs } = MODE_RULES[mode];
  return present === 'failsExists' ? ALREADY_THERE.has(code) : needs !== undefined && OTHER_ETAG.has(code);
}

/** Whether this is the error of a guard that the line was given when it was sent again (`sentAgain`). */
function isOfGuard(mode: ImportMode, code: string): boolean {
  const { mayOverwrite, ifUnchanged } = MODE_RULES[mode];
  if (!mayOverwrite || ifUnchanged === undefined) return false;
  return ALREADY_THERE.has(code) || OTHER_ETAG.has(code);
}

/** Whether a job may have applied the line, whatever was said of it: a timeout, say, proves nothing. */
export function mayBeApplied(line: LineOf, facts: Facts): boolean {
  const last = standingOf(line, facts);
  if (last.is === 'stale') return last.maybe;
  if (last.is !== 'transient') return last.is === 'doubtful';
  if (!provesNothingDone(last.code)) return true;
  const first = afterJob(line, facts.first, false);
  return first.is === 'transient' && !provesNothingDone(first.code);
}

/** Whether a call of which nothing is noted any more may have sent the line again. */
export function mayBeCalled({ id, moduleId }: Pick<LineOf, 'id' | 'moduleId'>, { first }: Facts): boolean {
  return first.lost === true && first.log?.failures.find(id, moduleId) !== undefined;
}

/** Whether an error says that nothing was done, so that no one needs to look. */
export function provesNothingDone(code: number | string): boolean {
  const { name, code: number } = explainHubError(code);
  const status = Math.floor((number ?? 0) / 1000);
  return (
    name === 'IotHubQuotaExceeded' || [401, 403, 429].includes(status) || /^(Throttl|IotHubUnauthorized)/.test(name)
  );
}

/** Whether an error says that the identity was not there. */
export function saysNotThere(code: string): boolean {
  return NOT_THERE.has(code);
}
