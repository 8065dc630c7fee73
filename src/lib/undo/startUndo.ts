/** An undo that was asked for, looked at before a run is begun: what is plainly wrong is told at once, and leaves no run behind. */

import { demandAloneOnHub } from '../work/aloneOnHub.ts';
import { demandConfirmed } from '../work/request.ts';
import type { WorkContext, WorkRun } from '../work/workRun.ts';
import { parseUndoPlanRequest, parseUndoRequest, type UndoRequest } from './undoRequest.ts';

type Context = Pick<WorkContext, 'hub' | 'readEffects' | 'runs' | 'start'>;

/**
 * Begins the undo of a run.
 *
 * @param body whatever was sent
 * @throws WorkRefused, HubKeeperError of `EFFECT_TEXTS`, RunDamaged: there is no run then
 */
export async function startUndo(context: Context, run: string, body: unknown): Promise<WorkRun> {
  const request = parseUndoRequest(run, body);
  const { hub, runId: of } = await context.readEffects(run);
  await demandAloneOnHub(context, hub);
  demandConfirmed(context.hub(hub), request.confirm);
  return begin(context, 'undo', { hub, of, request });
}

/**
 * Begins the plan of an undo, which changes nothing.
 *
 * @throws as `startUndo` does
 */
export async function startUndoPlan(context: Context, body: unknown): Promise<WorkRun> {
  const request = parseUndoPlanRequest(body);
  const { hub, runId: of } = await context.readEffects(request.run);
  return begin(context, 'plan', { hub, of, request });
}

interface Found {
  readonly hub: string;
  readonly of: string;
  readonly request: UndoRequest;
}

function begin(context: Context, kind: 'undo' | 'plan', { hub, of, request }: Found): Promise<WorkRun> {
  const reads = [...new Set([of, request.run])];
  return context.start({ kind, hub, request: { ...request, of }, reads });
}
