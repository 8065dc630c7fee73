import { defined } from '../../defined.ts';
import { isOwnFault } from '../../errors.ts';
import { redact } from '../../redact.ts';
import { finishRun } from '../../runs/endRun.ts';
import type { Ending, Verdict } from '../../runs/outcomes.ts';
import { isFinal, noOutcomes, type Outcome, type RunError, type RunState } from '../../runs/runRecord.ts';
import { lostOf } from '../../runs/stagingLost.ts';
import { areLinesGone, dropTornCheck } from '../check/checkAgain.ts';
import { checkDrop } from '../check/checkDrop.ts';
import { type CheckResult, checkOf } from '../check/checkResult.ts';
import type { AcceptedEntry } from '../check/lineIndex.ts';
import { closeImportJob } from '../run/importNotes.ts';
import { isSent, type ProvisioningContext, type ProvisionRun, type RunConfigurations } from '../run/provisionRun.ts';
import { OUTCOME_TEXTS, unconfirmedFor, verdict } from '../texts/outcomeTexts.ts';
import { runError } from '../texts/runErrors.ts';
import { type ReportResult, writeReport, writeShortReport } from './report.ts';

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
    /** Of a dry run: what would happen to a line. */
    readonly reasonOf?: (entry: AcceptedEntry) => string;
    readonly check?: CheckResult | undefined;
  },
): Promise<void> {
  const record = await context.runs.read(runId);
  if (record === undefined || isFinal(record.state)) return;
  const { check, state, error, reasonOf } = ending;
  // Whoever comes here late: nothing may be called not sent once the import was sent, or may have been.
  if (isSent(record) && error !== undefined) {
    return endUnconfirmed(context, runId, { state, error, check });
  }
  if (check === undefined && record.check === undefined) {
    await finish(context, runId, { state, error, files: await writeShortReport(context, record, { state, error }) });
    return;
  }
  const skipped: Verdict = {
    outcome: 'skipped',
    code: error?.code ?? 'dryRun',
    reason: ending.skipReason ?? error?.message ?? 'Nothing was sent to the hub.',
  };
  // A run that ends well without a job had no line to import.
  const unsent =
    error === undefined && record.options?.dryRun !== true ? { configurationVerdict: verdict('noDeviceLines') } : {};
  const planned = reasonOf && {
    verdictOf: (entry: AcceptedEntry) => verdict('dryRun', { plan: reasonOf(entry) }),
  };
  await endAlike(context, record, { check, state, error, verdict: skipped, ...planned, ...unsent });
}

/** Ends a run of which nobody knows whether its lines were applied. */
export async function endUnconfirmed(
  context: ProvisioningContext,
  runId: string,
  ending: { readonly state: RunState; readonly error: RunError; readonly check?: CheckResult | undefined },
): Promise<void> {
  const record = await context.runs.read(runId);
  if (record === undefined || isFinal(record.state)) return;
  const { check, state, error } = ending;
  const unconfirmed = unconfirmedFor(error);
  const configurationVerdict = { ...unconfirmed, action: OUTCOME_TEXTS.registryUnreadable.action };
  await endAlike(context, record, { check, state, error, verdict: unconfirmed, configurationVerdict });
}

/** The same verdict on every line that the check accepted. */
type AlikeEnding = Ending & {
  readonly check?: CheckResult | undefined;
  readonly verdict: Verdict;
  /** Where lines differ after all. */
  readonly verdictOf?: (entry: AcceptedEntry) => Verdict;
  readonly configurationVerdict?: Verdict;
};

/**
 * Ends a run with the same verdict on every line that the check accepted. Where the lines are gone, they are checked once
 * more; and if that cannot be done either, the report says how many there were.
 */
