/** Every orchestration name, event name and instance-id rule, in one place. */

export const ORCHESTRATIONS = {
  provisionRun: 'provisionRun',
  provisionTurn: 'provisionTurn',
  provisionJobStart: 'provisionJobStart',
  provisionJobWatch: 'provisionJobWatch',
  provisionAftermath: 'provisionAftermath',
  provisionLane: 'provisionLane',
} as const;

/** Raised to a run's orchestration when a person asks to cancel it. */
export const CANCEL_EVENT = 'cancel';

/** The orchestration of a run has the run's own id: two starts of one run meet in one instance. */
export function instanceIdOfRun(runId: string): string {
  return runId;
}

/** The entity that says whose turn it is; its key is the alias of the hub. */
export const TURN_ENTITY = 'turn';

/** The entity that keeps the budget of registry operations; its key is the alias of the hub. */
export const BUDGET_ENTITY = 'budget';

/**
 * Children that a suspend has to find, so that they have ids of their own making. The watch over a job is none of them:
 * its id is derived by the engine.
 */
export const RUN_CHILDREN = ['turn', 'start-export', 'start-import', 'after'] as const;
export type RunChild = (typeof RUN_CHILDREN)[number];

/**
 * These children derive from their parent, never from chance: a replayed parent finds the same child.
 *
 * Each start of the run has children of its own: a child outlives a parent that was terminated, and an id that is in use
 * cannot be started again.
 *
 * @param attempt which start of the run this is, from 1
 */
export function childInstanceId(runId: string, child: RunChild, attempt: number): string {
  return attempt === 1 ? `${runId}-${child}` : `${runId}-${child}-${attempt}`;
}
