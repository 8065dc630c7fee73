/** What a run came to, as text for people. */

import { dirname } from 'node:path/posix';
import type { ProvisionRun } from '../../src/lib/provisioning/run/provisionRun.ts';
import { mayBeUndone, type RunRecord } from '../../src/lib/runKinds.ts';
import { isFinal, OUTCOMES, type RunBase } from '../../src/lib/runs/runRecord.ts';
import { troubled } from '../exitCode.ts';
import type { CommandText } from './commandText.ts';
import { changed, confirmingCommand, type Dropped } from './confirmText.ts';
import { renderFileWarnings } from './fileWarningsText.ts';
import { formatBytes, formatCount, formatDuration, formatPlural, formatTime } from './format.ts';
import { renderCounts } from './outcomeCounts.ts';
import { outcomeStyle, outcomeText, type Paint } from './outcomeText.ts';
import type { Style } from './output.ts';
import { renderPlan } from './planText.ts';
import { renderReasons } from './reasonsText.ts';
import type { ReportedConfiguration, RunReport } from './runReport.ts';
import { jobStatusText, PHASE_TEXT, shortId, stateText } from './runWords.ts';
import { behind, wrap, wrapFinding } from './wrap.ts';

export interface Look {
  readonly now: Date;
  readonly paint: Paint;
  /** Width of the terminal; undefined where there is none. */
  readonly columns?: number | undefined;
  /** Commands that reach the app of the run. */
  readonly command: CommandText;
  /** What this very command has dropped. */
  readonly dropped?: Dropped | undefined;
  /** Whether the report is downloaded now, so that nobody has to be told how. */
  readonly downloads?: boolean;
}

export function stateStyle(record: RunRecord): Style {
  switch (record.state) {
    case 'accepted':
    case 'running':
      return 'cyan';
    case 'completed':
      return troubled(record) > 0 ? 'yellow' : 'green';
    case 'completedWithFailures':
      return 'yellow';
    default:
      return 'red';
  }
}

/** How long the run took, or has been going on, ms. */
export function runDuration(record: RunBase, now: Date): number {
  return Date.parse(record.finishedAt ?? now.toISOString()) - Date.parse(record.createdAt);
}

/** The result: state, what went wrong, a count for each outcome, where the report is. */
export function renderOutcome(record: ProvisionRun, report: RunReport | undefined, look: Look): string[] {
  const { now, paint, columns, command } = look;
  const head = paint(['bold', ...[stateStyle(record)].flat()] as Style, sentence(stateText(record.state)));
  const dryRun = record.options?.dryRun ? ' (dry run: nothing was sent to the hub)' : '';
  const lines = [
    `${head} ${record.finishedAt === undefined ? 'for' : 'after'} ${formatDuration(runDuration(record, now))}${dryRun}`,
  ];
  if (cameTooLate(record)) {
    lines.push('', ...wrap('The cancel came too late: by then there was nothing left that it could stop.', 2, columns));
  }
  lines.push(
    ...renderError(record, look),
    ...renderCounts(record.outcomes, paint),
    ...renderPlan(record.plan, paint),
    ...renderConfigurations(record, report, look),
    ...renderLines(record, columns),
    ...renderFileWarnings(record, columns, paint),
    ...renderReasons(report?.reasons ?? [], columns, paint),
    ...renderReport(record, look),
    ...renderUndo(record, command),
  );
  return lines;
}

/** Whether a cancel was asked for that changed nothing. */
function cameTooLate({ state, cancelRequestedAt }: ProvisionRun): boolean {
  return cancelRequestedAt !== undefined && isFinal(state) && state !== 'cancelled';
}

function renderError(record: ProvisionRun, { columns, command, dropped }: Look): string[] {
  const { error, options } = record;
  if (error === undefined) return [];
  const message = error.message.split('\n').flatMap((line) => wrap(line, 2, columns));
  const confirming = confirmingCommand(record, dropped, command);
  if (confirming === undefined) {
    return ['', ...message, ...(error.action === undefined ? [] : wrap(error.action, 2, columns))];
  }
  // Not wrapped: it is there to be pasted.
  const without = options?.backupFirst === 'never' ? ['', '  If not, leave --backup-first out.'] : [];
  return ['', ...message, '', '  If you mean it, type:', '', `    ${confirming}`, ...without];
}

const CONFIGURATIONS_SHOWN = 5;

function renderConfiguration(one: ReportedConfiguration, columns: number | undefined, paint: Paint): string[] {
  const { outcome, code, line, configurationId, reason, action } = one;
  const what = paint(outcomeStyle(outcome) ?? 'dim', [outcomeText(outcome), code].filter(Boolean).join(': '));
  const why = [reason, action].filter((part) => part !== undefined).join(' ');
  const id = configurationId === undefined ? '' : ` ${configurationId}`;
  return [`    ${what}, line ${line}${id}`, ...(why === '' ? [] : wrapFinding(why, 6, columns))];
}

/** They are no lines of the file, so they stand apart from its sum. */
function renderConfigurations({ configurations }: ProvisionRun, report: RunReport | undefined, look: Look): string[] {
  const { paint, columns } = look;
  const { outcomes } = configurations ?? {};
  if (outcomes === undefined) return [];
  const parts = OUTCOMES.filter((outcome) => outcomes[outcome] > 0).map((outcome) => {
    const text = `${formatCount(outcomes[outcome])} ${outcomeText(outcome)}`;
    const style = outcomeStyle(outcome);
    return style === undefined ? text : paint(style, text);
  });
  const wanted = report?.configurations?.lines ?? [];
  const hidden = wanted.length - CONFIGURATIONS_SHOWN;
  return [
    '',
    `  configurations: ${parts.length === 0 ? 'none' : parts.join(', ')}`,
    ...wanted.slice(0, CONFIGURATIONS_SHOWN).flatMap((one) => renderConfiguration(one, columns, paint)),
    ...(hidden <= 0 ? [] : [paint('dim', `    … and ${formatCount(hidden)} more: see the report`)]),
  ];
}

