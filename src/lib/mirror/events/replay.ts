/** What could not be applied is fed again: parked batches once the store answers, dead letters when somebody asks for it. */

import { readJson } from '../../storage/jsonBlob.ts';
import { dropNote, noteBlob } from '../notes/note.ts';
import type { MirrorEvent } from '../rows/mirrorEvent.ts';
import { applyOrGiveUp, type Outcome } from './applyOrGiveUp.ts';
import { type DeadLetter, deadLetterNames, lettersOf, rawOf, writeDeadLetters } from './deadLetters.ts';
import { type MirrorContext, originOf } from './mirrorContext.ts';
import { dropParked, parkedNames, readParked } from './parkedBatches.ts';
import { readEvent } from './readEvent.ts';

export interface Replayed {
  /** Events that were applied. */
  readonly applied: number;
  /** Dead letters that are still none of a hub's, or are so now. */
  readonly dead: number;
  /** Whether some are left, for the store is in trouble or time is over. */
  readonly left: boolean;
  /** Aliases of hubs of which rows are wanted: a refresh has something to do. */
  readonly wanted: readonly string[];
}

/**
 * Applies parked batches, and drops them. Two who do it at a time do no harm.
 *
 * @param until no further batch is begun then
 */
export async function replayParked(context: MirrorContext, until?: Date): Promise<Replayed> {
  const { storage, now } = context;
  const tally = newTally();
  for await (const name of parkedNames(storage)) {
    if (until !== undefined && now() >= until) return { ...tally.sum(), left: true };
    const batch = await readParked(storage, name);
    if (batch === undefined) continue;
    const outcome = await applyOrGiveUp(context, batch.hub, batch.events, { again: true });
    if (outcome.unapplied.length > 0) return { ...tally.sum(), left: true };
    await writeDeadLetters(storage, lettersOf(outcome.refused, now()));
    await dropParked(storage, batch);
    tally.add(batch.hub, batch.events.length, outcome);
  }
  return { ...tally.sum(), left: false };
}

/**
 * Reads dead letters again, and drops those that are none any more: after an update of the app, say, or of its settings.
 *
 * @param until no further letter is read then
 */
export async function replayDeadLetters(context: MirrorContext, until?: Date): Promise<Replayed> {
  const { storage, now } = context;
  const tally = newTally();
  for await (const name of deadLetterNames(storage)) {
    if (until !== undefined && now() >= until) return { ...tally.sum(), left: true };
    const found = await readJson<DeadLetter>(noteBlob(storage, name));
    if (found === undefined) continue;
    const read = eventOf(context, found.value);
    if (read === 'dead') {
      tally.dead();
      continue;
    }
    if (read !== 'ignored') {
      const outcome = await applyOrGiveUp(context, read.hub, [read], { again: true });
      if (outcome.unapplied.length > 0) return { ...tally.sum(), left: true };
      tally.add(read.hub, 1, outcome);
      if (outcome.refused.length > 0) continue;
    }
    await dropNote(storage, name, found.etag);
  }
  return { ...tally.sum(), left: false };
}

function eventOf(context: MirrorContext, letter: DeadLetter): MirrorEvent | 'dead' | 'ignored' {
  const { raw, event } = letter;
  if (raw === undefined) return event ?? 'dead';
  const read = readEvent(rawOf(letter, raw), originOf(context, letter.place.source));
  if ('event' in read) return read.event;
  return 'dead' in read ? 'dead' : 'ignored';
}

function newTally() {
  const wanted = new Set<string>();
  let applied = 0;
  let dead = 0;
  return {
    dead: () => {
      dead += 1;
    },
    add: (hub: string, count: number, outcome: Outcome) => {
      if (outcome.wanted) wanted.add(hub);
      applied += count - outcome.refused.length;
      dead += outcome.refused.length;
    },
    sum: () => ({ applied, dead, wanted: [...wanted] }),
  };
}
