/** Work that is no provisioning run, as a person reads it. */

import type { UndoResult } from '../../src/lib/undo/writeUndoPlan.ts';
import type { WorkRun } from '../../src/lib/work/workRun.ts';
import { formatCount, formatDuration, formatPlural, formatTime } from './format.ts';
import { renderCounts } from './outcomeCounts.ts';
import { type NotedPlan, restoreNotes, undoNotes } from './planNotes.ts';
import { type Look, renderUndo, runDuration, stateStyle } from './runText.ts';
import { KIND_TEXT, phaseText, shortId, stateText } from './runWords.ts';
import { behind, wrap } from './wrap.ts';

type WorkLook = Pick<Look, 'now' | 'paint' | 'columns' | 'command'>;

/** The result: what the work was, its state, what went wrong, a count for each outcome. */
export function renderWorkOutcome(record: WorkRun, look: WorkLook): string[] {
  const { now, paint, columns, command } = look;
  const { kind, state, error, finishedAt, outcomes, appliedBy, result } = record;
  const head = paint(stateStyle(record), stateText(state));
  const lines = [
    `${capital(KIND_TEXT[kind])} ${head} ${finishedAt === undefined ? 'for' : 'after'} ${formatDuration(runDuration(record, now))}`,
  ];
  if (error !== undefined) {
    lines.push(
      '',
      ...wrap(error.message, 2, columns),
      ...(error.action === undefined ? [] : wrap(error.action, 2, columns)),
    );
  }
  lines.push(...renderCounts(outcomes, paint));
  if (appliedBy !== undefined) lines.push('', `  see lines ${command('run', shortId(appliedBy))}`);
  const backup = kind === 'deleteAll' || kind === 'restore' || kind === 'drill' ? result?.['backup'] : undefined;
  if (typeof backup === 'string') lines.push('', `  backup    ${backup}`);
  for (const text of notesOf(record)) lines.push('', ...wrap(text, 2, columns));
  lines.push(...renderUndo(record, command));
  return lines;
}

/** What the counts do not tell, once there is a result. */
function notesOf({ kind, result, finishedAt }: WorkRun): readonly string[] {
  if (result === undefined || finishedAt === undefined) return [];
  if (kind === 'undo') return notesOfUndo(result as unknown as UndoResult);
  if (kind !== 'restore' && kind !== 'drill') return [];
  const found = result as unknown as Partial<NotedPlan> & { readonly differences?: number };
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

/** Everything that the record of such a run says. */
export function renderWork(record: WorkRun, look: WorkLook): string[] {
  const { paint, columns, command } = look;
  const { runId, hub, createdAt, startedAt, finishedAt, phase, waiting, suspendedAt, cancelRequestedAt, jobs } = record;
  const goesOn = finishedAt === undefined;
  const job = jobs.exportAfter ?? jobs.export;
  const fields: [string, string | false | undefined][] = [
    ['what', KIND_TEXT[record.kind]],
    ['hub', hub],
    ['started', formatTime(startedAt ?? createdAt)],
    ['finished', finishedAt && formatTime(finishedAt)],
    ['now', goesOn && phase && phaseText(phase)],
    ['waiting', waiting && `${waiting.reason} (since ${formatTime(waiting.since)})`],
    ['suspended', suspendedAt && `since ${formatTime(suspendedAt)}`],
    ['cancel', cancelRequestedAt && `asked for ${formatTime(cancelRequestedAt)}`],
    ['job', job && `${job.jobId}, ${job.status}`],
  ];
  return [
    `${paint('bold', 'run')} ${runId}`,
    '',
    ...fields.flatMap(([name, value]) => (value ? [...behind(`  ${name.padEnd(10)}`, wrap(value, 12, columns))] : [])),
    ...(suspendedAt === undefined ? [] : [`  go on     ${command('resume', shortId(runId))}`]),
    '',
    ...renderWorkOutcome(record, look),
  ];
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
