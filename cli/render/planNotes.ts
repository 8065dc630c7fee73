/** What is to be known of a restore or an undo beside its counts, as sentences: before it is done and after. */

import type { PlanCountsOfMode } from '../../src/lib/restore/planTally.ts';
import type { UndoResult } from '../../src/lib/undo/writeUndoPlan.ts';
import { formatCount, formatPlural } from './format.ts';

export type NotedPlan = Pick<PlanCountsOfMode, 'lost' | 'left' | 'kept' | 'rejected' | 'notFound'>;

export function restoreNotes(
  { lost, left, kept, rejected, notFound }: NotedPlan,
  when: 'planned' | 'done',
): readonly string[] {
  const leftAlone = [
    [left.change, 'that differ'],
    [left.delete, 'that the backup does not have'],
  ] as const;
  const some = leftAlone.filter(([count]) => count > 0).map(([count, what]) => `${formatCount(count)} ${what}`);
  const whose = formatPlural(lost.keys, 'device or module', 'devices and modules');
  return [
    ...(notFound === undefined ? [] : [sentenceOf(notFound)]),
    ...(some.length === 0 ? [] : [`Left as they are in this mode: ${some.join(', ')}.`]),
    ...(kept === undefined ? [] : [sentenceOf(kept)]),
    ...(lost.keys === 0
      ? []
      : [
          when === 'planned'
            ? `${whose} would get new keys, for the backup has none: --new-keys asks for that.`
            : `${whose} got new keys, for the backup has none. Give them to those that plan.ndjson of the report has as created.`,
        ]),
    ...(lost.reportedProperties === 0
      ? []
      : [
          `Reported properties of ${formatCount(lost.reportedProperties)} devices and modules come back only when these report anew.`,
        ]),
    ...(rejected === 0 ? [] : [`${formatPlural(rejected, 'line')} could not be compared.`]),
  ];
}

export function undoNotes({ notes }: Pick<UndoResult, 'notes'>): readonly string[] {
  return notes.map(sentenceOf);
}

function sentenceOf({ message, action }: { readonly message: string; readonly action?: string }): string {
  return action === undefined ? message : `${message} ${action}`;
}
