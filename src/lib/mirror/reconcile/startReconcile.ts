/** How a reconcile begins: of a hub one goes on at a time. */

import { isFinal } from '../../runs/runRecord.ts';
import { readJson } from '../../storage/jsonBlob.ts';
import type { WorkContext, WorkRun } from '../../work/workRun.ts';
import { mirroredHubs } from '../mirrorSettings.ts';
import { noteBlob, writeNote } from '../notes/note.ts';
import type { ReconcileRequest } from './reconcileNotes.ts';
import { mirrorOff } from './reconcileTexts.ts';

export interface ReconcileToStart extends ReconcileRequest {
  /** Alias. */
  readonly hub: string;
}

/** Which run was begun last; one that only looks stands for none that repairs, nor the other way round. */
interface Latest {
  readonly runId: string;
}

type Context = Pick<WorkContext, 'settings' | 'storage' | 'runs' | 'start'>;

/**
 * Begins a reconcile; or gives the one that goes on, of the same sort (dry run or not), or that was begun for the same
 * time of the schedule. Whoever wants one that sees what has happened until now looks at its `createdAt`.
 *
 * @throws WorkRefused when the mirror is off, or the hub is none of those that are mirrored
 */
export async function startReconcile(context: Context, { hub, ...request }: ReconcileToStart): Promise<WorkRun> {
  const { mirror } = context.settings;
  if (mirror === undefined) throw mirrorOff();
  if (!mirroredHubs(mirror, [hub]).includes(hub)) throw mirrorOff(hub);
  const { dryRun = false, slot } = request;
  const name = `reconciles/${hub}-latest${dryRun ? '-dry-run' : ''}.json`;
  for (;;) {
    const latest = await readJson<Latest>(noteBlob(context.storage, name));
    const known = latest && (await context.runs.read(latest.value.runId));
    if (known !== undefined && (!isFinal(known.state) || (slot !== undefined && known.request['slot'] === slot))) {
      return known;
    }
    // Who asks at the same time asks for the same run: it follows the same one.
    const once = `${dryRun ? 'dry run ' : ''}after ${latest?.value.runId ?? 'none'}`;
    const run = await context.start({ kind: 'reconcile', hub, request: { ...request }, once });
    const condition = latest === undefined ? { ifAbsent: true } : { ifMatch: latest.etag };
    await writeNote(context.storage, name, { runId: run.runId } satisfies Latest, condition);
    // One that has ended already was begun before, by somebody who could not note it any more.
    if (!isFinal(run.state)) return run;
  }
}
