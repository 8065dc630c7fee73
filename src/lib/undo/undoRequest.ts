/** What is asked of an undo, or of the plan of one. */

import { isObject } from '../runs/recordShape.ts';
import { isRunId } from '../runs/runId.ts';
import { flagMember, type RequestMember, readRequest, textMember } from '../work/request.ts';
import type { WorkRun } from '../work/workRun.ts';

export interface UndoRequest {
  /** The run that is to be undone. */
  readonly run: string;
  /** What others have changed since is put back, too. */
  readonly force?: boolean;
  /** Name of the hub that is written to; a plan needs none. */
  readonly confirm?: string;
}

/** As a record has it. */
export interface AskedUndo extends UndoRequest {
  /** The run whose lines are undone: that which applied those of `run`, where that is another. */
  readonly of: string;
}

const runMember: RequestMember = (value) =>
  typeof value === 'string' && isRunId(value) ? undefined : 'the id of a run, of 20 characters, 0 to 9 and a to f';

/** @throws WorkRefused */
export function parseUndoRequest(run: string, body: unknown): UndoRequest {
  return { ...readRequest<Omit<UndoRequest, 'run'>>(body, { force: flagMember, confirm: textMember }, []), run };
}

/** @throws WorkRefused */
export function parseUndoPlanRequest(body: unknown): UndoRequest {
  return readRequest<UndoRequest>(body, { run: runMember, force: flagMember }, ['run']);
}

/** Whether the plan of an undo is asked for, not that of a restore. */
export function isUndoPlanRequest(body: unknown): boolean {
  return isObject(body) && body['run'] !== undefined;
}

/** Whether a plan is one of an undo: of a run, not of a backup. */
export function isOfRun({ request }: Pick<WorkRun, 'request'>): boolean {
  return request['run'] !== undefined;
}
