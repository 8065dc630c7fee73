/** What a run is doing now, from its record and the clock alone. */

import { isTerminalStatus } from '../../src/lib/hubJobs/jobStatus.ts';
import type { ProvisionPhase, ProvisionRun } from '../../src/lib/provisioning/run/provisionRun.ts';
import type { RunRecord } from '../../src/lib/runKinds.ts';
import type { RunJob } from '../../src/lib/runs/runRecord.ts';
import type { WorkRun } from '../../src/lib/work/workRun.ts';
import type { CommandText } from './commandText.ts';
import { formatBytes, formatCount, formatDuration, formatPlural, formatRate } from './format.ts';
import { jobStatusText, phaseText, PHASE_TEXT as SHORT_TEXT, shortId, stateText } from './runWords.ts';
import { stillnessOf, stillText } from './stillness.ts';

export interface Progress {
  /** What goes on, and the counts: changes only when the run moves on. */
  readonly text: string;
  /** 0..1, where it is known. */
  readonly fraction?: number;
  /** Rate, time left, standstill, where they are known: change with the clock. The last is the most important. */
  readonly pace?: readonly string[];
}

const PHASE_TEXT: Readonly<Record<Exclude<ProvisionPhase, 'job'>, string>> = {
  ...SHORT_TEXT,
  retry: 'retrying transient failures',
  verify: 'verifying what is not certain',
  parents: 'linking devices to their parents',
};

export interface ProgressLook {
  readonly now: Date;
  /** When the watching began. */
  readonly since: Date;
  /** What is to be typed is named by it. */
  readonly command: CommandText;
  /** The run that works for this one at the moment. */
  readonly follower?: RunRecord | undefined;
}

/** @param record undefined while the app has not noticed the drop */
export function progressOf(record: RunRecord | undefined, look: ProgressLook): Progress {
  const { now, since, command, follower } = look;
  const stillness = stillnessOf(isHeld(record) ? record : (follower ?? record), now, since);
  const still = stillness === undefined ? {} : { pace: [stillText(stillness)] };
  if (record === undefined) return { text: 'waiting for the app to notice the file', ...still };
  const active =
    follower === undefined || isHeld(record)
      ? activeProgress(record, now, command)
      : followedProgress(record, activeProgress(follower, now, command));
  return { ...active, ...still };
}

/** Whether a person has asked for something that matters more than how far the run is. */
function isHeld(record: RunRecord | undefined): boolean {
  return record?.cancelRequestedAt !== undefined || record?.suspendedAt !== undefined;
}

function followedProgress({ phase }: RunRecord, of: Progress): Progress {
  const what = phase === 'apply' ? phaseText('apply') : 'backing up';
  return { ...of, text: `${what}: ${of.text}` };
}

function activeProgress(record: RunRecord, now: Date, command: CommandText): Progress {
  if (record.cancelRequestedAt !== undefined) return { text: 'cancelling' };
  if (record.suspendedAt !== undefined) return { text: suspendedText(record, command) };
  const { waiting } = record;
  // What holds a run up matters more than where it stands.
  if (waiting?.kind === 'busy') return { text: `waiting for the hub: ${waiting.reason}` };
  return record.kind === 'provision' ? provisionProgress(record, now) : workProgress(record);
}

function workProgress({ phase = 'begin', waiting, jobs, progress }: WorkRun): Progress {
  if (waiting?.kind === 'trouble') return { text: `retrying: ${waiting.reason}` };
  if (waiting?.kind === 'turn') return { text: waiting.reason };
  const job = Object.values(jobs).findLast((one) => one !== undefined && !isTerminalStatus(one.status));
  if (phase === 'export' && job !== undefined) {
    return { text: `${phaseText(phase)}: job ${jobStatusText(job)}`, fraction: job.progress / 100 };
  }
  if (progress === undefined) return { text: phaseText(phase) };
  const { lines, left } = progress;
  const text = `${phaseText(phase)}: ${formatCount(lines - left)} of ${formatCount(lines)}`;
  return { text, fraction: lines === 0 ? 1 : (lines - left) / lines };
}

function provisionProgress(record: ProvisionRun, now: Date): Progress {
  const { phase, waiting } = record;
  if (phase === undefined) return { text: stateText(record.state) };
  if (waiting?.kind === 'trouble' && record.jobs.import === undefined) return { text: `retrying: ${waiting.reason}` };
  if (phase === 'job') return jobProgress(record, now);
  if (phase === 'retry' && record.progress !== undefined) {
    const { lines, left } = record.progress;
    const text = `${PHASE_TEXT.retry}: ${formatCount(lines - left)} of ${formatCount(lines)}`;
    return { text, fraction: lines === 0 ? 1 : (lines - left) / lines };
  }
  if (phase === 'check') return { text: `${PHASE_TEXT.check} (${formatBytes(record.drop.size)})` };
  // The wait for other runs says by itself what it is.
  if (waiting?.kind === 'turn') return { text: waiting.reason };
  const ofLines = (phase === 'settle' || phase === 'report') && record.check !== undefined;
  return { text: ofLines ? `${PHASE_TEXT[phase]} of ${linesText(record)}` : PHASE_TEXT[phase] };
}

