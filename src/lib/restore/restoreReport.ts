/** The end of a restore, a drill or a delete-all: its report, its outcomes, and the state that it ends in. */

import {
  needsPerson,
  noOutcomes,
  OUTCOMES,
  type Outcome,
  type RunBase,
  type RunError,
  type RunState,
} from '../runs/runRecord.ts';
import { ensureContainer } from '../storage/ensureContainer.ts';
import { writeJson } from '../storage/jsonBlob.ts';
import { writeLines } from '../storage/ndjson.ts';
import { RESULTS_CONTAINER } from '../storage/storage.ts';
import { readApplied } from '../work/applyStages.ts';
import type { Stage, StageReply } from '../work/stage.ts';
import { workError } from '../work/workErrors.ts';
import type { WorkContext, WorkRun } from '../work/workRun.ts';
import { enterPhase, notesOf } from './restoreNotes.ts';
import { sayRestore } from './restoreTexts.ts';
import { restOutcomes } from './restStages.ts';
import { resultFolder } from './writePlan.ts';

/** Of the rest, as many that failed are listed in the report; all of them stand beside it. */
const LISTED = 1_000;

/** Stage `report`: ends the run. */
export const REPORT_STAGE: Stage = {
  whenCancelled: true,
  async work(context, record) {
    await enterPhase(context, record.runId, 'report');
    const applied = record.appliedBy === undefined ? undefined : await readApplied(context, record.appliedBy);
    const { plan, restAt, differences, backup } = notesOf(record);
    const outcomes = sumOf(applied, restAt?.outcomes);
    const folder = resultFolder(record);
    const results = context.storage.container(RESULTS_CONTAINER);
    await ensureContainer(results);
    const failed: unknown[] = [];
    const rest = `${folder}/rest.ndjson`;
    const restItems = await writeLines(results.getBlockBlobClient(rest), kept(restOutcomes(context, record), failed));
    const result = {
      ...plan?.counts,
      ...(backup === undefined ? {} : { backup }),
      ...(differences === undefined ? {} : { differences }),
      ...(plan === undefined ? {} : { changes: plan.changes }),
      ...(restItems === 0 ? {} : { rest }),
    };
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
    const ending = endingOf(record, applied, outcomes);
    return { ...ending, fields: { result, outcomes, report: { container: RESULTS_CONTAINER, json } } };
  },
};

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
  outcomes: Readonly<Record<Outcome, number>>,
): Extract<StageReply, { readonly end: RunState }> {
  const ended = endOfApplied(applied);
  if (ended !== undefined && record.cancelRequestedAt === undefined) return { end: 'failed', error: ended };
  if (record.cancelRequestedAt !== undefined) return { end: 'cancelled', error: workError('cancelled') };
  const { differences = 0 } = notesOf(record);
  const troubled = OUTCOMES.filter(needsPerson).reduce((sum, outcome) => sum + outcomes[outcome], 0);
  const count = differences + troubled;
  if (record.kind === 'drill' && count > 0) return { end: 'failed', error: sayRestore('drillDiffers', { count }) };
  return { end: count > 0 ? 'completedWithFailures' : 'completed' };
}

/** Why the lines were not applied, if they were not. */
export function endOfApplied(applied: RunBase | undefined): RunError | undefined {
  if (applied === undefined || applied.state === 'completed' || applied.state === 'completedWithFailures')
    return undefined;
  const said = sayRestore('applyFailed', { run: applied.runId, state: applied.state });
  const { error } = applied;
  return error === undefined
    ? said
    : {
        ...said,
        message: `${said.message} ${error.message}`,
        ...(error.action === undefined ? {} : { action: error.action }),
      };
}

export async function isApplied(context: WorkContext, { appliedBy }: WorkRun): Promise<boolean> {
  return appliedBy === undefined || endOfApplied(await readApplied(context, appliedBy)) === undefined;
}
