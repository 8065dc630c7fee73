/** How orchestrations talk to the entity that says whose turn it is on a hub. */

import { EntityId, type OrchestrationContext, type Task } from 'durable-functions';

import type {
  AnnounceInput,
  EvictInput,
  LeaveInput,
  PollInput,
  PollReply,
  TurnLimits,
  TurnTicket,
} from '../lib/turns/turnQueue.ts';
import { TURN_ENTITY } from './instanceIds.ts';

/** The queue that a run stands in, and its place there. */
export interface TurnPlace {
  /** Alias. */
  readonly hub: string;
  readonly ticket: TurnTicket;
  readonly limits: TurnLimits;
}

/**
 * Says that the run will ask for the turn once its file is checked, so that one that was dropped after it and is checked
 * sooner waits a moment. A signal: nobody needs to wait for it, and if it is lost the run comes unannounced.
 */
export function announceTurn(context: OrchestrationContext, { hub, ticket }: TurnPlace): void {
  context.df.signalEntity(new EntityId(TURN_ENTITY, hub), 'announce', ticket satisfies AnnounceInput);
}

/** Asks for the turn; asked again, keeps it. */
export function* pollTurn(
  context: OrchestrationContext,
  { hub, ticket, limits }: TurnPlace,
): Generator<Task, PollReply, unknown> {
  const input: PollInput = { ...ticket, limits };
  const reply = yield context.df.callEntity(new EntityId(TURN_ENTITY, hub), 'poll', input);
  if (isPollReply(reply)) return reply;
  throw new Error(`The queue of the hub "${hub}" did not give a valid answer.`);
}

function isPollReply(reply: unknown): reply is PollReply {
  return typeof reply === 'object' && reply !== null && 'granted' in reply;
}

/** Takes the turn from a holder that was found dead. */
export function* evictFromTurn(
  context: OrchestrationContext,
  { hub, limits }: TurnPlace,
  holder: string,
): Generator<Task, void, unknown> {
  yield context.df.callEntity(new EntityId(TURN_ENTITY, hub), 'evict', { runId: holder, limits } satisfies EvictInput);
}

/**
 * Gives up the turn, or the place in the queue; to leave what one does not have does no harm.
 *
 * A signal, not a call: the run is over and has nothing to wait for, and trouble of the entity must not fail it. The
 * signal is committed with the step that sends it, so only an orchestration that never gets here leaves the turn
 * behind; then whoever waits finds its instance dead.
 */
export function leaveTurn(context: OrchestrationContext, { hub, ticket }: TurnPlace): void {
  context.df.signalEntity(new EntityId(TURN_ENTITY, hub), 'leave', { runId: ticket.runId } satisfies LeaveInput);
}
