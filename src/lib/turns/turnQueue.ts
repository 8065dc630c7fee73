/**
 * The queue for the turn on one hub, as a pure function: state × operation × now → state × reply.
 *
 * A hub runs one import or export job at a time, so its runs take turns, in the order in which their files were dropped.
 * Nobody is woken up: a run asks again and again, and by asking it keeps its place, or the turn.
 */

/** Who asks for the turn, and what its place in the order is. */
export interface TurnTicket {
  readonly runId: string;
  /** When the file was dropped: the last-modified time of the blob, ISO 8601 in UTC. Whole seconds in storage. */
  readonly droppedAt: string;
  /** Name of the blob: decides among files of the same second. */
  readonly name: string;
}

/** A run whose file is being checked. */
interface Announced extends TurnTicket {
  /** When it said that it would come, ms since the epoch. */
  readonly announcedAt: number;
}

interface Seen extends TurnTicket {
  /** When it came into the queue, ms since the epoch. */
  readonly cameAt: number;
  /** When it said that it would come, ms since the epoch; absent when it never did. */
  readonly announcedAt?: number;
  /** When it asked last, ms since the epoch. */
  readonly seenAt: number;
}

export interface TurnState {
  readonly holder?: Seen;
  /** In their order; at most `MOST_WAITERS`. */
  readonly waiters: readonly Seen[];
  /** Those who will come, in their order; at most `MOST_WAITERS`. */
  readonly announced?: readonly Announced[];
}

export interface TurnLimits {
  /**
   * Nobody gets the turn within this time of announcing itself, nor within this time of coming while one that was dropped
   * earlier is announced and still on its way: files that were dropped together find their order first.
   */
  readonly graceMs: number;
  /** A waiter that has not asked for this long is passed over: it is suspended or dead. It may ask again at any time. */
  readonly waiterSilentMs: number;
  /** A holder that has not asked for this long is named to those who wait, so that they find out whether it lives. */
  readonly holderSilentMs: number;
}

export const TURN_LIMITS: TurnLimits = { graceMs: 750, waiterSilentMs: 2 * 60_000, holderSilentMs: 10 * 60_000 };

export type PollReply =
  | { readonly granted: true }
  | {
      readonly granted: false;
      /** How many runs are ahead, the holder among them; 0 for the first in order that has only just come. */
      readonly position: number;
      /** With position 0: how long its time of grace lasts, ms. */
      readonly graceLeftMs?: number;
      /** The holder, when it has been silent for too long. */
      readonly silentHolder?: string;
    };

/** Says that a run will ask for the turn once its file is checked. */
export type AnnounceInput = TurnTicket;

/** Asks for the turn, or keeps it. */
export interface PollInput extends TurnTicket {
  readonly limits: TurnLimits;
}

/** Gives up the turn, or the place in the queue. */
export interface LeaveInput {
  readonly runId: string;
}

/** Takes the turn from a holder that is known to be dead; without effect if it has asked in the meantime. */
export interface EvictInput {
  readonly runId: string;
  readonly limits: TurnLimits;
}

export type TurnOperation =
  | ({ readonly kind: 'announce' } & AnnounceInput)
  | ({ readonly kind: 'poll' } & PollInput)
  | ({ readonly kind: 'leave' } & LeaveInput)
  | ({ readonly kind: 'evict' } & EvictInput);

export type TurnReply =
  | PollReply
  | { readonly announced: boolean }
  | { readonly left: boolean }
  | { readonly evicted: boolean };

/**
 * Bounds the state. Runs beyond it wait all the same: they are told that many are ahead, and are taken in, in their
 * order, as soon as others have left.
 */
export const MOST_WAITERS = 200;

/** Who has not come by then is expected no longer: its run has ended without a word, or its file is very large. */
const EXPECTED_MS = 10 * 60_000;

export const NO_TURNS: TurnState = { waiters: [] };

export function applyTurn(
  before: TurnState,
  operation: TurnOperation,
  now: number,
): { readonly state: TurnState; readonly reply: TurnReply } {
  const state = notInFuture(before, now);
  switch (operation.kind) {
    case 'announce':
      return announce(state, operation, now);
    case 'poll':
      return poll(state, operation, now);
    case 'leave':
      return leave(state, operation.runId);
    case 'evict':
      return evict(state, operation, now);
    default: {
      const never: never = operation;
      throw new Error(`unknown operation ${JSON.stringify(never)}`);
    }
  }
}

/** The clocks of two machines may differ: what was seen "in the future" was seen now, and can be silent from now on. */
function notInFuture(state: TurnState, now: number): TurnState {
  const announced = <One extends { readonly announcedAt?: number }>(one: One): One =>
    one.announcedAt === undefined ? one : { ...one, announcedAt: Math.min(one.announcedAt, now) };
  const clamp = (seen: Seen): Seen => ({
    ...announced(seen),
    cameAt: Math.min(seen.cameAt, now),
    seenAt: Math.min(seen.seenAt, now),
  });
  return {
    ...(state.holder === undefined ? {} : { holder: clamp(state.holder) }),
    waiters: state.waiters.map(clamp),
    ...(state.announced === undefined ? {} : { announced: state.announced.map(announced) }),
  };
}

