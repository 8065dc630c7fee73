/** How orchestrations talk to the entity that keeps the budget of registry operations of a hub. */

import { EntityId, type OrchestrationContext, type Task } from 'durable-functions';

import type { TakeInput, TakeReply } from '../lib/turns/budget.ts';
import { sleep } from './activities.ts';
import { BUDGET_ENTITY } from './instanceIds.ts';

const LONGEST_WAIT_MS = 60_000;

/**
 * Takes items from the budget, or waits for as long as it says.
 *
 * @returns over how many ms they are to be sent; undefined when they were not granted yet
 */
export function* takeItems(
  context: OrchestrationContext,
  hub: string,
  input: TakeInput,
): Generator<Task, number | undefined, unknown> {
  const reply = yield context.df.callEntity(new EntityId(BUDGET_ENTITY, hub), 'take', input);
  if (!isTakeReply(reply)) throw new Error(`The budget of the hub "${hub}" did not give a valid answer.`);
  if (reply.granted) return reply.spreadMs;
  // Asked again before long, whatever the budget says: the clock that it went by may have been ahead.
  yield* sleep(context, Math.min(reply.waitMs, LONGEST_WAIT_MS) / 1000);
  return undefined;
}

function isTakeReply(reply: unknown): reply is TakeReply {
  return typeof reply === 'object' && reply !== null && 'granted' in reply;
}

/** Tells the budget of a 429. A signal: nobody needs to wait for it. */
export function tellThrottled(context: OrchestrationContext, hub: string): void {
  context.df.signalEntity(new EntityId(BUDGET_ENTITY, hub), 'throttled', {});
}
