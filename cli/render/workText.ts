/** Work that is no provisioning run, as a person reads it. */

import type { WorkRun } from '../../src/lib/work/workRun.ts';
import { type CommandText, typedCommands } from './commandText.ts';
import { formatDuration, formatTime } from './format.ts';
import { factsOf, hubChangeNotes, isHubChange } from './hubChangeText.ts';
import { renderCounts, sumOf } from './outcomeCounts.ts';
import { type Look, renderUndo, runDuration, stateStyle } from './runText.ts';
import { KIND_TEXT, phaseText, shortId, stateText } from './runWords.ts';
import { renderTroubles, type WorkTroubles } from './workTroublesText.ts';
import { behind, wrap } from './wrap.ts';

type WorkLook = Pick<Look, 'now' | 'paint' | 'columns' | 'command'> & {
  /** What it does now, if more of that is known than its phase. */
  readonly doing?: string | undefined;
  /** What failed. Default: that is not told. */
  readonly troubles?: WorkTroubles | undefined;
};

/** The result: what the work was, its state, what went wrong, a count for each outcome. */
export function renderWorkOutcome(record: WorkRun, look: WorkLook): string[] {
  const { now, paint, columns, command } = look;
  const { kind, state, error, finishedAt, outcomes, appliedBy } = record;
  const head = paint(stateStyle(record), stateText(state));
  const lines = [
    `${capital(KIND_TEXT[kind])} ${head} ${finishedAt === undefined ? 'for' : 'after'} ${formatDuration(runDuration(record, now))}`,
  ];
  if (error !== undefined) {
    lines.push(
      '',
      ...wrap(error.message, 2, columns),
      ...(error.action === undefined ? [] : wrap(typedCommands(error.action, command), 2, columns)),
    );
  }
  if (outcomes !== undefined && sumOf(outcomes) > 0) lines.push(...renderCounts(outcomes, paint));
  if (!isHubChange(record)) return lines;
  if (look.troubles !== undefined) lines.push(...renderTroubles(look.troubles, look));
  for (const [name, value] of factsOf(record))
    lines.push('', ...behind(`  ${name.padEnd(10)}`, wrap(value, 12, columns)));
  if (appliedBy !== undefined) lines.push('', `  see lines ${command('run', shortId(appliedBy))}`);
  for (const text of hubChangeNotes(record)) lines.push('', ...wrap(text, 2, columns));
  lines.push(...(kind === 'drill' ? renderEmptying(record, command) : renderUndo(record, command)));
  return lines;
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
    ['now', goesOn && phase && (look.doing ?? phaseText(phase))],
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

/** A drill leaves its hub as it is, and the next one needs it empty. */
function renderEmptying({ hub, appliedBy, finishedAt }: WorkRun, command: CommandText): string[] {
  if (hub === undefined || appliedBy === undefined || finishedAt === undefined) return [];
  return ['', `  empty it  ${command('delete-all', '--hub', hub, '--configurations')}`];
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
