/** The beginning of all that reads a backup: the backup is read through and found sound before anything else is done. */

import { backupError } from '../backup/backupErrors.ts';
import { etagsOf, type OpenBackup, openBackup, requireGood } from '../backup/catalogue.ts';
import { verifyBackup } from '../backup/verifyBackup.ts';
import { hubOf } from '../runs/runRecord.ts';
import { requestOf } from '../work/request.ts';
import type { StageReply } from '../work/stage.ts';
import { enterPhase } from '../work/workNotes.ts';
import { orRefused } from '../work/workRefused.ts';
import type { WorkContext, WorkRun } from '../work/workRun.ts';
import type { PlanRequest } from './requests.ts';
import { noteOnce, notesOf } from './restoreNotes.ts';
import { restoreRefused } from './restoreTexts.ts';

/**
 * Whether a backup may be used for the hub of an alias, as far as its manifest tells.
 *
 * @throws BackupError, WorkRefused
 */
export async function demandBackup(
  { storage, hub }: Pick<WorkContext, 'storage' | 'hub'>,
  alias: string,
  { backup, to, acceptCountMismatch }: Pick<PlanRequest, 'backup' | 'to' | 'acceptCountMismatch'>,
): Promise<OpenBackup> {
  const open = await openBackup(storage, backup);
  if (acceptCountMismatch !== true) requireGood(open);
  const { hub: was } = open.manifest;
  const name = hub(alias).hubName;
  if (to !== undefined || was.toLowerCase() === name.toLowerCase()) return open;
  throw restoreRefused('backupOfOtherHub', { backup, was, alias, name });
}

/**
 * The work of a first stage: verifies the backup by its bytes.
 *
 * @param demand what else has to hold; throws what is wrong
 */
export function openingWith(then: string, demand?: (context: WorkContext, record: WorkRun) => Promise<void> | void) {
  return async (context: WorkContext, record: WorkRun): Promise<StageReply> => {
    // A run that is started anew goes on with its plan, which may be carried out in part.
    if (notesOf(record).plan !== undefined) return { go: then };
    await enterPhase(context, record.runId, 'verify');
    return orRefused(async () => {
      const request = requestOf<PlanRequest>(record);
      await demand?.(context, record);
      const open = await demandBackup(context, hubOf(record), request);
      // The hub is exported with keys only where there are some to compare them with.
      await noteOnce(context, record.runId, { keys: open.manifest.keys, verified: etagsOf(open) });
      await demandSound(context, request.backup);
      return { go: then };
    });
  };
}

async function demandSound(context: WorkContext, name: string): Promise<void> {
  const { problems } = await verifyBackup(context.storage, name, { now: context.now });
  const [what] = problems;
  if (what !== undefined) throw backupError('backupDamaged', { name, what });
}
