/** What a run came to, as text for people. */

import { DEFAULT_OPTIONS } from '../src/lib/provisioning/dropOptions.ts';
import { OUTCOMES, type RunRecord, type RunState } from '../src/lib/provisioning/runRecord.ts';
import { troubled } from './exitCode.ts';
import { renderFileWarnings } from './fileWarningsText.ts';
import { formatBytes, formatCount, formatDuration, formatPlural, formatTime } from './format.ts';
import { outcomeStyle, outcomeText, type Paint } from './outcomeText.ts';
import type { Style } from './output.ts';
import { renderPlan } from './planText.ts';
import { renderReasons } from './reasonsText.ts';
import type { ReportedConfiguration, RunReport } from './report.ts';
import { wrap } from './wrap.ts';

export interface Look {
  readonly now: Date;
  readonly paint: Paint;
  /** Width of the terminal; undefined where there is none. */
  readonly columns?: number | undefined;
}

const STATE_TEXT: Readonly<Record<RunState, string>> = {
  accepted: 'accepted',
  running: 'running',
  completed: 'completed',
  completedWithFailures: 'completed with failures',
  refused: 'refused',
  cancelled: 'cancelled',
  failed: 'failed',
  stale: 'stale',
};

export function stateText(state: RunState): string {
  return STATE_TEXT[state];
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
export function runDuration(record: RunRecord, now: Date): number {
  return Date.parse(record.finishedAt ?? now.toISOString()) - Date.parse(record.createdAt);
}

/** The result: state, what went wrong, a count for each outcome, where the report is. */
export function renderOutcome(record: RunRecord, report: RunReport | undefined, look: Look): string[] {
  const { now, paint, columns } = look;
  const head = paint(['bold', ...[stateStyle(record)].flat()] as Style, sentence(stateText(record.state)));
  const dryRun = record.options?.dryRun ? ' (dry run: nothing was sent to the hub)' : '';
  const lines = [
    `${head} ${record.finishedAt === undefined ? 'for' : 'after'} ${formatDuration(runDuration(record, now))}${dryRun}`,
  ];
  if (record.error !== undefined) {
    lines.push('', ...record.error.message.split('\n').flatMap((line) => wrap(line, 2, columns)));
    if (record.error.action !== undefined) lines.push(...wrap(record.error.action, 2, columns));
  }
  lines.push(
    ...renderCounts(record, paint),
    ...renderPlan(record.plan, paint),
    ...renderConfigurations(record, report, look),
    ...renderLines(record, columns),
    ...renderFileWarnings(record, columns, paint),
    ...renderReasons(report?.reasons ?? [], columns, paint),
    ...renderReport(record, paint),
  );
  return lines;
}

function renderCounts(record: RunRecord, paint: Paint): string[] {
  const { outcomes } = record;
  if (outcomes === undefined) return [];
  const rows = OUTCOMES.filter((outcome) => outcomes[outcome] > 0);
  const total = rows.reduce((sum, outcome) => sum + outcomes[outcome], 0);
  const width = Math.max(formatCount(total).length, 5);
  const row = (text: string, count: number): string => `  ${text.padEnd(26)}${formatCount(count).padStart(width)}`;
  return [
    '',
    ...rows.map((outcome) => {
      const text = row(outcomeText(outcome), outcomes[outcome]);
      const style = outcomeStyle(outcome);
      return style === undefined ? text : paint(style, text);
    }),
    ...(rows.length === 1 ? [] : [paint('dim', `  ${'─'.repeat(26 + width)}`), row('lines', total)]),
    ...(rows.length === 0 ? [row('lines', 0)] : []),
  ];
}

const CONFIGURATIONS_SHOWN = 5;

function renderConfiguration(one: ReportedConfiguration, columns: number | undefined, paint: Paint): string[] {
  const { outcome, code, line, configurationId, reason, action } = one;
  const what = paint(outcomeStyle(outcome) ?? 'dim', [outcomeText(outcome), code].filter(Boolean).join(': '));
  const why = [reason, action].filter((part) => part !== undefined).join(' ');
  const id = configurationId === undefined ? '' : ` ${configurationId}`;
  return [`    ${what}, line ${line}${id}`, ...(why === '' ? [] : wrap(why, 6, columns))];
}

/** They are no lines of the file, so they stand apart from its sum. */
function renderConfigurations({ configurations }: RunRecord, report: RunReport | undefined, look: Look): string[] {
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
function renderLines({ check, kept }: RunRecord, columns: number | undefined): string[] {
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
  const [first = '', ...others] = wrap(text, 12, columns);
  return [`  ${title.padEnd(10)}${first.trimStart()}`, ...others];
}

const KEPT = [
  ['authentication', 'keys'],
  ['status', 'status'],
  ['statusReason', 'status reason'],
  ['capabilities', 'edge capability'],
] as const;

function modesText(check: NonNullable<RunRecord['check']>): string {
  return Object.entries(check.byMode)
    .map(([mode, count]) => `${mode} ${formatCount(count)}`)
    .join(', ');
}

function renderReport({ report }: RunRecord, paint: Paint): string[] {
  if (report === undefined) return [];
  const rows: [string, string | undefined, string?][] = [
    ['report', report.csv ?? report.json],
    ['', report.csv === undefined ? undefined : report.json],
    ['', report.configurations],
    ['failed', report.failedDevices, 'drop it again, corrected where needed'],
    ['rejected', report.rejectedLines, 'drop them again, corrected'],
  ];
  return [
    '',
    ...rows.flatMap(([title, name, hint]) =>
      name === undefined
        ? []
        : [`  ${title.padEnd(10)}${report.container}/${name}${hint === undefined ? '' : paint('dim', `  (${hint})`)}`],
    ),
  ];
}

/** Everything that the record of a run says. */
export function renderRun(record: RunRecord, report: RunReport | undefined, look: Look): string[] {
  const { paint } = look;
  const { drop, check, job, waiting } = record;
  const fields: [string, string | undefined][] = [
    ['hub', record.hub],
    ['batch', record.batch],
    [
      'file',
      `${drop.container}/${drop.blobName}  (${formatBytes(drop.size)}, dropped ${formatTime(drop.lastModified)})`,
    ],
    ['options', optionsText(record)],
    ['started', formatTime(record.startedAt ?? record.createdAt)],
    ['finished', record.finishedAt && formatTime(record.finishedAt)],
    ['phase', record.finishedAt === undefined ? record.phase : undefined],
    ['waiting', waiting && `${waiting.reason} (since ${formatTime(waiting.since)})`],
    ['suspended', record.suspendedAt && `since ${formatTime(record.suspendedAt)}; hubkeeper resume lets it go on`],
    [
      'cancel',
      record.finishedAt === undefined && record.cancelRequestedAt
        ? `asked for ${formatTime(record.cancelRequestedAt)}`
        : undefined,
    ],
    ['checked', check && checkText(check)],
    [
      'job',
      job &&
        `${job.jobId}, ${job.status}${record.finishedAt === undefined ? ` ${job.progress} %, waited for until ${formatTime(job.deadline)}` : ''}`,
    ],
  ];
  return [
    `${paint('bold', 'run')} ${record.runId}`,
    '',
    ...fields.flatMap(([name, value]) => (value ? [`  ${name.padEnd(10)}${value}`] : [])),
    '',
    ...renderOutcome(record, report, look),
  ];
}

function optionsText({ options }: RunRecord): string | undefined {
  if (options === undefined) return undefined;
  const defaults: Readonly<Record<string, unknown>> = { ...DEFAULT_OPTIONS };
  const changed = Object.entries(options).filter(([name, value]) => value !== defaults[name]);
  return changed.length === 0 ? 'as by default' : changed.map(([name, value]) => `${name} ${value}`).join(', ');
}

function checkText(check: NonNullable<RunRecord['check']>): string {
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
