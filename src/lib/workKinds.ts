import { BACKUP_WORK } from './backup/backupStages.ts';
import { VERIFY_WORK } from './backup/verifyStages.ts';
import { DELETE_ALL_WORK } from './restore/deleteAllWork.ts';
import { DRILL_WORK, PLAN_WORK, RESTORE_WORK } from './restore/restoreWork.ts';
import { isOfRun } from './undo/undoRequest.ts';
import { UNDO_PLAN_WORK, UNDO_WORK } from './undo/undoWork.ts';
import type { KindsOfWork } from './work/takeStage.ts';

/** The stages of each kind of work. */
export const KINDS_OF_WORK: KindsOfWork = {
  backup: BACKUP_WORK,
  verify: VERIFY_WORK,
  plan: (record) => (isOfRun(record) ? UNDO_PLAN_WORK : PLAN_WORK),
  restore: RESTORE_WORK,
  undo: UNDO_WORK,
  drill: DRILL_WORK,
  deleteAll: DELETE_ALL_WORK,
};
