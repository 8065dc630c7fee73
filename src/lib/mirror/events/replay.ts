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

export interface ReplayedLetters extends Replayed {
  /** Time is over: the next call goes on after this letter. */
  readonly next?: string;
}

/** Letters that are read, and applied, together. */
const LETTERS_AT_ONCE = 16;

/**
 * Reads dead letters again, and drops those that are none any more: after an update of the app, say, or of its settings.
 *
 * @param terms no further letters are read `until` then; only those `after` a name, in the order of names
 */
export async function replayDeadLetters(
  context: MirrorContext,
  { until, after = '' }: { readonly until?: Date; readonly after?: string } = {},
): Promise<ReplayedLetters> {
  const tally = newTally();
  let last = after;
  for await (const names of inGroups(deadLetterNames(context.storage), LETTERS_AT_ONCE)) {
    const later = names.filter((name) => name > after);
    if (later.length === 0) continue;
    if (until !== undefined && context.now() >= until) return { ...tally.sum(), left: true, next: last };
    if (!(await replayLetters(context, later, tally))) return { ...tally.sum(), left: true };
    last = later.at(-1) ?? last;
  }
  return { ...tally.sum(), left: false };
}

interface Letter {
  readonly name: string;
  readonly etag: string;
  /** `ignored`: it is none of a hub, and need not be kept. */
  readonly read: MirrorEvent | 'dead' | 'ignored';
}

/** @returns false: the store is in trouble */
async function replayLetters(context: MirrorContext, names: readonly string[], tally: Tally): Promise<boolean> {
  const { storage } = context;
  const letters = (await Promise.all(names.map((name) => readLetter(context, name)))).filter(
    (each) => each !== undefined,
  );
  const dropped = letters.filter(({ read }) => read === 'ignored');
  for (const { read } of letters) if (read === 'dead') tally.dead();
  const events = letters.flatMap(({ read }) => (typeof read === 'string' ? [] : read));
  let isTaken = true;
  for (const [hub, some] of Map.groupBy(events, (event) => event.hub)) {
    const outcome = await applyOrGiveUp(context, hub, some, { again: true });
    isTaken &&= outcome.unapplied.length === 0;
    if (outcome.unapplied.length > 0) continue;
    tally.add(hub, some.length, outcome);
    const refused = new Set<unknown>(outcome.refused.map(({ event }) => event));
    const taken = new Set<unknown>(some.filter((event) => !refused.has(event)));
    dropped.push(...letters.filter(({ read }) => taken.has(read)));
  }
  await Promise.all(dropped.map(({ name, etag }) => dropNote(storage, name, etag)));
  return isTaken;
}

async function readLetter(context: MirrorContext, name: string): Promise<Letter | undefined> {
  const found = await readJson<DeadLetter>(noteBlob(context.storage, name));
  return found && { name, etag: found.etag, read: eventOf(context, found.value) };
}

function eventOf(context: MirrorContext, letter: DeadLetter): Letter['read'] {
  const { raw, event } = letter;
  if (raw === undefined) return event ?? 'dead';
  const read = readEvent(rawOf(letter, raw), originOf(context, letter.place.source));
  if ('event' in read) return read.event;
  return 'dead' in read ? 'dead' : 'ignored';
}

async function* inGroups<T>(items: AsyncIterable<T>, size: number): AsyncGenerator<readonly T[]> {
  let group: T[] = [];
  for await (const item of items) {
    group.push(item);
    if (group.length < size) continue;
    yield group;
    group = [];
  }
  if (group.length > 0) yield group;
}

type Tally = ReturnType<typeof newTally>;

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
