/**
 * A batch of events of one partition is taken in: each is applied, parked, put to the dead letters, or ignored. After that
 * the position of the partition moves on.
 */

import { defined } from '../../defined.ts';
import { safeError } from '../../redact.ts';
import type { EventCounts } from '../notes/position.ts';
import type { MirrorEvent } from '../rows/mirrorEvent.ts';
import { applyOrGiveUp } from './applyOrGiveUp.ts';
import { type DeadLetter, deadLetterOf, lettersOf, writeDeadLetters } from './deadLetters.ts';
import { followStream } from './followStream.ts';
import { type MirrorContext, originOf } from './mirrorContext.ts';
import type { TakenIn } from './notePosition.ts';
import { parkBatch } from './parkedBatches.ts';
import type { RawBatch } from './rawBatch.ts';
import { readEvent } from './readEvent.ts';

export interface MirroredBatch {
  /** Aliases of hubs of which rows are wanted: a refresh has something to do. */
  readonly wanted: readonly string[];
  /** How many events wait for the store. */
  readonly parked: number;
  readonly dead: number;
}

/** @throws Error when neither the store nor storage takes the events: the position must not move on then */
export async function mirrorOnEventHub(context: MirrorContext, batch: RawBatch): Promise<MirroredBatch> {
  const { storage, now } = context;
  const { again, skipped } = await followStream(context, batch);
  const { changes, letters, others, lifecycle } = readBatch(context, batch);
  await writeDeadLetters(storage, letters);
  const wanted: string[] = [];
  const applied: Change[] = [];
  let parked = 0;
  let dead = letters.length;
  for (const [alias, some] of Map.groupBy(changes, ({ event }) => event.hub)) {
    const events = some.map(({ event }) => event);
    const outcome = await applyOrGiveUp(context, alias, events, { again });
    if (outcome.wanted) wanted.push(alias);
    await writeDeadLetters(storage, lettersOf(outcome.refused, now()));
    await parkBatch(storage, { hub: alias, at: now().toISOString(), events: outcome.unapplied });
    const unapplied = new Set([...outcome.unapplied, ...outcome.refused.map(({ event }) => event)]);
    applied.push(...some.filter(({ event }) => !unapplied.has(event)));
    dead += outcome.refused.length;
    parked += outcome.unapplied.length;
  }
  const counts = { ...others, applied: count(applied.flatMap(({ name }) => name ?? [])), parked, dead, skipped };
  await notePosition(context, batch, { counts, ...lifecycle });
  tell(context, batch, parked, dead);
  return { wanted, parked, dead };
}

/** What an event of the batch makes of rows. */
interface Change {
  readonly event: MirrorEvent;
  /** `opType`; absent: it is a dead letter, and the row of its device is to be read. */
  readonly name?: string;
}

interface ReadBatch {
  readonly changes: readonly Change[];
  readonly letters: readonly DeadLetter[];
  readonly others: Pick<EventCounts, 'ignored' | 'foreign'>;
  readonly lifecycle: Pick<TakenIn, 'firstLifecycleAt' | 'lastLifecycleAt'>;
}

function readBatch(context: MirrorContext, batch: RawBatch): ReadBatch {
  const at = context.now().toISOString();
  const origin = originOf(context, batch.source);
  const changes: Change[] = [];
  const letters: DeadLetter[] = [];
  const names = { ignored: [] as string[], foreign: [] as string[] };
  const lifecycle: string[] = [];
  for (const raw of batch.events) {
    const read = readEvent(raw, origin);
    if ('ignored' in read) names.ignored.push(read.ignored);
    else if ('foreign' in read) names.foreign.push(read.foreign);
    else if ('dead' in read) {
      letters.push(deadLetterOf(read.dead, raw, at));
      if (read.doubt !== undefined) changes.push({ event: read.doubt });
    } else {
      changes.push(read);
      if (read.isLifecycle) lifecycle.push(raw.place.enqueuedAt);
    }
  }
  return {
    changes,
    letters,
    others: { ignored: count(names.ignored), foreign: count(names.foreign) },
    lifecycle: defined({ firstLifecycleAt: lifecycle.at(0), lastLifecycleAt: lifecycle.at(-1) }),
  };
}

function count(names: readonly string[]): Readonly<Record<string, number>> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return Object.fromEntries(counts);
}

/** The position is for people, for lag and for failovers: without it all the same the events were taken in. */
async function notePosition(context: MirrorContext, batch: RawBatch, taken: TakenIn): Promise<void> {
  const { positions, now, log } = context;
  try {
    await positions.note(batch, taken, now().toISOString());
  } catch (error) {
    log.log('warn', `the position of partition ${batch.partition} was not noted: ${safeError(error).message}`);
  }
}

function tell({ log }: MirrorContext, batch: RawBatch, parked: number, dead: number): void {
  const { source, partition, events } = batch;
  log.log('debug', `${events.length} events of partition ${partition} of ${source} were taken in`);
  if (parked > 0)
    log.log('warn', `${parked} events of partition ${partition} of ${source} wait for the mirror's store`);
  if (dead > 0) log.log('warn', `${dead} events of partition ${partition} of ${source} are put to the dead letters`);
}
