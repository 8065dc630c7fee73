/** Reconciles that refreshes ask for: not one after the other, for each is an export of the whole hub. */

import { isSuspended, type RunBase } from '../../runs/runRecord.ts';
import { unfinishedRuns } from '../../runs/unfinishedRuns.ts';
import { readJson } from '../../storage/jsonBlob.ts';
import type { WorkRun } from '../../work/workRun.ts';
import { noteBlob, writeNote } from '../notes/note.ts';
import { readWantedReconcile, wantReconcile } from '../notes/wantedReconcile.ts';
import type { RefreshContext } from './refreshContext.ts';

/** One that fails, or is a long time about it, is not asked for anew at each look. */
const ASK_AGAIN_MS = 60 * 60_000;

/**
 * Asks for one, unless one was asked for within the hour.
 *
 * @returns whether one is to be waited for; false: the last one is over, and did not help
 */
export async function askForReconcile(
  { storage, runs, now, log }: Pick<RefreshContext, 'storage' | 'runs' | 'now' | 'log'>,
  hub: string,
  reason: string,
): Promise<boolean> {
  if ((await readWantedReconcile(storage, hub)) !== undefined || (await isReconciling(runs, hub))) return true;
  const name = `asked-reconcile/${hub}`;
  const at = now();
  const asked = await readJson<{ readonly at: string }>(noteBlob(storage, name));
  if (asked !== undefined && Math.abs(at.getTime() - Date.parse(asked.value.at)) < ASK_AGAIN_MS) return false;
  await wantReconcile(storage, { hub, reason, at: at.toISOString() });
  await writeNote(storage, name, { at: at.toISOString() });
  log.log('warn', `a reconcile of the hub ${hub} is asked for: ${reason}`);
  return true;
}

/** Whether a reconcile of the hub goes on that repairs; for one that is suspended nobody waits. */
async function isReconciling(runs: RefreshContext['runs'], hub: string): Promise<boolean> {
  const { records } = await unfinishedRuns<RunBase>(runs);
  return records.some(
    (record) =>
      record.kind === 'reconcile' &&
      record.hub === hub &&
      !isSuspended(record) &&
      (record as WorkRun).request['dryRun'] !== true,
  );
}
