/** Every orchestration name, event name and instance-id rule, in one place. */

export const ORCHESTRATIONS = { run: 'run', lane: 'lane', mirrorRefresh: 'mirrorRefresh' } as const;

/**
 * Orchestrations of earlier versions, of which instances may be under way at an upgrade. Their histories mean nothing to
 * this version: each ends as soon as it is asked to go on, and the sweep starts its run anew.
 */
export const SUPERSEDED = [
  'provisionRun',
  'provisionTurn',
  'provisionJobStart',
  'provisionJobWatch',
  'provisionAftermath',
  'provisionLane',
] as const;

/** Raised to a run when a person has cancelled, suspended or resumed it; its record says which. */
export const WAKE_EVENT = 'wake';

/** The orchestration of a run has the run's own id: two starts of one run meet in one instance. */
export function instanceIdOfRun(runId: string): string {
  return runId;
}

/** A hub has one refresh of its mirror at a time: two starts meet in one instance. */
export function instanceIdOfRefresh(hub: string): string {
  return `mirror-refresh@${hub}`;
}

/** The entity that says whose turn it is; its key is the alias of the hub. */
export const TURN_ENTITY = 'turn';

/** The entity that keeps a budget; its key, for registry operations, is the alias of the hub. */
export const BUDGET_ENTITY = 'budget';

/** The key of the same for queries, which have a throttle of their own; no alias has a hyphen. */
export function queryBudgetOf(hub: string): string {
  return `${hub}-queries`;
}
