/** Events into rows, while the store is in trouble: for a while all is tried again; one event that cannot be holds up no other. */

import { safeError } from '../../redact.ts';
import type { MirrorEvent } from '../rows/mirrorEvent.ts';
import { StoreUnavailable } from '../store/mirrorStore.ts';
import { applyEvents, RowsContended } from './applyEvents.ts';
import type { Refused } from './deadLetters.ts';
import { deadReason } from './deadLetterTexts.ts';
import type { MirrorContext } from './mirrorContext.ts';

type Context = Pick<MirrorContext, 'store' | 'trouble' | 'now' | 'sleep' | 'log'>;

export interface Outcome {
  /** Whether rows were left for which the registry has to be read. */
  readonly wanted: boolean;
  readonly refused: readonly Refused[];
  /** The store is in trouble: these wait. All of them, even if some were applied: to apply them again is right. */
  readonly unapplied: readonly MirrorEvent[];
}

/** An invocation waits so long for a store, less than a partition may stand still. */
const PATIENCE_MS = 30_000;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 8_000;

/**
 * @param events of one hub
 * @param how whether they were most likely applied before
 */
export async function applyOrGiveUp(
  context: Context,
  hub: string,
  events: readonly MirrorEvent[],
  how: { readonly again?: boolean } = {},
): Promise<Outcome> {
  const { trouble, now, sleep, log } = context;
  const until = now().getTime() + (trouble.isRecent(now()) ? 0 : PATIENCE_MS);
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    try {
      const outcome = await applyOrRefuse(context, hub, events, how);
      trouble.clear();
      return outcome;
    } catch (error) {
      if (!isForLater(error)) throw error;
      log.log('warn', `the mirror's store takes no events of the hub ${hub}: ${safeError(error).message}`);
      if (now().getTime() + pause > until) {
        trouble.note(now());
        return { wanted: false, refused: [], unapplied: events };
      }
      await sleep(pause);
    }
  }
}

/** @throws StoreUnavailable, RowsContended */
async function applyOrRefuse(
  context: Context,
  hub: string,
  events: readonly MirrorEvent[],
  how: { readonly again?: boolean } = {},
): Promise<Outcome> {
  try {
    const { wanted, tooLarge } = await applyEvents(context, hub, events, how);
    return { wanted, refused: tooLarge.map((event) => ({ event, reason: deadReason('rowTooLarge') })), unapplied: [] };
  } catch (error) {
    if (isForLater(error)) throw error;
    const devices = Map.groupBy(events, ({ deviceId }) => deviceId);
    if (devices.size > 1) return oneByOne(context, hub, [...devices.values()]);
    const { name, message } = safeError(error);
    context.log.log(
      'error',
      `${events.length} events of a device of the hub ${hub} are not taken: ${name}: ${message}`,
    );
    // Texts of errors may quote what they are about.
    const reason = deadReason('notTaken', { error: name });
    return { wanted: false, refused: events.map((event) => ({ event, reason })), unapplied: [] };
  }
}

async function oneByOne(context: Context, hub: string, parts: readonly (readonly MirrorEvent[])[]): Promise<Outcome> {
  const refused: Refused[] = [];
  let wanted = false;
  for (const part of parts) {
    const outcome = await applyOrRefuse(context, hub, part);
    refused.push(...outcome.refused);
    wanted ||= outcome.wanted;
  }
  return { wanted, refused, unapplied: [] };
}

function isForLater(error: unknown): boolean {
  return error instanceof StoreUnavailable || error instanceof RowsContended;
}