/** Those who are still expected, but for one. */
function expectedBut(state: TurnState, runId: string, now: number): readonly Announced[] {
  return (state.announced ?? []).filter((one) => one.runId !== runId && now - one.announcedAt <= EXPECTED_MS);
}

function withAnnounced(state: TurnState, announced: readonly Announced[]): TurnState {
  const { announced: _before, ...rest } = state;
  return announced.length === 0 ? rest : { ...rest, announced };
}

function announce(state: TurnState, { runId, droppedAt, name }: AnnounceInput, now: number) {
  const isHere = state.holder?.runId === runId || state.waiters.some((waiter) => waiter.runId === runId);
  if (isHere) return { state, reply: { announced: false } };
  const announced = [...expectedBut(state, runId, now), { runId, droppedAt, name, announcedAt: now }];
  return { state: withAnnounced(state, announced.sort(inOrder).slice(0, MOST_WAITERS)), reply: { announced: true } };
}

function poll(state: TurnState, { runId, droppedAt, name, limits }: PollInput, now: number) {
  const { holder } = state;
  const waiting = state.waiters.filter((waiter) => now - waiter.seenAt <= limits.waiterSilentMs);
  const others = waiting.filter((waiter) => waiter.runId !== runId);
  const known = holder?.runId === runId ? holder : waiting.find((waiter) => waiter.runId === runId);
  const announcedAt = known?.announcedAt ?? state.announced?.find((one) => one.runId === runId)?.announcedAt;
  const me: Seen = {
    runId,
    droppedAt,
    name,
    cameAt: known?.cameAt ?? now,
    ...defined({ announcedAt }),
    seenAt: now,
  };
  const expected = expectedBut(state, runId, now);
  const ordered = [...others, me].sort(inOrder);
  const ahead = ordered.indexOf(me);
  const isFirst = holder === undefined && ahead === 0;
  const oneIsOnItsWay = expected.some((one) => inOrder(one, me) < 0);
  const graceFrom = oneIsOnItsWay ? me.cameAt : (me.announcedAt ?? me.cameAt);
  const graceLeftMs = Math.max(0, graceFrom + limits.graceMs - now);
  if (holder?.runId === runId || (isFirst && graceLeftMs === 0)) {
    return { state: withAnnounced({ holder: me, waiters: others }, expected), reply: { granted: true } as const };
  }
  const silent = holder !== undefined && now - holder.seenAt > limits.holderSilentMs;
  return {
    state: withAnnounced({ ...state, waiters: ordered.slice(0, MOST_WAITERS) }, expected),
    reply: {
      granted: false as const,
      position: ahead + (holder === undefined ? 0 : 1),
      ...(isFirst ? { graceLeftMs } : {}),
      ...(silent ? { silentHolder: holder.runId } : {}),
    },
  };
}

function leave({ holder, waiters, announced = [] }: TurnState, runId: string) {
  const remaining = waiters.filter((waiter) => waiter.runId !== runId);
  const held = holder?.runId === runId;
  const state = { ...(holder === undefined || held ? {} : { holder }), waiters: remaining };
  return {
    state: withAnnounced(
      state,
      announced.filter((one) => one.runId !== runId),
    ),
    reply: { left: held || remaining.length < waiters.length },
  };
}

function evict(state: TurnState, { runId, limits }: EvictInput, now: number) {
  const { holder, ...rest } = state;
  const evicted = holder?.runId === runId && now - holder.seenAt > limits.holderSilentMs;
  return { state: evicted ? rest : state, reply: { evicted } };
}

function inOrder(a: TurnTicket, b: TurnTicket): number {
  return compare(a.droppedAt, b.droppedAt) || compare(a.name, b.name) || compare(a.runId, b.runId);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The operation that a message to the entity asks for; undefined when it asks for none that there is. */
export function parseTurnOperation(kind: string | undefined, input: unknown): TurnOperation | undefined {
  if (typeof input !== 'object' || input === null) return undefined;
  const { runId, droppedAt, name, limits } = input as Readonly<Record<string, unknown>>;
  if (typeof runId !== 'string') return undefined;
  if (kind === 'leave') return { kind, runId };
  const ticket = typeof droppedAt === 'string' && typeof name === 'string' ? { runId, droppedAt, name } : undefined;
  if (kind === 'announce') return ticket && { kind, ...ticket };
  if (!isLimits(limits)) return undefined;
  if (kind === 'evict') return { kind, runId, limits };
  return kind === 'poll' ? ticket && { kind, ...ticket, limits } : undefined;
}

function isLimits(value: unknown): value is TurnLimits {
  if (typeof value !== 'object' || value === null) return false;
  const { graceMs, waiterSilentMs, holderSilentMs } = value as Readonly<Record<string, unknown>>;
  return [graceMs, waiterSilentMs, holderSilentMs].every((limit) => typeof limit === 'number');
}

import { defined } from '../defined.ts';
