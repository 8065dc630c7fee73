/** Rows of the files that tell what differs: of a plan, and of what is left in the end. */

import { defined } from '../defined.ts';
import { changeRecord } from '../registryLines/changeForms.ts';
import type { Change, RejectedIdentityLine } from '../registryLines/compareSnapshots.ts';
import type { PlannedChange } from './changesToLines.ts';

export function plannedRow(change: Change, { is }: PlannedChange): object {
  return is === 'kept' ? { ...changeRecord(change), change: is } : changeRecord(change);
}

export function rejectedRow({ side, line, id, moduleId, ...problem }: RejectedIdentityLine): object {
  return { change: 'rejected', side, line, ...defined({ id, moduleId }), ...problem };
}
