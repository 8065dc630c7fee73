import { BACKUP_WORK } from './backup/backupStages.ts';
import { VERIFY_WORK } from './backup/verifyStages.ts';
import { reconcileWork } from './mirror/reconcile/reconcileWork.ts';
import type { MirrorStore } from './mirror/store/mirrorStore.ts';
import { DELETE_ALL_WORK } from './restore/deleteAllWork.ts';
import { DRILL_WORK, PLAN_WORK, RESTORE_WORK } from './restore/restoreWork.ts';
import { isOfRun } from './undo/undoRequest.ts';
import { UNDO_PLAN_WORK, UNDO_WORK } from './undo/undoWork.ts';
import type { KindsOfWork } from './work/takeStage.ts';

/**
 * The stages of each kind of work.
 *
 * @param mirrorStore undefined: the mirror is off
 */
export function kindsOfWork(mirrorStore: () => MirrorStore | undefined): KindsOfWork {
  return {
    backup: BACKUP_WORK,
    verify: VERIFY_WORK,
    plan: (record) => (isOfRun(record) ? UNDO_PLAN_WORK : PLAN_WORK),
    restore: RESTORE_WORK,
    undo: UNDO_WORK,
    drill: DRILL_WORK,
    deleteAll: DELETE_ALL_WORK,
    reconcile: reconcileWork(mirrorStore),
  };
}
