/** What became of a reconcile of the mirror, for people and for scripts. */

import { defined } from '../../src/lib/defined.ts';
import type { ReconcileResult } from '../../src/lib/mirror/reconcile/reconcileNotes.ts';
import type { WorkRun } from '../../src/lib/work/workRun.ts';
import { formatCount, formatPlural, formatTime } from './format.ts';
import type { Look } from './runText.ts';
import { behind, wrap } from './wrap.ts';

/** What a script needs; nulls where the run has come to no result. */
export function reconcileJson({ runId, hub, state, result, error }: WorkRun): Readonly<Record<string, unknown>> {
  const none = { missing: null, extra: null, different: null, repaired: null };
  return { ...none, ...result, runId, hub, state, ...defined({ error }) };
}

/** How the mirror was other than the hub, and what became of that; nothing when they were not compared. */
export function renderReconcileResult({ result }: WorkRun, { columns }: Pick<Look, 'columns'>): string[] {
  if (result === undefined) return [];
  const { missing, extra, different, repaired, leftAlone, dryRun, from, backup, begunAt, identities } =
    result as unknown as ReconcileResult;
  const source = from === 'backup' ? `the backup ${backup}` : 'an export';
  const drift: [string, number, string][] = [
    ['missing', missing, 'the hub has them, the mirror did not'],
    ['extra', extra, 'the mirror had them, the hub does not'],
    ['different', different, 'in the fields that the report names'],
  ];
  const found = drift.filter(([, count]) => count > 0);
  const rows: [string, string][] = [
    ['compared', `${formatPlural(identities, 'identity', 'identities')} in ${source} begun ${formatTime(begunAt)}`],
    ...found.map(([title, count, text]): [string, string] => [title, `${formatCount(count)} (${text})`]),
    found.length === 0
      ? ['drift', 'none: the mirror was as the hub is']
      : ['repaired', dryRun ? 'nothing, for it was a dry run' : formatCount(repaired)],
    ...(leftAlone === 0
      ? []
      : [['left alone', `${formatCount(leftAlone)} (changed since: of these it tells nothing)`] as [string, string]]),
  ];
  return ['', ...rows.flatMap(([title, text]) => behind(`  ${title.padEnd(11)}`, wrap(text, 13, columns)))];
}
