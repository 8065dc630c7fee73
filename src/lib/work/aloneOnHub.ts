/**
 * Work that compares a hub and then changes it by what it found is done alone: of two at a time, each would take what the
 * other does for the state of the hub. The second is refused; it is not queued, for whoever confirmed it has seen another
 * plan.
 */

import type { RunBase, RunKind } from '../runs/runRecord.ts';
import { unfinishedRuns } from '../runs/unfinishedRuns.ts';
import { workError } from './workErrors.ts';
import { WorkRefused } from './workRefused.ts';
import type { WorkContext, WorkRun } from './workRun.ts';

const CHANGING: Readonly<Partial<Record<RunKind, string>>> = {
  restore: 'a restore',
  undo: 'an undo',
  deleteAll: 'a delete-all',
  drill: 'a drill',
};

/** A run of lines, as far as it says for whom it applies them: it may go on for a while after that one has failed. */
type RunOfLines = RunBase & { readonly appliedFor?: RunKind };

/**
 * @param hub alias
 * @param self looks only for those that are before it
 * @throws WorkRefused
 */
export async function demandAloneOnHub(
  { runs }: Pick<WorkContext, 'runs'>,
  hub: string,
  self?: Pick<WorkRun, 'runId' | 'createdAt'>,
): Promise<void> {
  const { records } = await unfinishedRuns(runs);
  const others = records.filter(
    (other: RunBase) =>
      other.hub === hub && changes(other) !== undefined && (self === undefined || isBefore(other, self)),
  );
  // Whoever asks wants to know of the run that was started, not of the one that works for it.
  const [other] = others.toSorted((a, b) => Number(isOfLines(a)) - Number(isOfLines(b)));
  if (other === undefined) return;
  throw new WorkRefused(workError('hubBeingChanged', { hub, run: other.runId, what: changes(other) ?? '' }));
}

function changes(run: RunOfLines): string | undefined {
  if (!isOfLines(run)) return CHANGING[run.kind];
  return run.appliedFor && CHANGING[run.appliedFor] && `the lines of ${CHANGING[run.appliedFor]}`;
}

function isOfLines({ kind }: RunBase): boolean {
  return kind === 'provision';
}

function isBefore(one: Pick<RunBase, 'runId' | 'createdAt'>, other: Pick<RunBase, 'runId' | 'createdAt'>): boolean {
  return one.createdAt === other.createdAt ? one.runId < other.runId : one.createdAt < other.createdAt;
}
