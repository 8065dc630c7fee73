/** What became of backups, for people and for scripts. */

import type { Pruned, PruneOutcome } from '../../src/lib/backup/pruneBackups.ts';
import type { KeepReason, RemoveReason } from '../../src/lib/backup/retention.ts';
import type { VerifyResult } from '../../src/lib/backup/verifyStages.ts';
import { defined } from '../../src/lib/defined.ts';
import type { WorkRun } from '../../src/lib/work/workRun.ts';
import { formatBytes, formatPlural } from './format.ts';
import type { Style } from './output.ts';
import { renderReconcileResult } from './reconcileText.ts';
import type { Look } from './runText.ts';
import { renderTable } from './table.ts';
import { behind, wrap, wrapFinding } from './wrap.ts';

/** Of the run, what a script needs: what it has made, or why not. */
export function backupJson({ runId, state, result, error }: WorkRun): Readonly<Record<string, unknown>> {
  return { backup: null, verified: false, ...result, runId, state, ...defined({ error }) };
}

export function verifiedJson({ runId, state, result, error }: WorkRun): Readonly<Record<string, unknown>> {
  return { backups: [], ...result, runId, state, ...defined({ error }) };
}

type TextLook = Pick<Look, 'paint' | 'columns'>;

/** What the backup holds; nothing when none was made. */
export function renderBackupResult({ result }: WorkRun, { columns }: TextLook): string[] {
  if (result === undefined) return [];
  const count = (name: string): number => Number(result[name] ?? 0);
  const removed = Array.isArray(result['removed']) ? result['removed'].length : 0;
  const holds = [
    formatPlural(count('devices'), 'device'),
    formatPlural(count('modules'), 'module'),
    formatPlural(count('configurations'), 'configuration'),
  ];
  const rows: [string, string | undefined][] = [
    ['backup', String(result['backup'])],
    ['holds', `${holds.join(', ')} (${formatBytes(count('bytes'))})`],
    ['keys', result['keys'] === 'included' ? undefined : 'none: devices that are restored get new ones'],
    [
      'extras',
      result['extrasComplete'] === true ? undefined : `not complete. ${String(result['extrasMissing'] ?? '')}`,
    ],
    ['removed', removed === 0 ? undefined : `${formatPlural(removed, 'older backup')} (BACKUP_KEEP)`],
  ];
  return ['', ...rows.flatMap(([title, text]) => (text === undefined ? [] : titled(title, text, columns)))];
}

function titled(title: string, text: string, columns: number | undefined): readonly string[] {
  return behind(`  ${title.padEnd(10)}`, wrap(text, 12, columns));
}

/** What a run about backups or the mirror came to; nothing for one of another kind. */
export function renderWorkResult(record: WorkRun, look: TextLook): string[] {
  if (record.kind === 'backup') return renderBackupResult(record, look);
  if (record.kind === 'reconcile') return renderReconcileResult(record, look);
  return record.kind === 'verify' ? renderVerified(record, look) : [];
}

const RESULT_TEXT: Readonly<Record<VerifyResult['result'], string>> = {
  good: 'good',
  damaged: 'damaged',
  gone: 'removed meanwhile',
  archived: 'archived',
};

const RESULT_STYLE: Readonly<Record<VerifyResult['result'], Style>> = {
  good: 'green',
  damaged: 'red',
  gone: 'green',
  archived: 'yellow',
};

/** Each backup that was read again, and what is wrong with it. */
export function renderVerified({ result }: WorkRun, { paint, columns }: TextLook): string[] {
  const found = (result?.['backups'] ?? []) as readonly VerifyResult[];
  if (found.length === 0) return result === undefined ? [] : ['', '  There is no backup to verify.'];
  return [
    '',
    ...found.flatMap(({ backup, result: outcome, problems }) => [
      `  ${backup}  ${paint(RESULT_STYLE[outcome], RESULT_TEXT[outcome])}`,
      ...problems.flatMap((problem) => wrapFinding(problem, 4, columns)),
    ]),
  ];
}

const KEEP_TEXT: Readonly<Record<KeepReason, string>> = {
  last: 'last',
  hourly: 'hourly',
  daily: 'daily',
  weekly: 'weekly',
  monthly: 'monthly',
  yearly: 'yearly',
  within: 'within',
  oldest: 'the oldest there is',
  newestGood: 'the newest good one',
  held: 'in use',
  future: 'dated in the future',
  mayBeWritten: 'may still be written',
  newer: 'of a newer version',
};

const REMOVE_TEXT: Readonly<Record<RemoveReason, string>> = {
  noRule: 'no rule keeps it',
  givenUp: 'never finished',
};

const OUTCOME_TEXT: Readonly<Record<PruneOutcome, string>> = {
  removed: 'removed',
  wouldBeRemoved: 'would be removed',
  immutable: 'immutable, stays',
  failed: 'not removed: see the log of the app',
  mayBeHeld: 'stays: a run may read it',
};

/** Each backup with what becomes of it and why; newest first. */
export function renderPruned(
  { keep, remove, damagedRuns = [] }: Pruned,
  columns: number | undefined,
): readonly string[] {
  const rows = [
    ...keep.map(({ backup, reasons }) => [
      backup,
      'kept',
      [...new Set(reasons)].map((reason) => KEEP_TEXT[reason]).join(', '),
    ]),
    ...remove.map(({ backup, reason, outcome }) => [backup, OUTCOME_TEXT[outcome], REMOVE_TEXT[reason]]),
  ];
  if (rows.length === 0) return ['There are no backups.'];
  const timeOf = (name = '') => name.slice(name.indexOf('/'));
  rows.sort(([a], [b]) => (timeOf(a) < timeOf(b) ? 1 : -1));
  const why = damagedRuns.flatMap(({ damaged }) => [
    '',
    ...wrap(`Nothing is removed. ${damaged.message}`, 0, columns),
    ...wrap(damaged.action, 0, columns),
  ]);
  return [...renderRows(rows, columns), ...why];
}

function renderRows(rows: readonly (readonly string[])[], columns: number | undefined): readonly string[] {
  const lines = renderTable([{ title: 'BACKUP' }, { title: 'BECOMES' }, { title: 'WHY' }], rows);
  if (columns === undefined || lines.every((line) => line.length <= columns)) return lines;
  return rows.flatMap(([backup = '', becomes = '', why = '']) => [backup, ...wrap(`${becomes}: ${why}`, 2, columns)]);
}
