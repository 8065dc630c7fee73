import { randomInt } from 'node:crypto';

import { parseImportMode } from '../devicesFile/importMode.ts';
import { explainHubError } from '../registry/index.ts';
import { readJson, writeJson } from '../storage/jsonBlob.ts';
import type { ProvisioningContext } from './context.ts';
import { finish } from './endRun.ts';
import { type ErrorLog, readErrorLog } from './errorLog.ts';
import { isOverdue, isTerminalStatus, readHubJob } from './hubJob.ts';
import type { AcceptedEntry } from './lineIndex.ts';
import { type Ending, type ReportResult, type Verdict, writeReport } from './report.ts';
import { isFinal, type Outcome, type RunJob, type RunRecord, type RunState } from './runRecord.ts';
import { settleConfigurations } from './settleConfigurations.ts';
import { CHECK_BLOB, type CheckResult, ERROR_LOG_BLOB, SETTLEMENT_BLOB, stagingOf } from './staging.ts';

/** A device or module that is not there, as an error log tells it. */
const NOT_THERE = new Set<number | string>([404001, 404010, 'DeviceNotFound', 'ModuleNotFound']);
/** Applied, but not in full: the identity exists. */
const WARNINGS = new Set<number | string>([400009, 'ImportWarningExistsError', 'DeviceRegisteredWithoutTwin']);

/**
 * Decides what became of every line once the job has ended, writes the report and the final state.
 *
 * A job ends `completed` even when every line failed, so its status alone proves nothing; and the absence of an error
 * line proves success only when the job completed in time and left its log.
 */
export async function settleRun(
  context: ProvisioningContext,
  input: { readonly runId: string },
): Promise<{ readonly state: RunState | 'notEnded' }> {
  const { runId } = input;
  const record = await context.runs.read(runId);
  if (record === undefined) throw new Error(`The record of run ${runId} is gone.`);
  if (isFinal(record.state)) return { state: record.state };
  // Whoever watched the job may have been lost: nothing is settled while it can still change anything.
  if (record.job !== undefined && !(await hasEnded(context, record, record.job))) return { state: 'notEnded' };

  await context.runs.update(runId, (current) => ({ ...current, phase: 'settle' }));
  const staging = stagingOf(context, runId);
  const settled = staging.getBlockBlobClient(SETTLEMENT_BLOB);
  const earlier = await readJson<ReportResult>(settled);
  const result = earlier?.value ?? (await settle(context, record));
  if (earlier === undefined) await writeJson(settled, result, { ifAbsent: true });
  const final = await finish(context, runId, { ...result, report: result.files });
  return { state: final.state };
}

/** Whether the job is over: ended by the hub's word, forgotten by it, or past its deadline. */
async function hasEnded(context: ProvisioningContext, record: RunRecord, job: RunJob): Promise<boolean> {
  if (isTerminalStatus(job.status) || isOverdue(context, job)) return true;
  const now = await readHubJob(context, record, job.jobId);
  return now === undefined;
}

async function settle(context: ProvisioningContext, record: RunRecord): Promise<ReportResult> {
  const staging = stagingOf(context, record.runId);
  const check = (await readJson<CheckResult>(staging.getBlockBlobClient(CHECK_BLOB)))?.value;
  const { job } = record;
  if (check === undefined || job === undefined) throw new Error(`The run ${record.runId} has no job to settle.`);

  await settleConfigurations(context, record);
  const log = await readErrorLog(staging.getBlockBlobClient(ERROR_LOG_BLOB), randomInt(2 ** 31));
  const doubt = doubtAbout(record, log);
  return writeReport(context, {
    record,
    check,
    verdictOf: (entry) => verdictOn(entry, log, doubt),
    endingOf: (outcomes) => endingOf(record, outcomes),
    isFailed: (id, moduleId, mode) => {
      const code = log?.failures.find(id, moduleId);
      return code !== undefined && !WARNINGS.has(code) && !(isDelete(mode) && NOT_THERE.has(code));
    },
  });
}

/** How the run ends, given what became of its lines. */
function endingOf(record: RunRecord, outcomes: Readonly<Record<Outcome, number>>): Ending {
  if (record.cancelRequestedAt !== undefined && record.job?.status.toLowerCase() === 'cancelled') {
    return {
      state: 'cancelled',
      error: { code: 'cancelled', message: 'The run was cancelled while its job was running on the hub.' },
    };
  }
  const allWell = outcomes.failed + outcomes.rejected + outcomes.unconfirmed === 0;
  return { state: allWell ? 'completed' : 'completedWithFailures' };
}

/** Why the absence of an error line proves nothing; undefined when it proves success. */
function doubtAbout(record: RunRecord, log: ErrorLog | undefined): Verdict | undefined {
  const status = record.job?.status.toLowerCase();
  const unsure = (code: string, reason: string): Verdict => ({
    outcome: 'unconfirmed',
    code,
    reason: `${reason} Whether this line was applied is not known.`,
    action:
      'Look the device up in the hub, or drop the line again in a mode that may be repeated, such as createOrUpdate.',
  });
  if (status === 'cancelled') return unsure('jobCancelled', 'The import job was cancelled.');
  if (status === 'failed') {
    const words = record.job?.failureReason;
    return unsure('jobFailed', `The import job failed as a whole${words === undefined ? '' : ` ("${words}")`}.`);
  }
  if (status !== 'completed')
    return unsure('jobNotEnded', 'The import job did not end before its deadline, or the hub forgot it.');
  if (record.job?.ambiguous) {
    return unsure('jobAmbiguous', "The reply to the job's start was lost, and of several jobs any could be the one.");
  }
  if (log === undefined) return unsure('logMissing', 'The import job left no error log.');
  if (log.unattributed > 0) {
    const codes = log.unattributedCodes.map((code) => explainHubError(code).name).join(', ');
    return unsure('logUnclear', `The error log holds ${log.unattributed} errors that name no device (${codes}).`);
  }
  return undefined;
}

function verdictOn(entry: AcceptedEntry, log: ErrorLog | undefined, doubt: Verdict | undefined): Verdict {
  const code = log?.failures.find(entry.id, entry.moduleId);
  if (code !== undefined) {
    const { name, sentence, action } = explainHubError(code);
    if (isDelete(entry.mode) && NOT_THERE.has(code)) {
      return { outcome: 'unchanged', code: name, reason: 'It was not in the registry: there was nothing to delete.' };
    }
    return { outcome: WARNINGS.has(code) ? 'succeededWithWarning' : 'failed', code: name, reason: sentence, action };
  }
  if (doubt !== undefined) return doubt;
  return entry.warning === undefined
    ? { outcome: 'succeeded' }
    : { outcome: 'succeededWithWarning', code: 'checkWarning', reason: entry.warning };
}

function isDelete(modeText: string | undefined): boolean {
  const mode = modeText === undefined ? undefined : parseImportMode(modeText);
  return mode === 'delete' || mode === 'deleteIfMatchETag';
}
