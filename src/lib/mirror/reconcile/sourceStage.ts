/**
 * What a reconcile reads the registry from: an export of its own, or a backup whose export began after the reconcile was
 * asked for, as where both are due at one time. Whatever was done in the hub before it was asked for is in either.
 */

import { listBackups, openBackup } from '../../backup/catalogue.ts';
import { hubOf, isSuspended, type RunBase } from '../../runs/runRecord.ts';
import { unfinishedRuns } from '../../runs/unfinishedRuns.ts';
import { doneWaiting, waitedMs, waitingFor } from '../../runs/waiting.ts';
import type { StageReply } from '../../work/stage.ts';
import type { WorkContext, WorkRun } from '../../work/workRun.ts';
import { noteOnce, notesOf } from './reconcileNotes.ts';

/** So long a backup is waited for; then the hub is exported. */
const LONGEST_WAIT_MS = 60 * 60_000;
const LOOK_SECONDS = 10;

/** Stage `source`: goes on with `split` if there is such a backup, and with `export` if not. */
export async function chooseSource(context: WorkContext, record: WorkRun): Promise<StageReply> {
  // A run that is started anew goes on with what it has.
  if (notesOf(record).backup !== undefined) return { go: 'split' };
  if (record.jobs.export !== undefined) return { go: 'export' };
  const found = await backupSince(context, record);
  if (found !== undefined) {
    await noteOnce(context, record.runId, found);
    return { go: 'split' };
  }
  if (waitedMs(context, record, ['busy']) < LONGEST_WAIT_MS && (await isBeingBackedUp(context, record))) {
    await waitingFor(context, record.runId, { kind: 'busy', reason: 'a backup is made, which is compared then' });
    return { wait: LOOK_SECONDS };
  }
  await doneWaiting(context, record.runId);
  return { go: 'export' };
}

/** The newest good backup of the hub that began after the run was asked for, and when it began. */
async function backupSince(
  { storage, hub }: WorkContext,
  record: WorkRun,
): Promise<{ readonly backup: string; readonly begunAt: string } | undefined> {
  const alias = hubOf(record);
  for (const { backup, state, finishedAt = '' } of await listBackups(storage, alias)) {
    if (state !== 'good' || finishedAt < record.createdAt) continue;
    const { manifest } = await openBackup(storage, backup);
    const isOfHub = manifest.hub.toLowerCase() === hub(alias).hubName.toLowerCase();
    if (isOfHub && manifest.takenAt >= record.createdAt) return { backup, begunAt: manifest.takenAt };
  }
  return undefined;
}

/** Whether a backup goes on whose export began after the run was asked for, or is still to begin. */
async function isBeingBackedUp(context: WorkContext, { hub, createdAt }: WorkRun): Promise<boolean> {
  const isSuch = (run: RunBase) =>
    run.kind === 'backup' &&
    run.hub === hub &&
    !isSuspended(run) &&
    (run.jobs['export']?.createdAt ?? createdAt) >= createdAt;
  return (await unfinishedRuns<RunBase>(context.runs)).records.some(isSuch);
}
