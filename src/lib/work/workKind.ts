import type { KindOfRun } from '../runs/parseRunRecord.ts';
import { isObject, isText } from '../runs/recordShape.ts';
import { WORK_PHASES, type WorkRun } from './workRun.ts';

/** Records of work, whatever its kind. */
export const WORK_KIND: KindOfRun<WorkRun> = {
  version: 1,
  upgrade: (record) => record,
  phases: WORK_PHASES,
  required: { request: isObject },
  optional: { snapshots: isObject, notes: isObject, appliedBy: isText, result: isObject },
  // What it changes is undone by the run that applied its lines.
  canUndo: () => false,
};
