/** What the records of these runs note between their stages. */

import type { SnapshotKeys } from '../registryLines/snapshot.ts';
import type { WorkContext, WorkPhase, WorkRun } from '../work/workRun.ts';
import type { RestAt, RestPart } from './restRows.ts';
import type { WrittenPlan } from './writePlan.ts';

export interface RestoreNotes {
  /** Whether the backup has keys. */
  readonly keys?: SnapshotKeys;
  readonly plan?: WrittenPlan;
  readonly restAt?: RestAt;
  /** What differed in the end. */
  readonly differences?: number;
  /** Of a delete-all: the run that makes the backup, and the backup that its lines are made from. */
  readonly backedUpBy?: string;
  readonly backup?: string;
  /** Its lines, in the container of the run; without a name: there are none. */
  readonly deletes?: { readonly blobName?: string };
  /** The rest of a run that has no plan. */
  readonly rest?: readonly RestPart[];
}

export function notesOf({ notes }: Pick<WorkRun, 'notes'>): RestoreNotes {
  return (notes ?? {}) as RestoreNotes;
}

/** Adds to what the record notes; what stands there already stays. */
export async function noteOnce(context: WorkContext, runId: string, more: RestoreNotes): Promise<WorkRun> {
  return context.runs.update(runId, (current) => ({ ...current, notes: { ...more, ...current.notes } }));
}

export async function note(context: WorkContext, runId: string, more: RestoreNotes): Promise<WorkRun> {
  return context.runs.update(runId, (current) => ({ ...current, notes: { ...current.notes, ...more } }));
}

export async function enterPhase(context: WorkContext, runId: string, phase: WorkPhase): Promise<void> {
  await context.runs.update(runId, ({ progress: _progress, ...current }) => ({ ...current, phase }));
}

/** @throws Error when the stages were taken out of order */
export function planOf(record: WorkRun): WrittenPlan {
  const { plan } = notesOf(record);
  if (plan === undefined) throw new Error(`The run ${record.runId} has no plan.`);
  return plan;
}
