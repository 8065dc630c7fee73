/** How orchestrations talk to the entity that keeps the budget of registry operations of a hub. */

import { EntityId, type OrchestrationContext, type Task } from 'durable-functions';

import type { TakeInput, TakeReply } from '../lib/turns/budget.ts';
import { BUDGET_ENTITY } from './instanceIds.ts';

/** Takes items from the budget; when they are not granted, it is to be asked again. */
export function* takeItems(
  context: OrchestrationContext,
  hub: string,
  input: TakeInput,
): Generator<Task, TakeReply, unknown> {
  const reply = yield context.df.callEntity(new EntityId(BUDGET_ENTITY, hub), 'take', input);
  if (isTakeReply(reply)) return reply;
  throw new Error(`The budget of the hub "${hub}" did not give a valid answer.`);
}

function isTakeReply(reply: unknown): reply is TakeReply {
  return typeof reply === 'object' && reply !== null && 'granted' in reply;
}

/** Tells the budget of a 429. A signal: nobody needs to wait for it. */
export function tellThrottled(context: OrchestrationContext, hub: string): void {
  context.df.signalEntity(new EntityId(BUDGET_ENTITY, hub), 'throttled', {});
}
