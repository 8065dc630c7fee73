import { redact, safeError } from '../redact.ts';
import type { ProvisioningContext } from './context.ts';
import { type ReportResult, type Verdict, writeRefusal, writeReport } from './report.ts';
import type { RunError, RunRecord, RunState } from './runRecord.ts';
import type { CheckResult } from './staging.ts';

/**
 * Ends a run before anything was sent to a hub: every line that the check accepted is reported as skipped, with the
 * reason.
 */
export async function endWithoutJob(
  context: ProvisioningContext,
  runId: string,
  ending: {
    readonly state: RunState;
    readonly error?: RunError;
    readonly skipReason?: string;
    readonly check?: CheckResult;
  },
): Promise<void> {
  const record = await context.runs.read(runId);
  if (record === undefined) return;
  const { check, state, error } = ending;
  const reported = { ...record, state, ...(error === undefined ? {} : { error }) };
  if (check === undefined) {
    await writeRefusal(context, reported);
    await finish(context, runId, state, error);
    return;
  }
  const verdict: Verdict = {
    outcome: 'skipped',
    code: error?.code ?? 'dryRun',
    reason: ending.skipReason ?? error?.message ?? 'Nothing was sent to the hub.',
  };
  const report = await writeReport(context, {
    record: reported,
    check,
    verdictOf: () => verdict,
    isFailed: () => false,
  });
  const final = state === 'completed' && report.outcomes.rejected > 0 ? 'completedWithFailures' : state;
  await finish(context, runId, final, error, report);
}

/** Writes the final state of a run into its record; a record that is final already stays as it is. */
export async function finish(
  context: ProvisioningContext,
  runId: string,
  state: RunState,
  error?: RunError,
  report?: ReportResult,
): Promise<RunRecord> {
  return context.runs.update(runId, (record) => {
    const { waiting: _waiting, ...rest } = record;
    return {
      ...rest,
      state,
      finishedAt: context.now().toISOString(),
      ...(error === undefined ? {} : { error }),
      ...(report === undefined ? {} : { outcomes: report.outcomes, report: report.files }),
    };
  });
}

/** The error of a run, out of whatever was thrown: our own errors as they are, all others without their insides. */
export function runErrorOf(error: unknown): RunError {
  const { code, message } = safeError(error);
  return {
    code: code ?? 'unexpected',
    message,
    ...(hasAction(error) ? { action: error.action } : {}),
  };
}

function hasAction(error: unknown): error is { readonly action: string } {
  return typeof error === 'object' && error !== null && 'action' in error && typeof error.action === 'string';
}

/** Ends a run whose steps failed again and again. What was sent to the hub, if anything, is said in the record. */
export async function endFailed(
  context: ProvisioningContext,
  input: { readonly runId: string; readonly message: string },
): Promise<{ readonly state: RunState }> {
  const { job } = (await context.runs.read(input.runId)) ?? {};
  const record = await finish(context, input.runId, 'failed', {
    code: 'stepFailed',
    message: `A step of the run failed again and again: ${redact(input.message)}`,
    action:
      job === undefined
        ? 'Nothing was sent to the hub. Mend the cause and drop the file again.'
        : 'An import job had been started: look at its devices in the hub, mend the cause and drop the file again.',
  });
  await writeRefusal(context, record);
  return { state: record.state };
}
