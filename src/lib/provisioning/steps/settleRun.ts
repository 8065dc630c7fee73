import { importModeOf } from '../../devicesFile/importMode.ts';
import type { Ending } from '../../runs/outcomes.ts';
import { stagingOf } from '../../runs/runContainer.ts';
import { isFinal, type Outcome, type RunError, type RunState } from '../../runs/runRecord.ts';
import { StagingLost } from '../../runs/stagingLost.ts';
import { makeOnce } from '../../storage/jsonBlob.ts';
import { CHECK_BLOB, checkOf } from '../check/checkResult.ts';
import { type Findings, linkFailureOf, readFindings, verdictOn } from '../outcome/verdicts.ts';
import { surviving } from '../recovery/recovery.ts';
import { endingWith } from '../report/configurationsReport.ts';
import { configurationsAlike, finish } from '../report/endRun.ts';
import { type ReportResult, writeReport } from '../report/report.ts';
import { SETTLEMENT_BLOB } from '../run/jobBlobs.ts';
import type { ProvisioningContext, ProvisionRun } from '../run/provisionRun.ts';
import { runError } from '../texts/runErrors.ts';

/**
 * Decides what became of every line, once nothing is to be done any more (`followUp`), writes the report and the final
 * state.
 *
 * A job ends `completed` even when every line failed, so its status alone proves nothing; and the absence of an error
 * line proves success only when the job completed in time and left its log.
 *
 * @param input `error`: why nothing more could be done, if that is so
 */
export const settleRun = surviving(settleNow, (how) => ({
  // What follows the import is done once more then, with what the registry says.
  state: how === 'ended' ? ('failed' as const) : ('notEnded' as const),
}));

/** The same, as far as anything is known now. */
export async function settleNow(
  context: ProvisioningContext,
  input: { readonly runId: string; readonly error?: RunError },
): Promise<{ readonly state: RunState }> {
  const { runId } = input;
  const record = await context.runs.read(runId);
  if (record === undefined) throw new Error(`The record of run ${runId} is gone.`);
  if (isFinal(record.state)) return { state: record.state };

  await context.runs.update(runId, (current) => ({ ...current, phase: 'settle' }));
  const settled = stagingOf(context, runId).getBlockBlobClient(SETTLEMENT_BLOB);
  const result = await makeOnce<ReportResult>(settled, () => settle(context, record, input.error));
  const { state } = await finish(context, runId, withConfigurations(record, result));
  return { state };
}

/** Configurations whose file is gone with all that was noted of them. */
function withConfigurations({ configurations }: ProvisionRun, result: ReportResult): ReportResult {
  if (configurations === undefined || result.configurations !== undefined) return result;
  const counted = configurationsAlike('unconfirmed', configurations);
  return { ...result, ...endingWith(counted, result), configurations: counted };
}

async function settle(
  context: ProvisioningContext,
  record: ProvisionRun,
  error: RunError | undefined,
): Promise<ReportResult> {
  const check = await checkOf(context, record.runId);
  if (record.jobs.import === undefined) throw new Error(`The run ${record.runId} has no job to settle.`);
  if (check === undefined) throw new StagingLost(record.runId, CHECK_BLOB);

  const findings = await readFindings(context, record);
  return writeReport(context, {
    record,
    check,
    verdictOf: (entry) => verdictOn(entry, findings),
    endingOf: (outcomes) => (error === undefined ? endingOf(record, outcomes) : { state: 'failed', error }),
    isFailed(id, moduleId, modeText) {
      const mode = importModeOf({ importMode: modeText });
      const line = { id, mode, ...(moduleId === undefined ? {} : { moduleId }) };
      return verdictOn(line, findings).outcome === 'failed';
    },
    // Such a line fails for its parent alone, so the device is there.
    isThere: (id) => linkFailureOf({ id }, findings) !== undefined,
    afterJob: summaryOf(findings),
  });
}

/** What was done after the import job, for the report. */
function summaryOf({ after }: Findings): object | undefined {
  if (after === undefined) return undefined;
  const { secondJob, waves, verification, parents } = after;
  const called = waves.filter(({ lines }) => lines > 0);
  return {
    secondJob: secondJob && { lines: secondJob.lines, state: secondJob.state },
    waves: called.map(({ name, lines, finishedAt }) => ({ name, lines, finishedAt })),
    ...(verification === undefined || verification.lines === 0
      ? {}
      : { readBack: { lines: verification.lines, way: verification.way, state: verification.state } }),
    ...(parents === undefined || (parents.rows === 0 && parents.pass === 1)
      ? {}
      : { parents: { state: parents.state, passes: parents.pass } }),
  };
}

/** How the run ends, given what became of its lines. */
function endingOf(record: ProvisionRun, outcomes: Readonly<Record<Outcome, number>>): Ending {
  const left = outcomes.failed + outcomes.unconfirmed;
  if (
    record.cancelRequestedAt !== undefined &&
    (record.jobs.import?.status.toLowerCase() === 'cancelled' || left > 0)
  ) {
    return { state: 'cancelled', error: runError('cancelled:afterStart') };
  }
  return { state: left + outcomes.rejected === 0 ? 'completed' : 'completedWithFailures' };
}
