/** The end of work that has changed a hub: its report, its outcomes, and the state that it ends in. */

import {
  needsPerson,
  noOutcomes,
  OUTCOMES,
  type Outcome,
  type RunBase,
  type RunError,
  type RunReportFiles,
  type RunState,
} from '../runs/runRecord.ts';
import { ensureContainer } from '../storage/ensureContainer.ts';
import { writeJson } from '../storage/jsonBlob.ts';
import { writeLines } from '../storage/ndjson.ts';
import { RESULTS_CONTAINER } from '../storage/storage.ts';
import { endOfApplied, readApplied } from './applyStages.ts';
import { restOutcomes } from './restStages.ts';
import { resultFolder } from './resultFolder.ts';
import type { Stage, StageReply } from './stage.ts';
import { workError } from './workErrors.ts';
import { enterPhase, workNotes } from './workNotes.ts';
import type { WorkContext, WorkRun } from './workRun.ts';

const { notesOf } = workNotes();

export interface ReportOptions {
  /** What scripts read of the result. */
  result(record: WorkRun): Readonly<Record<string, unknown>>;
  /** Blobs that lie beside the report, and are fetched with it. */
  files?(record: WorkRun): Pick<RunReportFiles, 'changes' | 'differences'>;
  /** What is not as it was to be, beside what failed. */
  left(record: WorkRun): number;
  /** Why the run has failed, if it has when so much is not as it was to be. Default: it has completed with failures. */
  failure?(record: WorkRun, count: number): RunError | undefined;
}

/** Of the rest, as many that failed are listed in the report; all of them stand beside it. */
const LISTED = 1_000;

/** Stage `report`: ends the run. */
export function reportStage(options: ReportOptions): Stage {
  return { whenCancelled: true, work: (context, record) => endWithReport(context, record, options) };
}

async function endWithReport(context: WorkContext, record: WorkRun, options: ReportOptions): Promise<StageReply> {
  await enterPhase(context, record.runId, 'report');
  const applied = record.appliedBy === undefined ? undefined : await readApplied(context, record.appliedBy);
  const { restAt } = notesOf(record);
  const outcomes = sumOf(applied, restAt?.outcomes);
  const folder = resultFolder(record);
  const results = context.storage.container(RESULTS_CONTAINER);
  await ensureContainer(results);
  const failed: unknown[] = [];
  const rest = `${folder}/rest.ndjson`;
  const restItems = await writeLines(results.getBlockBlobClient(rest), kept(restOutcomes(context, record), failed));
  const files = { ...options.files?.(record), ...(restItems === 0 ? {} : { rest }) };
  const result = options.result(record);
  const { runId, kind, hub, request } = record;
  const appliedBy = applied && {
    runId: applied.runId,
    state: applied.state,
    outcomes: applied.outcomes,
    report: applied.report,
  };
  const json = `${folder}/report.json`;
  const report = { runId, kind, hub, request, result, outcomes, appliedBy, rest: restAt?.outcomes, failed };
  await writeJson(results.getBlockBlobClient(json), report);
  const ending = endingOf(record, applied, { outcomes, options });
  return { ...ending, fields: { result, outcomes, report: { container: RESULTS_CONTAINER, json, ...files } } };
}

async function* kept(lines: AsyncIterable<string>, failed: unknown[]): AsyncGenerator<string, void> {
  for await (const line of lines) {
    if (failed.length < LISTED && line.includes('"outcome":"failed"')) failed.push(JSON.parse(line));
    yield line;
  }
}

function sumOf(applied: RunBase | undefined, rest: Readonly<Partial<Record<Outcome, number>>> = {}) {
  const outcomes = noOutcomes();
  for (const outcome of OUTCOMES) outcomes[outcome] = (applied?.outcomes?.[outcome] ?? 0) + (rest[outcome] ?? 0);
  return outcomes;
}

function endingOf(
  record: WorkRun,
  applied: RunBase | undefined,
  { outcomes, options }: { readonly outcomes: Readonly<Record<Outcome, number>>; readonly options: ReportOptions },
): Extract<StageReply, { readonly end: RunState }> {
  if (record.cancelRequestedAt !== undefined) return { end: 'cancelled', error: workError('cancelled') };
  const ended = endOfApplied(applied) ?? notesOf(record).failure;
  if (ended !== undefined) return { end: 'failed', error: ended };
  const troubled = OUTCOMES.filter(needsPerson).reduce((sum, outcome) => sum + outcomes[outcome], 0);
  const count = options.left(record) + troubled;
  const error = count > 0 ? options.failure?.(record, count) : undefined;
  if (error !== undefined) return { end: 'failed', error };
  return { end: count > 0 ? 'completedWithFailures' : 'completed' };
}
