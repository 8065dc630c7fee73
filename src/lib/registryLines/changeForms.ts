/** What a comparison found, in the forms that scripts read. */

import { defined } from '../defined.ts';
import type { Change, ComparisonCounts } from './compareSnapshots.ts';

/** A change as a line of JSON has it: names of fields, no values, and no keys. */
export type ChangeRecord = Pick<Change, 'id' | 'moduleId' | 'change' | 'fields' | 'moreFields'>;

export function changeRecord({ id, moduleId, change, fields, moreFields }: Change): ChangeRecord {
  return { id, ...defined({ moduleId }), change, fields, ...defined({ moreFields }) };
}

/** Counts of what would have to be done to come from one side to the other; modules are counted in each, too. */
export interface PlanCounts {
  readonly create: number;
  readonly change: number;
  readonly delete: number;
  readonly unchanged: number;
  readonly rejected: number;
  readonly modules: Readonly<Record<'create' | 'change' | 'delete' | 'unchanged', number>>;
  readonly keysUnknown: number;
}

export function planCounts(counts: ComparisonCounts): PlanCounts {
  return {
    create: counts.created,
    change: counts.changed,
    delete: counts.deleted,
    unchanged: counts.unchanged,
    rejected: counts.rejected,
    modules: {
      create: counts.createdModules,
      change: counts.changedModules,
      delete: counts.deletedModules,
      unchanged: counts.unchangedModules,
    },
    keysUnknown: counts.keysUnknown,
  };
}

/** Whether somebody has to look at it: something changed, or could not be compared. */
export function hasFindings({ created, changed, deleted, rejected }: ComparisonCounts): boolean {
  return created + changed + deleted + rejected > 0;
}
