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
  throw new Error(`The queue of the hub "${hub}" gave no answer that can be understood.`);
}

function isPollReply(reply: unknown): reply is PollReply {
  return typeof reply === 'object' && reply !== null && 'granted' in reply;
}

/** Where a run stands in the queue, and since when. */
export interface Standing {
  readonly position: number;
  /** Ms since the epoch, in durable time. */
  readonly since: number;
}

/** As it was if the place is the same, else from now on. */
export function standingAt(context: OrchestrationContext, position: number, before: Standing | undefined): Standing {
  return before?.position === position ? before : { position, since: context.df.currentUtcDateTime.getTime() };
}

/**
 * Until the next question: 1 s for the next in line and 2 s more for each place behind it, as a run takes at least about
 * two seconds; but not less than a tenth of the time that the place has been the same, and at most 30 s.
 *
 * Files of one line pass one another within moments that way, and those far behind do not ask in vain. Behind a job of
 * hours even the next in line soon asks twice a minute only (each question costs about a dozen operations of storage, and
 * a history of fifty questions), and then waits a tenth longer than it must. None of this is a call to the hub.
 */
export function turnDelaySeconds(context: OrchestrationContext, { position, since }: Standing): number {
  const waitedMs = context.df.currentUtcDateTime.getTime() - since;
  return Math.min(30, Math.max(1 + 2 * (position - 1), waitedMs / 10_000));
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
