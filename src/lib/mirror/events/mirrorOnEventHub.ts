/**
 * A batch of events of one partition is taken in: each is applied, parked, put to the dead letters, or ignored. After that
 * the position of the partition moves on.
 */

import { safeError } from '../../redact.ts';
import { wantReconcile } from '../notes/wantedReconcile.ts';
import type { MirrorEvent } from '../rows/mirrorEvent.ts';
import { applyOrGiveUp } from './applyOrGiveUp.ts';
import { type DeadLetter, deadLetterOf, lettersOf, writeDeadLetters } from './deadLetters.ts';
import { hubOfSource, type MirrorContext, originOf } from './mirrorContext.ts';
import { isAnotherStream, type TakenIn } from './notePosition.ts';
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
  const before = await context.positions.read(batch.source, batch.partition);
  const isOther = isAnotherStream(before, batch);
  if (isOther) await followFailover(context, batch);
  const again = !isOther && before !== undefined && (batch.events[0]?.place.sequence ?? 0) <= before.sequence;
  const { events, letters, taken } = readBatch(context, batch);
  await writeDeadLetters(storage, letters);
  const wanted: string[] = [];
  let parked = 0;
  let refused = 0;
  for (const [alias, some] of Map.groupBy(events, (event) => event.hub)) {
    const outcome = await applyOrGiveUp(context, alias, some, { again });
    if (outcome.wanted) wanted.push(alias);
    await writeDeadLetters(storage, lettersOf(outcome.refused, now()));
    await parkBatch(storage, { hub: alias, at: now().toISOString(), events: outcome.unapplied });
    refused += outcome.refused.length;
    parked += outcome.unapplied.length;
  }
  const dead = letters.length + refused;
  await notePosition(context, batch, { ...taken, counts: { ...taken.counts, dead } });
  tell(context, batch, parked, dead);
  return { wanted, parked, dead };
}

interface ReadBatch {
  readonly events: readonly MirrorEvent[];
  readonly letters: readonly DeadLetter[];
  readonly taken: TakenIn;
}

function readBatch(context: MirrorContext, batch: RawBatch): ReadBatch {
  const at = context.now().toISOString();
  const origin = originOf(context, batch.source);
  const events: MirrorEvent[] = [];
  const letters: DeadLetter[] = [];
  const names = { applied: [] as string[], ignored: [] as string[], foreign: [] as string[] };
  const lifecycle: string[] = [];
  for (const raw of batch.events) {
    const read = readEvent(raw, origin);
    if ('ignored' in read) names.ignored.push(read.ignored);
    else if ('foreign' in read) names.foreign.push(read.foreign);
    else if ('dead' in read) {
      letters.push(deadLetterOf(read.dead, raw, at));
      if (read.doubt !== undefined) events.push(read.doubt);
    } else {
      names.applied.push(read.name);
      events.push(read.event);
      if (read.isLifecycle) lifecycle.push(raw.place.enqueuedAt);
    }
  }
  const counts = {
    applied: count(names.applied),
    ignored: count(names.ignored),
    foreign: count(names.foreign),
    dead: 0,
  };
  const [firstLifecycleAt, lastLifecycleAt] = [lifecycle.at(0), lifecycle.at(-1)];
  const seen =
    firstLifecycleAt === undefined || lastLifecycleAt === undefined ? {} : { firstLifecycleAt, lastLifecycleAt };
  return { events, letters, taken: { counts, ...seen } };
}

function count(names: readonly string[]): Readonly<Record<string, number>> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return Object.fromEntries(counts);
}

/** Events were lost when the stream is another one: what they told, a reconcile finds. Asked for before it is forgotten. */
async function followFailover(context: MirrorContext, batch: RawBatch): Promise<void> {
  const { storage, hubs, now, log } = context;
  const hub = hubOfSource(context, batch.source);
  log.log('warn', `partition ${batch.partition} of ${batch.source} is of another Event Hub than before`);
  for (const alias of hub === undefined ? hubs : [hub]) {
    const reason = `The events of ${batch.source} are of another Event Hub than before, as after a failover.`;
    await wantReconcile(storage, { hub: alias, reason, at: now().toISOString() });
  }
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
