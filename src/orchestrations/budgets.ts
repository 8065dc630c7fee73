/** How orchestrations talk to the entities that keep budgets: of the registry operations of a hub, and of its queries. */

import { EntityId, type OrchestrationContext, type Task } from 'durable-functions';

import type { TakeInput, TakeReply } from '../lib/turns/budget.ts';
import { BUDGET_ENTITY } from './instanceIds.ts';

/**
 * Takes items from a budget; when they are not granted, it is to be asked again.
 *
 * @param budget the alias of a hub, or `queryBudgetOf` it
 */
export function* takeItems(
  context: OrchestrationContext,
  budget: string,
  input: TakeInput,
): Generator<Task, TakeReply, unknown> {
  const reply = yield context.df.callEntity(new EntityId(BUDGET_ENTITY, budget), 'take', input);
  if (isTakeReply(reply)) return reply;
  throw new Error(`The budget "${budget}" did not give a valid answer.`);
}

function isTakeReply(reply: unknown): reply is TakeReply {
  return typeof reply === 'object' && reply !== null && 'granted' in reply;
}

/** Tells the budget of a 429. A signal: nobody needs to wait for it. */
export function tellThrottled(context: OrchestrationContext, budget: string): void {
  context.df.signalEntity(new EntityId(BUDGET_ENTITY, budget), 'throttled', {});
}
