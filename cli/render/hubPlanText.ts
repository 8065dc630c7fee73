/** What a restore would do, as text for people. */

import type { ChangeRecord } from '../../src/lib/registryLines/changeForms.ts';
import type { PlanCountsOfMode } from '../../src/lib/restore/planTally.ts';
import { renderChanges, renderCounts, renderUnknownKeys } from './comparisonText.ts';
import { formatCount, formatPlural } from './format.ts';
import type { Output } from './output.ts';
import { wrap } from './wrap.ts';

type Look = Pick<Output, 'style' | 'columns'>;

export interface ReadPlan {
  /** Of devices and modules. */
  readonly changes: readonly ChangeRecord[];
  /** Of configurations, and lines that cannot be compared. */
  readonly others: readonly Readonly<Record<string, unknown>>[];
}

export interface ShownPlan {
  /** `default/2026/11/20T020000Z`, as mode `exact` has it. */
  readonly title: string;
  readonly counts: PlanCountsOfMode;
  readonly plan: ReadPlan;
  readonly out: string | undefined;
}

export function renderHubPlan({ title, counts, plan, out }: ShownPlan, look: Look): readonly string[] {
  const { style: paint, columns } = look;
  const lines = [`${paint('bold', title)}:`, '', ...renderCounts(counts, look)];
  const { create, change, delete: remove } = counts.configurations;
  const configurations = [
    [create, 'to create'],
    [change, 'to change'],
    [remove, 'to delete'],
  ] as const;
  const wanted = configurations.filter(([count]) => count > 0).map(([count, what]) => `${formatCount(count)} ${what}`);
  if (wanted.length > 0) lines.push('', `  configurations: ${wanted.join(', ')}`);
  const all = counts.create + counts.change + counts.delete;
  if (plan.changes.length > 0) {
    const { length } = plan.changes;
    lines.push('', all > length ? `${length} of ${formatCount(all)} changes:` : 'The changes:', '');
    lines.push(...renderChanges(plan.changes, look));
  }
  for (const text of sentences(counts)) lines.push('', ...wrap(text, 2, columns));
  lines.push(...renderUnknownKeys(counts, look));
  if (out !== undefined) lines.push('', `All of them, one a line: ${out}`);
  return lines;
}

function sentences({ lost, left, rejected }: PlanCountsOfMode): readonly string[] {
  const leftAlone = [
    [left.change, 'that differ'],
    [left.delete, 'that the backup does not have'],
  ] as const;
  const some = leftAlone.filter(([count]) => count > 0).map(([count, what]) => `${formatCount(count)} ${what}`);
  return [
    ...(some.length === 0 ? [] : [`Left as they are in this mode: ${some.join(', ')}.`]),
    ...(lost.keys === 0
      ? []
      : [`${formatCount(lost.keys)} would get new keys, for the backup has none: --new-keys asks for that.`]),
    ...(lost.reportedProperties === 0
      ? []
      : [
          `Reported properties of ${formatCount(lost.reportedProperties)} devices and modules come back only when these report anew.`,
        ]),
    ...(rejected === 0 ? [] : [`${formatPlural(rejected, 'line')} could not be compared.`]),
  ];
}
