/** The stage that works through what no line does, part by part, in steps that may be done again. */

import { applyConfigurations } from '../registryExtras/applyConfigurations.ts';
import { applyManagedBy } from '../registryExtras/applyManagedBy.ts';
import { applySystemModules } from '../registryExtras/applySystemModules.ts';
import type { ConfigurationChange } from '../registryExtras/configurationChanges.ts';
import type { ModuleExtra } from '../registryExtras/extraLine.ts';
import type { ItemOutcome, WorkLimits, WorkStep } from '../registryExtras/hubWork.ts';
import type { SystemModulesPlan } from '../registryExtras/systemModules.ts';
import { paceOfRun } from '../runs/paceOfRun.ts';
import { stagingOf } from '../runs/runContainer.ts';
import { hubOf } from '../runs/runRecord.ts';
import { doneWaiting } from '../runs/waiting.ts';
import { linesOf, rowsOf, writeLines } from '../storage/ndjson.ts';
import type { RestAt, RestPart } from './restParts.ts';
import { demandSameHub } from './sameHub.ts';
import type { Stage, StageInput, StageReply } from './stage.ts';
import { workNotes } from './workNotes.ts';
import type { WorkContext, WorkRun } from './workRun.ts';

const { notesOf } = workNotes();

const BEGINNING: RestAt = { part: 0, position: 0, outcomes: { succeeded: 0, failed: 0, unchanged: 0 } };

const STEP_MS = 30_000;
/** A module is read, and then written. */
const OPERATIONS_OF_MODULE = 2;
const MOST_TAKEN = 1_000;

export interface RestStageOptions {
  /** What there is to do, as the record notes it. */
  rest(record: WorkRun): readonly RestPart[];
  /** The stage that follows once all is done, or the run is cancelled. */
  readonly next: string;
}

/** Stage `rest`: works through the rest that the record notes. */
export function restStage({ rest: restOf, next }: RestStageOptions): Readonly<Record<'rest', Stage>> {
  const work: Stage['work'] = async (context, record, input): Promise<StageReply> => {
    const { restAt = BEGINNING } = notesOf(record);
    const part = restOf(record)[restAt.part];
    if (part === undefined || record.cancelRequestedAt !== undefined) return { go: next };
    demandSameHub(context, record);
    const pace = paceFor(context, record, part);
    // Twins and configurations are paced by the hub itself: it takes what it takes, and the rest a little later.
    if (pace !== undefined && !input.granted) return { take: pace.take, itemsPerMinute: pace.itemsPerMinute };
    const step = await workOn(context, record, part, { at: restAt, limits: limitsOf(context, input) });
    await noteStep(context, record, { part, at: restAt, step });
    // Trouble is waited out for a while; what moves on is in none.
    if (step.position > restAt.position) await doneWaiting(context, record.runId);
    if (step.stoppedBy !== undefined) throw step.stoppedBy;
    return { go: 'rest' };
  };
  // What was done until then is told all the same.
  return { rest: { work, whenCancelled: true, failed: 'report' } };
}

function paceFor(context: WorkContext, record: WorkRun, { part, items }: RestPart) {
  if (part !== 'managedBy') return undefined;
  const { itemsPerMinute } = paceOfRun(context, record);
  const least = Math.min(items * OPERATIONS_OF_MODULE, Math.ceil(itemsPerMinute / 2), MOST_TAKEN);
  return { take: Math.max(OPERATIONS_OF_MODULE, least), itemsPerMinute };
}

function limitsOf({ now, sleep }: WorkContext, { granted, spreadMs = 0 }: StageInput): WorkLimits {
  const atMost = granted === undefined ? Number.POSITIVE_INFINITY : Math.ceil(granted / OPERATIONS_OF_MODULE);
  const until = new Date(now().getTime() + STEP_MS);
  return { atMost, until, pauseMs: granted === undefined ? 0 : Math.floor(spreadMs / atMost), now, sleep };
}

async function workOn(
  context: WorkContext,
  record: WorkRun,
  { part, blobName }: RestPart,
  { at: { position }, limits }: { readonly at: RestAt; readonly limits: WorkLimits },
): Promise<WorkStep<ItemOutcome>> {
  const hub = context.hub(hubOf(record));
  const blob = stagingOf(context, record.runId).getBlockBlobClient(blobName);
  switch (part) {
    case 'systemModules':
      return applySystemModules(hub, rowsOf<SystemModulesPlan>(blob), position, limits);
    case 'managedBy':
      return applyManagedBy(hub, rowsOf<ModuleExtra>(blob), position, limits);
    case 'configurations':
      return applyConfigurations(hub, rowsOf<ConfigurationChange>(blob), position, limits);
  }
}

interface DoneStep {
  readonly part: RestPart;
  readonly at: RestAt;
  readonly step: WorkStep<ItemOutcome>;
}

async function noteStep(context: WorkContext, record: WorkRun, { part, at, step }: DoneStep): Promise<void> {
  const { results, position, done } = step;
  if (results.length > 0) {
    // A step that is done again writes over it: what it did before is then unchanged, and nothing is told twice.
    const blob = stagingOf(context, record.runId).getBlockBlobClient(outcomesBlob(at));
    await writeLines(
      blob,
      results.map((result) => JSON.stringify(result)),
    );
  }
  const outcomes = { ...at.outcomes };
  for (const { outcome } of results) outcomes[outcome] += 1;
  const restAt: RestAt = done ? { part: at.part + 1, position: 0, outcomes } : { ...at, position, outcomes };
  const before = JSON.stringify(at);
  await context.runs.update(record.runId, (current) => {
    // Another attempt at this step was first, and others may have gone on from there.
    if (JSON.stringify(notesOf(current).restAt ?? BEGINNING) !== before) return undefined;
    return {
      ...current,
      phase: 'rest',
      progress: { part: part.part, lines: part.items, left: Math.max(0, part.items - position) },
      notes: { ...current.notes, restAt },
    };
  });
}

const OUTCOMES_PREFIX = 'rest-outcomes-';

function outcomesBlob({ part, position }: RestAt): string {
  return `${OUTCOMES_PREFIX}${part}-${String(position).padStart(9, '0')}.ndjson`;
}

/** What became of the rest, a line of JSON an item, in its order. */
export async function* restOutcomes(
  context: WorkContext,
  record: Pick<WorkRun, 'runId'>,
): AsyncGenerator<string, void> {
  const staging = stagingOf(context, record.runId);
  for await (const { name } of staging.listBlobsFlat({ prefix: OUTCOMES_PREFIX })) {
    yield* linesOf(staging.getBlockBlobClient(name));
  }
}