function suspendedText({ runId, jobs }: RunRecord, command: CommandText): string {
  const job = 'import' in jobs ? jobs.import : undefined;
  const jobGoesOn = job !== undefined && !isTerminalStatus(job.status);
  return `suspended${jobGoesOn ? ' (its import job goes on)' : ''}: ${command('resume', shortId(runId))}`;
}

function linesText(record: ProvisionRun): string {
  return formatPlural(record.check?.lines ?? 0, 'line');
}

function jobProgress(record: ProvisionRun, now: Date): Progress {
  const { jobs, check } = record;
  const job = jobs.import;
  if (job === undefined) return { text: 'starting the import job' };
  const total = check === undefined ? undefined : check.devices + check.modules;
  if (job.progress <= 0) {
    const lines = total === undefined ? '' : ` (${formatPlural(total, 'line')})`;
    return { text: `import job ${jobStatusText(job)}${lines}` };
  }
  const fraction = Math.min(1, job.progress / 100);
  const text =
    total === undefined
      ? 'importing'
      : `importing about ${formatCount(Math.round(total * fraction))} of ${formatPlural(total, 'line')}`;
  const pace = fraction < 1 ? paceOf(job, fraction, total, now) : [];
  return { text, fraction, ...(pace.length === 0 ? {} : { pace }) };
}

function paceOf(job: RunJob, fraction: number, total: number | undefined, now: Date): readonly string[] {
  const elapsedMs = now.getTime() - Date.parse(job.createdAt);
  if (!(elapsedMs > 0)) return [];
  const rate = total === undefined ? [] : [formatRate((total * fraction * 1000) / elapsedMs)];
  return [...rate, timeLeft(elapsedMs, fraction)];
}

function timeLeft(elapsedMs: number, fraction: number): string {
  const seconds = Math.ceil(((elapsedMs / fraction) * (1 - fraction)) / 1000);
  return `${formatDuration(seconds * 1000)} left`;
}

/** The upload of the file itself. */
export function uploadProgress(sent: number, total: number, elapsedMs: number): Progress {
  const fraction = total === 0 ? 1 : Math.min(1, sent / total);
  const text = `uploading ${formatBytes(sent)} of ${formatBytes(total)}`;
  if (sent === 0 || fraction === 1 || elapsedMs < 1000) return { text, fraction };
  const rate = `${formatBytes(Math.round((sent * 1000) / elapsedMs))}/s`;
  return { text, fraction, pace: [rate, timeLeft(elapsedMs, fraction)] };
}

/** One line of text for a log: everything but the pace. */
export function plainProgress({ text, fraction }: Progress): string {
  return fraction === undefined ? text : `${text}, ${percent(fraction)}`;
}

export interface StatusLook {
  readonly columns: number;
  readonly unicode: boolean;
  /** Counts up with each drawing: turns the spinner. */
  readonly frame: number;
  readonly elapsedMs: number;
}

const WIDE_BAR = 24;
const NARROW_BAR = 12;
const SPINNER = { unicode: '⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏', ascii: '|/-\\' } as const;

/** One line of at most `columns` characters for a terminal; the less important parts are left out until it fits. */
export function statusLine(progress: Progress, look: StatusLook): string {
  const { text, fraction, pace = [] } = progress;
  const spinner = look.unicode ? SPINNER.unicode : SPINNER.ascii;
  const head = `${spinner.charAt(look.frame % spinner.length)} ${text}`;
  const bar = (cells: number): readonly string[] =>
    fraction === undefined ? [] : [progressBar(fraction, cells, look.unicode)];
  const share = fraction === undefined ? [] : [percent(fraction)];
  const elapsed = look.elapsedMs < 3000 ? [] : [formatDuration(Math.floor(look.elapsedMs / 1000) * 1000)];
  const candidates = [
    [head, ...bar(WIDE_BAR), ...share, ...pace, ...elapsed],
    [head, ...bar(NARROW_BAR), ...share, ...pace, ...elapsed],
    [head, ...bar(NARROW_BAR), ...share, ...pace],
    [head, ...bar(NARROW_BAR), ...share, ...pace.slice(-1)],
    [head, ...share, ...pace.slice(-1)],
    [head, ...share],
  ].map((parts) => parts.join('  '));
  const fitting = candidates.find((line) => line.length <= look.columns);
  return fitting ?? head.slice(0, Math.max(0, look.columns));
}

export function progressBar(fraction: number, cells: number, unicode: boolean): string {
  const halves = Math.round(Math.min(1, Math.max(0, fraction)) * cells * 2);
  const full = Math.floor(halves / 2);
  if (!unicode) return `[${'#'.repeat(full)}${'-'.repeat(cells - full)}]`;
  const half = halves % 2 === 1 ? '╸' : '';
  return `${'━'.repeat(full)}${half}${'┄'.repeat(cells - full - half.length)}`;
}

function percent(fraction: number): string {
  return `${Math.floor(fraction * 100)} %`;
}
