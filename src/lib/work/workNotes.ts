/** What the records of work note between its stages. */

import type { RunError } from '../runs/runRecord.ts';
import type { RestAt } from './restParts.ts';
import type { WorkContext, WorkPhase, WorkRun } from './workRun.ts';

/** What the stages that all kinds share note. */
export interface SharedNotes {
  readonly restAt?: RestAt;
  /** Of a stage that has failed for good, and after which the run goes on to its report. */
  readonly failure?: RunError;
}

/** Reads and writes the notes of one kind. */
export function workNotes<Notes extends object = SharedNotes>() {
  return {
    notesOf: ({ notes }: Pick<WorkRun, 'notes'>): Notes => (notes ?? {}) as Notes,
    /** Adds to what the record notes; what stands there already stays. */
    noteOnce: (context: WorkContext, runId: string, more: Partial<Notes>): Promise<WorkRun> =>
      context.runs.update(runId, (current) => ({ ...current, notes: { ...more, ...current.notes } })),
    note: (context: WorkContext, runId: string, more: Partial<Notes>): Promise<WorkRun> =>
      context.runs.update(runId, (current) => ({ ...current, notes: { ...current.notes, ...more } })),
  };
}

/** Whether a run may have begun the one that applies its lines. */
export function isApplying({ notes }: Pick<WorkRun, 'notes'>): boolean {
  return notes?.['applying'] === true;
}

export async function enterPhase(context: WorkContext, runId: string, phase: WorkPhase): Promise<void> {
  await context.runs.update(runId, ({ progress: _progress, ...current }) => ({ ...current, phase }));
}
