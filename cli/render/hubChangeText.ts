/** What is to be told of a restore, a drill, an undo or a delete-all beside the outcomes of its lines. */

import type { PlanCountsOfMode } from '../../src/lib/restore/planTally.ts';
import type { UndoResult } from '../../src/lib/undo/writeUndoPlan.ts';
import type { WorkRun } from '../../src/lib/work/workRun.ts';
import { formatCount, formatPlural } from './format.ts';
import { sumOf } from './outcomeCounts.ts';
import { type NotedPlan, restoreNotes, undoNotes } from './planNotes.ts';

const KINDS: readonly WorkRun['kind'][] = ['restore', 'drill', 'undo', 'deleteAll'];

export function isHubChange({ kind }: WorkRun): boolean {
  return KINDS.includes(kind);
}

/** By their names: what was planned, and which backup it was of, or made. */
export function factsOf({ kind, result, finishedAt }: WorkRun): readonly (readonly [name: string, value: string])[] {
  if (result === undefined || finishedAt === undefined) return [];
  const { backup } = result;
  const counts = result as Partial<PlanCountsOfMode>;
  return [
    ...(counts.create === undefined ? [] : [['planned', plannedText(counts as PlanCountsOfMode, kind)] as const]),
    ...(typeof backup === 'string' ? [['backup', backup] as const] : []),
  ];
}

type Counts = Pick<PlanCountsOfMode, 'create' | 'change' | 'delete' | 'configurations'>;

function plannedText(counts: Counts, kind: WorkRun['kind']): string {
  const of = (some: Pick<Counts, 'create' | 'change' | 'delete'>) =>
    (['create', 'change', 'delete'] as const)
      .filter((name) => some[name] > 0)
      .map((name) => `${formatCount(some[name])} to ${name}`)
      .join(', ');
  const [identities, configurations] = [of(counts), of(counts.configurations)];
  if (identities === '' && configurations === '') {
    return kind === 'undo'
      ? 'nothing: what the run changed is as it was'
      : 'nothing: there was no difference to bring back';
  }
  return [identities, configurations && `configurations: ${configurations}`].filter(Boolean).join('; ');
}

/** Sentences, once it has ended. */
export function hubChangeNotes(record: WorkRun): readonly string[] {
  const { kind, result, finishedAt } = record;
  if (finishedAt === undefined) return [];
  return [...changedNote(record), ...(result === undefined ? [] : (notesOf[kind]?.(record, result) ?? []))];
}

/** What somebody asks first of a run that did not come to its end. */
function changedNote({ state, appliedBy, notes }: WorkRun): readonly string[] {
  if (state !== 'failed' && state !== 'cancelled') return [];
  const mayHaveChanged = appliedBy !== undefined || notes?.['applying'] === true || notes?.['restAt'] !== undefined;
  return [mayHaveChanged ? 'What it had changed on the hub by then stays.' : 'Nothing was changed on the hub.'];
}

type Result = Readonly<Record<string, unknown>>;

const notesOf: Readonly<Partial<Record<WorkRun['kind'], (record: WorkRun, result: Result) => readonly string[]>>> = {
  restore: (_, result) => notesOfRestore(result),
  drill: (_, result) => notesOfRestore(result),
  undo: (_, result) => notesOfUndo(result),
  deleteAll: notesOfDeleteAll,
};

function notesOfDeleteAll({ outcomes, request: { prefix } }: WorkRun, { keys }: Result): readonly string[] {
  if (outcomes === undefined) return [];
  if (sumOf(outcomes) === 0) {
    const which = typeof prefix === 'string' ? `: no device has an id that begins with ${prefix}` : '';
    return [`There was nothing to delete${which}.`];
  }
  if (keys !== 'excluded') return [];
  return [
    'The backup has no keys (BACKUP_KEYS): what is restored from it gets new ones. An undo brings back the old ones.',
  ];
}

function notesOfRestore(result: Result): readonly string[] {
  const found = result as Partial<NotedPlan> & { readonly differences?: number };
  const { differences } = found;
  return [
    // A run that has come to no plan has no counts.
    ...(found.lost === undefined ? [] : restoreNotes(found as NotedPlan, 'done')),
    ...(differences === undefined ? [] : [differencesText(differences)]),
  ];
}

function notesOfUndo({ notes = [], foreign, configurations }: Partial<UndoResult>): readonly string[] {
  const count = (foreign ?? 0) + (configurations?.foreign ?? 0);
  const left = `Left alone, because somebody else has changed them since: ${formatCount(count)}. --force puts these back, too.`;
  // Of these the note of the plan counts no configurations.
  const others = undoNotes({ notes: notes.filter(({ code }) => code !== 'foreign') });
  return count === 0 ? others : [left, ...others];
}

function differencesText(count: number): string {
  if (count === 0) return 'Compared with the backup in the end: no difference.';
  return `Compared with the backup in the end: ${formatPlural(count, 'difference')}, one a line in differences.ndjson of the report.`;
}
