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

interface Seen extends TurnTicket {
  /** When it came into the queue, ms since the epoch. */
  readonly cameAt: number;
  /** When it asked last, ms since the epoch. */
  readonly seenAt: number;
}

export interface TurnState {
  readonly holder?: Seen;
  /** In their order; at most `MOST_WAITERS`. */
  readonly waiters: readonly Seen[];
}

export interface TurnLimits {
  /** Nobody gets the turn within this time of coming: files that were dropped together find their order first. */
  readonly graceMs: number;
  /** A waiter that has not asked for this long is passed over: it is suspended or dead. It may ask again at any time. */
  readonly waiterSilentMs: number;
  /** A holder that has not asked for this long is named to those who wait, so that they find out whether it lives. */
  readonly holderSilentMs: number;
}

export const TURN_LIMITS: TurnLimits = { graceMs: 1_500, waiterSilentMs: 2 * 60_000, holderSilentMs: 10 * 60_000 };

export type PollReply =
  | { readonly granted: true }
  | {
      readonly granted: false;
      /** How many runs are ahead, the holder among them; 0 for the first in order that has only just come. */
      readonly position: number;
      /** The holder, when it has been silent for too long. */
      readonly silentHolder?: string;
    };

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
  | ({ readonly kind: 'poll' } & PollInput)
  | ({ readonly kind: 'leave' } & LeaveInput)
  | ({ readonly kind: 'evict' } & EvictInput);

export type TurnReply = PollReply | { readonly left: boolean } | { readonly evicted: boolean };

/**
 * Bounds the state. Runs beyond it wait all the same: they are told that many are ahead, and are taken in, in their
 * order, as soon as others have left.
 */
export const MOST_WAITERS = 200;

export const NO_TURNS: TurnState = { waiters: [] };

export function applyTurn(
  before: TurnState,
  operation: TurnOperation,
  now: number,
): { readonly state: TurnState; readonly reply: TurnReply } {
  const state = notInFuture(before, now);
  switch (operation.kind) {
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
  const clamp = (seen: Seen): Seen => ({
    ...seen,
    cameAt: Math.min(seen.cameAt, now),
    seenAt: Math.min(seen.seenAt, now),
  });
  return {
    ...(state.holder === undefined ? {} : { holder: clamp(state.holder) }),
    waiters: state.waiters.map(clamp),
  };
}

function poll(state: TurnState, { runId, droppedAt, name, limits }: PollInput, now: number) {
  const { holder } = state;
  const waiting = state.waiters.filter((waiter) => now - waiter.seenAt <= limits.waiterSilentMs);
  const others = waiting.filter((waiter) => waiter.runId !== runId);
  const known = holder?.runId === runId ? holder : waiting.find((waiter) => waiter.runId === runId);
  const me: Seen = { runId, droppedAt, name, cameAt: known?.cameAt ?? now, seenAt: now };
  const ordered = [...others, me].sort(inOrder);
  const ahead = ordered.indexOf(me);
  const isNext = holder === undefined && ahead === 0 && now - me.cameAt >= limits.graceMs;
  if (holder?.runId === runId || isNext) {
    return { state: { holder: me, waiters: others }, reply: { granted: true } as const };
  }
  const silent = holder !== undefined && now - holder.seenAt > limits.holderSilentMs;
  return {
    state: { ...state, waiters: ordered.slice(0, MOST_WAITERS) },
    reply: {
      granted: false as const,
      position: ahead + (holder === undefined ? 0 : 1),
      ...(silent ? { silentHolder: holder.runId } : {}),
    },
  };
}

function leave({ holder, waiters }: TurnState, runId: string) {
  const remaining = waiters.filter((waiter) => waiter.runId !== runId);
  const held = holder?.runId === runId;
  return {
    state: { ...(holder === undefined || held ? {} : { holder }), waiters: remaining },
    reply: { left: held || remaining.length < waiters.length },
  };
}

function evict(state: TurnState, { runId, limits }: EvictInput, now: number) {
  const { holder, waiters } = state;
  const evicted = holder?.runId === runId && now - holder.seenAt > limits.holderSilentMs;
  return { state: evicted ? { waiters } : state, reply: { evicted } };
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
  if (!isLimits(limits)) return undefined;
  if (kind === 'evict') return { kind, runId, limits };
  if (kind !== 'poll' || typeof droppedAt !== 'string' || typeof name !== 'string') return undefined;
  return { kind, runId, droppedAt, name, limits };
}

function isLimits(value: unknown): value is TurnLimits {
  if (typeof value !== 'object' || value === null) return false;
  const { graceMs, waiterSilentMs, holderSilentMs } = value as Readonly<Record<string, unknown>>;
  return [graceMs, waiterSilentMs, holderSilentMs].every((limit) => typeof limit === 'number');
}