async function endAlike(context: ProvisioningContext, record: ProvisionRun, ending: AlikeEnding): Promise<void> {
  const { check } = ending;
  try {
    if (check !== undefined) return await endListed(context, record, { ...ending, check });
  } catch (error) {
    if (lostOf(error) === undefined) throw error;
    await dropTornCheck(context, record.runId);
  }
  try {
    await endListed(context, record, { ...ending, check: await checkDrop(context, record) });
  } catch (error) {
    // What fails in our own code fails the next time, too.
    if (!areLinesGone(error) && lostOf(error) === undefined && !isOwnFault(error)) throw error;
    await endUnlisted(context, record, { ...ending, outcome: ending.verdict.outcome });
  }
}

/** Ends a run whose lines cannot be listed: its record tells how many there were. */
export async function endUnlisted(
  context: ProvisioningContext,
  record: ProvisionRun,
  ending: Ending & { readonly outcome: Outcome },
): Promise<void> {
  const { state, error, outcome } = ending;
  const { check, configurations } = record;
  if (check === undefined) throw new Error(`The run ${record.runId} has not been checked.`);
  const { lines, rejected, skipped } = check;
  const outcomes = countsAlike(outcome, { lines, rejected, skipped });
  const fields = {
    state,
    error,
    outcomes,
    configurations: configurations && configurationsAlike(outcome, configurations),
  };
  const linesNotShown =
    'The lines of the file cannot be listed: what the run had noted of them was deleted, and so was the file, or it has changed.';
  await finish(context, record.runId, {
    ...fields,
    files: await writeShortReport(context, record, fields, linesNotShown),
  });
}

/** Configurations of which all that the check accepted ended alike. */
export function configurationsAlike(outcome: Outcome, configurations: RunConfigurations): RunConfigurations {
  const { lines, accepted, rejected } = configurations;
  const outcomes = countsAlike(outcome, { lines, rejected, skipped: lines - accepted - rejected });
  return { ...configurations, outcomes };
}

/** Counts of lines of which all that the check accepted ended alike. */
function countsAlike(
  outcome: Outcome,
  counts: { readonly lines: number; readonly rejected: number; readonly skipped: number },
): Record<Outcome, number> {
  const { lines, rejected, skipped } = counts;
  const outcomes = noOutcomes();
  outcomes.rejected += rejected;
  outcomes.skipped += skipped;
  outcomes[outcome] += lines - rejected - skipped;
  return outcomes;
}

async function endListed(
  context: ProvisioningContext,
  record: ProvisionRun,
  ending: AlikeEnding & { readonly check: CheckResult },
): Promise<void> {
  const { check, verdict, state, error } = ending;
  const configurationVerdict = ending.configurationVerdict ?? verdict;
  const report = await writeReport(context, {
    record,
    check,
    verdictOf: ending.verdictOf ?? (() => verdict),
    configurationVerdict,
    isFailed: () => false,
    endingOf: ({ rejected }) => ({
      state: state === 'completed' && rejected > 0 ? 'completedWithFailures' : state,
      error,
    }),
  });
  await finish(context, record.runId, report);
}

/** Writes the final state of a run into its record, with its report; a record that is final already stays as it is. */
export async function finish(
  context: ProvisioningContext,
  runId: string,
  { state, error, outcomes, configurations, files: report }: Ending & Partial<ReportResult>,
): Promise<ProvisionRun> {
  return finishRun(context, runId, { state, error }, defined({ outcomes, configurations, report }));
}

/** Ends a run whose steps failed again and again. What was sent to the hub, if anything, is said in the record. */
export async function endFailed(
  context: ProvisioningContext,
  input: { readonly runId: string; readonly message: string },
): Promise<{ readonly state: RunState }> {
  const record = await context.runs.read(input.runId);
  if (record === undefined) throw new Error(`The record of run ${input.runId} is gone.`);
  const check = await checkOf(context, input.runId);
  const gate = await closeImportJob(context, record);
  const key = gate === 'closed' ? 'stepFailed:unsent' : 'stepFailed:sent';
  const error = runError(key, { error: redact(input.message) });
  const state = 'failed';
  await (gate === 'closed' ? endWithoutJob : endUnconfirmed)(context, input.runId, { state, error, check });
  return { state };
}
