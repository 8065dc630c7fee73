/** What a refresh asks of the budgets of its hub, and how long it waits: pure, for the orchestration. */

/** Reads some of what is due, and says what there is left. */
export const REFRESH_STEP = 'refreshStep';

/** Queries, and registry operations. */
export interface RefreshAmounts {
  readonly queries: number;
  readonly operations: number;
}

/** The pace of the hub, a minute. */
export interface RefreshPace {
  readonly queriesPerMinute: number;
  readonly operationsPerMinute: number;
}

export const NO_AMOUNTS: RefreshAmounts = { queries: 0, operations: 0 };

/** An activity is to read for about so long. */
const SECONDS_A_STEP = 15;
/** A query has up to 100 rows, and an activity is to hold some hundreds of them. */
const MOST_QUERIES = 5;
const MOST_OPERATIONS = 50;
/** What reading a module takes. */
const LEAST_OPERATIONS = 2;

/** What is asked for next, of what is left. */
export function nextAmounts(left: RefreshAmounts, pace: RefreshPace): RefreshAmounts {
  const inStep = (perMinute: number): number => Math.floor((perMinute / 60) * SECONDS_A_STEP);
  const queries = Math.min(left.queries, MOST_QUERIES, Math.max(1, inStep(pace.queriesPerMinute)));
  const most = Math.min(left.operations, MOST_OPERATIONS, inStep(pace.operationsPerMinute));
  return { queries, operations: left.operations === 0 ? 0 : Math.max(LEAST_OPERATIONS, most) };
}

/** 5, 10, 20 … up to 60 s while the hub is in trouble. */
export function troubleSeconds(troubles: number): number {
  return Math.min(60, 5 * 2 ** Math.min(10, troubles - 1));
}
