/** An undo that was asked for, looked at before a run is begun: what is plainly wrong is told at once, and leaves no run behind. */

import { isFinal, RUN_STATES } from '../runs/runRecord.ts';
import { demandConfirmed } from '../work/request.ts';
import { WorkRefused } from '../work/workRefused.ts';
import type { WorkContext, WorkRun } from '../work/workRun.ts';
import { parseUndoPlanRequest, parseUndoRequest, type UndoRequest } from './undoRequest.ts';
import { sayUndo } from './undoTexts.ts';

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
  await demandAlone(context, of);
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

/**
 * Two undos of a run at a time would each take what the other has put back for somebody else's.
 *
 * @param self looks only for those that are before it
 * @throws WorkRefused
 */
export async function demandAlone({ runs }: Pick<WorkContext, 'runs'>, of: string, self?: WorkRun): Promise<void> {
  const where = (other: WorkRun): boolean =>
    other.kind === 'undo' && other.request['of'] === of && (self === undefined || isBefore(other, self));
  for (const state of RUN_STATES.filter((each) => !isFinal(each))) {
    const [other] = (await runs.survey({ state, where, limit: 1 })).records;
    if (other !== undefined) throw new WorkRefused(sayUndo('undoUnderWay', { run: of, undo: other.runId }));
  }
}

function isBefore(one: WorkRun, other: WorkRun): boolean {
  return one.createdAt === other.createdAt ? one.runId < other.runId : one.createdAt < other.createdAt;
}
