/** How work begins and fails, for the orchestration: pure. */

import type { CallStep } from '../runs/step.ts';

export const WORK_STAGE = 'workStage';
export const WORK_TURN = 'workTurn';
export const FAIL_WORK = 'failWork';

/** By which a run has its lines applied by a run of its own. */
export const APPLY_STAGE = 'apply';

/** Before its first stage: it finds out its hub, and its place in the queue there. */
export const BEGIN = 'begin';

export function beginWork({ runId, attempt }: { readonly runId: string; readonly attempt: number }): CallStep {
  return { do: 'call', activity: WORK_STAGE, input: { runId, attempt, stage: BEGIN } };
}