/** What the lines asked for, and what of them was taken from their devices. */
function renderLines({ check, kept }: ProvisionRun, columns: number | undefined): string[] {
  if (check === undefined) return [];
  const modes = modesText(check);
  const fields = KEPT.flatMap(([field, text]) => {
    const count = kept?.[field] ?? 0;
    return count === 0 ? [] : [`${text} of ${formatPlural(count, 'line')}`];
  });
  const rows: [string, string][] = [
    ['modes', modes],
    ['kept', fields.length === 0 ? '' : `${fields.join(', ')}: as their devices have them`],
  ];
  const filled = rows.filter(([, text]) => text !== '');
  return filled.length === 0 ? [] : ['', ...filled.flatMap(([title, text]) => titled(title, text, columns))];
}

/** A row with a title; text that does not fit goes on below itself. */
function titled(title: string, text: string, columns: number | undefined): string[] {
  return [...behind(`  ${title.padEnd(10)}`, wrap(text, 12, columns))];
}

const KEPT = [
  ['authentication', 'keys'],
  ['status', 'status'],
  ['statusReason', 'status reason'],
  ['capabilities', 'edge capability'],
] as const;

function modesText(check: NonNullable<ProvisionRun['check']>): string {
  return Object.entries(check.byMode)
    .map(([mode, count]) => `${mode} ${formatCount(count)}`)
    .join(', ');
}

/** Where the files of the report are, and how to get them. */
function renderReport({ report, runId }: ProvisionRun, look: Look): string[] {
  if (report === undefined) return [];
  const { paint, command, downloads } = look;
  const folder = dirname(report.json);
  const inFolder = (name: string): string => (dirname(name) === folder ? name.slice(folder.length + 1) : name);
  const rows: [string | undefined, string?][] = [
    [report.csv],
    [report.json],
    [report.configurations],
    [report.failedDevices, 'drop it again, corrected where needed'],
    [report.rejectedLines, 'drop them again, corrected'],
  ];
  return [
    '',
    `  report    ${report.container}/${folder}`,
    ...rows.flatMap(([name, hint]) =>
      name === undefined
        ? []
        : [`            ${inFolder(name)}${hint === undefined ? '' : paint('dim', `  (${hint})`)}`],
    ),
    ...(downloads ? [] : [`  get it    ${command('run', shortId(runId), '--report', 'DIR')}`]),
  ];
}

/** How to put back what the run changed. */
export function renderUndo(record: RunRecord, command: CommandText): string[] {
  return mayBeUndone(record) ? ['', `  undo it   ${command('undo', shortId(record.runId))}`] : [];
}

/** Everything that the record of a run says. */
export function renderRun(record: ProvisionRun, report: RunReport | undefined, look: Look): string[] {
  const { paint, columns, command } = look;
  const { drop, check, jobs, waiting, suspendedAt } = record;
  const job = jobs.import;
  const goesOn = record.finishedAt === undefined;
  const fields: [string, string | false | undefined][] = [
    ['hub', record.hub],
    ['batch', record.batch],
    ['file', `${drop.container}/${drop.blobName} (${formatBytes(drop.size)})`],
    ['dropped', formatTime(drop.lastModified)],
    ['options', optionsText(record)],
    ['started', formatTime(record.startedAt ?? record.createdAt)],
    ['finished', record.finishedAt && formatTime(record.finishedAt)],
    ['now', goesOn && record.phase && PHASE_TEXT[record.phase]],
    ['waiting', waiting && `${waiting.reason} (since ${formatTime(waiting.since)})`],
    ['suspended', suspendedAt && `since ${formatTime(suspendedAt)}`],
    ['cancel', record.cancelRequestedAt && `asked for ${formatTime(record.cancelRequestedAt)}`],
    ['checked', check && checkText(check)],
    ['job', job && `${job.jobId}, ${jobStatusText(job)}${goesOn ? `, ${job.progress} %` : ''}`],
    ['deadline', goesOn && job && `${formatTime(job.deadline)} (then the job is no longer waited for)`],
  ];
  return [
    `${paint('bold', 'run')} ${record.runId}`,
    '',
    ...fields.flatMap(([name, value]) => (value ? titled(name, value, columns) : [])),
    ...(suspendedAt === undefined ? [] : [`  go on     ${command('resume', shortId(record.runId))}`]),
    '',
    ...renderOutcome(record, report, look),
  ];
}

function optionsText({ options }: ProvisionRun): string | undefined {
  if (options === undefined) return undefined;
  const chosen = Object.entries(changed(options));
  return chosen.length === 0 ? 'defaults' : chosen.map(([name, value]) => `${name} ${value}`).join(', ');
}

function checkText(check: NonNullable<ProvisionRun['check']>): string {
  const parts = [
    formatPlural(check.lines, 'line'),
    formatPlural(check.devices, 'device'),
    check.modules > 0 ? formatPlural(check.modules, 'module') : undefined,
    check.rejected > 0 ? `${formatCount(check.rejected)} rejected` : undefined,
    check.skipped > 0 ? `${formatCount(check.skipped)} skipped` : undefined,
    check.warnings > 0 ? formatPlural(check.warnings, 'warning') : undefined,
  ];
  return parts.filter((part) => part !== undefined).join(', ');
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
