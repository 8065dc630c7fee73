/**
 * The budget of registry operations of one hub, as a pure function: state × operation × now → state × reply.
 *
 * A hub throttles identity operations per minute and counts devices, not calls (IoT Hub quotas and throttling), so the
 * budget is in items. Whoever wants to send some takes them here first: each item moves the time up to which the budget
 * is spent. A 429 comes without Retry-After; it halves the rate, which doubles again after a while without one.
 */

export interface BudgetState {
  /** Up to when all of the budget is spent, ms since the epoch. */
  readonly spentUntil?: number;
  /** How often the rate is halved at the moment. */
  readonly halvings: number;
  /** When `halvings` changed last, ms since the epoch. */
  readonly changedAt: number;
}

export interface TakeInput {
  readonly items: number;
  /** What the hub allows. */
  readonly itemsPerMinute: number;
}

export type BudgetOperation = ({ readonly kind: 'take' } & TakeInput) | { readonly kind: 'throttled' };

export type TakeReply =
  /** The items are to be sent evenly over `spreadMs`: a hub delays, and then refuses, what comes all at once. */
  { readonly granted: true; readonly spreadMs: number } | { readonly granted: false; readonly waitMs: number };
export type BudgetReply = TakeReply | { readonly slowed: boolean };

export const FULL_BUDGET: BudgetState = { halvings: 0, changedAt: 0 };

/** Who comes late makes up for so much. How large a burst a hub absorbs is not documented, and others send too. */
const LATE_MS = 1_000;
/** "Wait 10 seconds and try again", as a live hub words its 429. */
const PAUSE_MS = 10_000;
/** Replies of one bad moment come in bundles: they halve the rate once. */
const BUNDLE_MS = 5_000;
const RECOVER_MS = 60_000;
const MOST_HALVINGS = 5;

export function applyBudget(
  before: BudgetState,
  operation: BudgetOperation,
  now: number,
): { readonly state: BudgetState; readonly reply: BudgetReply } {
  const state = recovered(before, now);
  switch (operation.kind) {
    case 'take':
      return take(state, operation, now);
    case 'throttled':
      return throttled(state, now);
    default: {
      const never: never = operation;
      throw new Error(`unknown operation ${JSON.stringify(never)}`);
    }
  }
}

function recovered(state: BudgetState, now: number): BudgetState {
  // The clocks of two machines may differ.
  const changedAt = Math.min(state.changedAt, now);
  if (state.halvings === 0 || now - changedAt < RECOVER_MS) return { ...state, changedAt };
  return { ...state, halvings: state.halvings - 1, changedAt: now };
}

function take(state: BudgetState, { items, itemsPerMinute }: TakeInput, now: number) {
  const msPerItem = (60_000 / itemsPerMinute) * 2 ** state.halvings;
  // Whoever comes first starts without credit: the hub may have been busy until now.
  const spentUntil = Math.max(state.spentUntil ?? now, now - LATE_MS);
  if (spentUntil > now) {
    return { state: { ...state, spentUntil }, reply: { granted: false, waitMs: Math.ceil(spentUntil - now) } as const };
  }
  const until = spentUntil + items * msPerItem;
  // Who comes late has less time, and so makes up for it.
  const spreadMs = Math.max(0, Math.floor(until - now));
  return { state: { ...state, spentUntil: until }, reply: { granted: true, spreadMs } as const };
}

function throttled(state: BudgetState, now: number) {
  const spentUntil = Math.max(state.spentUntil ?? now, now + PAUSE_MS);
  if (now - state.changedAt < BUNDLE_MS && state.halvings > 0) {
    return { state: { ...state, spentUntil }, reply: { slowed: false } };
  }
  const halvings = Math.min(MOST_HALVINGS, state.halvings + 1);
  return { state: { spentUntil, halvings, changedAt: now }, reply: { slowed: true } };
}

/** The operation that a message to the entity asks for; undefined when it asks for none that there is. */
export function parseBudgetOperation(kind: string | undefined, input: unknown): BudgetOperation | undefined {
  if (kind === 'throttled') return { kind };
  if (kind !== 'take' || typeof input !== 'object' || input === null) return undefined;
  const { items, itemsPerMinute } = input as Readonly<Record<string, unknown>>;
  if (!isCount(items) || !isCount(itemsPerMinute) || itemsPerMinute === 0) return undefined;
  return { kind, items, itemsPerMinute };
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}
