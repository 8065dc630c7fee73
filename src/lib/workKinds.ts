import { BACKUP_WORK } from './backup/backupStages.ts';
import { VERIFY_WORK } from './backup/verifyStages.ts';
import type { KindsOfWork } from './work/takeStage.ts';

/** The stages of each kind of work. */
export const KINDS_OF_WORK: KindsOfWork = { backup: BACKUP_WORK, verify: VERIFY_WORK };
