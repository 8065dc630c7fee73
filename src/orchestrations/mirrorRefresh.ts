/**
 * Empties the queue of rows of the mirror that the registry is to be read for: one instance a hub, at the pace of its
 * budgets. It ends when nothing is due, and is started again by whoever fills the queue, and every minute.
 *
 * The queue is the truth: an instance that dies, or is started twice, costs readings and nothing else.
 */

import type { OrchestrationContext, Task } from 'durable-functions';

import {
  NO_AMOUNTS,
  nextAmounts,
  REFRESH_STEP,
  type RefreshAmounts,
  type RefreshPace,
  troubleSeconds,
} from '../lib/mirror/refresh/refreshPlan.ts';
import type { Grant } from '../lib/mirror/refresh/refreshRows.ts';
import type { RefreshInput, RefreshReply } from '../lib/mirror/refresh/refreshStep.ts';
import { LONGEST_WAIT_SECONDS } from '../lib/runs/step.ts';
import { callActivity, sleep } from './activities.ts';
import { takeItems, tellThrottled } from './budgets.ts';
import { queryBudgetOf } from './instanceIds.ts';

export interface MirrorRefreshInput {
  /** Alias. */
  readonly hub: string;
  /** Of a refresh that goes on with a fresh history. */
  readonly held?: Held;
}

/** What the loop holds on to between its steps. */
interface Held {
  /** What is due, as far as the last step saw it. */
  readonly left: RefreshAmounts;
  readonly pace: RefreshPace;
  /** Queries that were made and not granted: pages that nobody could know of. */
  readonly owed: number;
  /** Steps in a row that the hub has ended. */
  readonly troubles: number;
}

const START: Held = {
  left: NO_AMOUNTS,
  pace: { queriesPerMinute: 1, operationsPerMinute: 1 },
  owed: 0,
  troubles: 0,
};

/** The history starts over after this many steps: replay time grows with its length. */
export const REFRESH_STEPS_A_HISTORY = 50;
/** Runs that have ended meanwhile are not kept waiting for a long queue. */
const LOOK_EVERY = 10;

type Orchestration<Result> = Generator<Task, Result, unknown>;

export function* mirrorRefresh(context: OrchestrationContext): Orchestration<{ readonly state: string } | undefined> {
  const { hub, held: earlier = START } = context.df.getInput() as MirrorRefreshInput;
  let held = earlier;
  try {
    for (let step = 0; step < REFRESH_STEPS_A_HISTORY; step += 1) {
      const next = yield* takeStep(context, hub, held, step);
      if ('state' in next) return next;
      held = next;
    }
    context.df.continueAsNew({ hub, held } satisfies MirrorRefreshInput);
    return undefined;
  } catch {
    // Storage has been away for minutes. The queue stays, and within a minute it is begun anew.
    return { state: 'stopped' };
  }
}

function* takeStep(
  context: OrchestrationContext,
  hub: string,
  held: Held,
  step: number,
): Orchestration<Held | { readonly state: string }> {
  const isIdle = held.left.queries + held.left.operations === 0;
  const grant = isIdle ? NO_GRANT : yield* takeGrant(context, hub, held);
  if (grant === undefined) return held;
  const input: RefreshInput = { hub, look: isIdle || step % LOOK_EVERY === 0, ...grant };
  const reply = (yield* callActivity(context, REFRESH_STEP, input)) as RefreshReply;
  if (reply.over) return { state: 'over' };
  for (const throttle of reply.throttled) tellThrottled(context, throttle === 'queries' ? queryBudgetOf(hub) : hub);
  const { left, pace } = reply;
  const owed = Math.max(0, reply.queries - grant.queries) + (grant.queries > 0 ? 0 : held.owed);
  const troubles = reply.trouble ? held.troubles + 1 : isIdle ? held.troubles : 0;
  if (reply.trouble) yield* sleep(context, troubleSeconds(troubles));
  else if (reply.read + left.queries + left.operations === 0 && !reply.handingOver) {
    if (reply.soonSeconds === undefined) return { state: 'done' };
    yield* sleep(context, reply.soonSeconds);
  }
  return { left, pace, owed, troubles };
}

const NO_GRANT: Grant = { queries: 0, msPerQuery: 0, operations: 0, msPerOperation: 0 };

/** @returns undefined when nothing was granted: then it has waited, and asks again */
function* takeGrant(context: OrchestrationContext, hub: string, held: Held): Orchestration<Grant | undefined> {
  const { queries, operations } = nextAmounts(held.left, held.pace);
  const { queriesPerMinute, operationsPerMinute } = held.pace;
  const ofQueries = yield* take(context, queryBudgetOf(hub), queries && queries + held.owed, queriesPerMinute);
  const ofOperations = yield* take(context, hub, operations, operationsPerMinute);
  if ('waitMs' in ofQueries && 'waitMs' in ofOperations) {
    const waitMs = Math.min(ofQueries.waitMs, ofOperations.waitMs, LONGEST_WAIT_SECONDS * 1000);
    yield* sleep(context, waitMs / 1000);
    return undefined;
  }
  return {
    queries: 'waitMs' in ofQueries ? 0 : queries,
    msPerQuery: 'waitMs' in ofQueries ? 0 : ofQueries.msPerItem,
    operations: 'waitMs' in ofOperations ? 0 : operations,
    msPerOperation: 'waitMs' in ofOperations ? 0 : ofOperations.msPerItem,
  };
}

type Taken = { readonly msPerItem: number } | { readonly waitMs: number };

/** Of what nothing is wanted, nothing is waited for. */
const NOT_ASKED: Taken = { waitMs: Number.POSITIVE_INFINITY };

function* take(
  context: OrchestrationContext,
  budget: string,
  items: number,
  itemsPerMinute: number,
): Orchestration<Taken> {
  if (items === 0) return NOT_ASKED;
  const reply = yield* takeItems(context, budget, { items, itemsPerMinute });
  return reply.granted ? { msPerItem: reply.spreadMs / items } : { waitMs: reply.waitMs };
}
