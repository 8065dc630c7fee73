/** Notes how far a partition was taken in. */

import { defined } from '../../defined.ts';
import { readJson } from '../../storage/jsonBlob.ts';
import { type Containers, noteBlob, writeNote } from '../notes/note.ts';
import { type EventCounts, type PartitionPosition, positionName } from '../notes/position.ts';
import type { RawBatch } from './rawBatch.ts';

/** What was taken in with a batch. */
export interface TakenIn {
  readonly counts: EventCounts;
  /** When its first and last lifecycle event were enqueued. */
  readonly firstLifecycleAt?: string;
  readonly lastLifecycleAt?: string;
}

export interface PositionNotes {
  /** How far the partition was taken in before, as it is remembered, or `fresh` from its note; undefined: it never was. */
  read(source: string, partition: string, options?: { readonly fresh?: true }): Promise<PartitionPosition | undefined>;
  note(batch: RawBatch, taken: TakenIn, at: string): Promise<void>;
}

interface Known {
  readonly position: PartitionPosition;
  readonly etag: string;
}

const MOST_TRIES = 5;
/** Whoever sends events names what they are; a note has room for so many names. */
const MOST_NAMES = 30;
const OTHERS = 'others';

/** The notes of one process: what it has written last need not be read again. */
export function createPositionNotes(storage: Containers): PositionNotes {
  const known = new Map<string, Known>();
  const load = async (name: string): Promise<Known | undefined> => {
    const found = await readJson<PartitionPosition>(noteBlob(storage, name));
    return found && { position: found.value, etag: found.etag };
  };
  return {
    async read(source, partition, { fresh } = {}) {
      const name = positionName(source, partition);
      const found = (fresh ? undefined : known.get(name)) ?? (await load(name));
      if (found !== undefined) known.set(name, found);
      return found?.position;
    },
    async note(batch, taken, at) {
      const last = batch.events.at(-1);
      if (last === undefined) return;
      const name = positionName(batch.source, batch.partition);
      let before = known.get(name) ?? (await load(name));
      for (let tries = 1; ; tries++) {
        const position = positionAfter(before?.position, batch, taken, at);
        const etag = await writeNote(storage, name, position, before ? { ifMatch: before.etag } : { ifAbsent: true });
        if (etag !== undefined) {
          known.set(name, { position, etag });
          return;
        }
        // Another instance has the partition, or had it.
        if (tries === MOST_TRIES) throw new Error('The position of a partition is noted by others all the time.');
        before = await load(name);
      }
    },
  };
}

/**
 * Whether events are of another stream than those that were taken in before: of another Event Hub, as after a failover of
 * the hub or its recovery, or of one whose numbers have begun anew.
 */
export function isAnotherStream(before: PartitionPosition, { namespace, eventHub, events }: RawBatch): boolean {
  if (before.namespace !== namespace || before.eventHub !== eventHub) return true;
  const first = events[0]?.place;
  if (first === undefined || first.sequence < 0) return false;
  // What is read a second time was enqueued before.
  return first.sequence <= before.sequence && first.enqueuedAt > before.enqueuedAt;
}

/** Events that are read again take no position back: what follows them was taken in, too. */
function positionAfter(
  before: PartitionPosition | undefined,
  batch: RawBatch,
  { counts, firstLifecycleAt, lastLifecycleAt }: TakenIn,
  at: string,
): PartitionPosition {
  const { source, partition, namespace, eventHub } = batch;
  const last = batch.events.at(-1)?.place;
  const isBehind = before !== undefined && last !== undefined && last.sequence < before.sequence;
  const furthest = isBehind && !isAnotherStream(before, batch) ? before : last;
  const { sequence = -1, offset = '', enqueuedAt = at } = furthest ?? {};
  const was = before?.counts;
  return {
    source,
    partition,
    namespace,
    eventHub,
    sequence,
    offset,
    enqueuedAt,
    at,
    counts: {
      applied: sum(was?.applied, counts.applied),
      ignored: sum(was?.ignored, counts.ignored),
      foreign: sum(was?.foreign, counts.foreign),
      parked: (was?.parked ?? 0) + counts.parked,
      dead: (was?.dead ?? 0) + counts.dead,
      skipped: (was?.skipped ?? 0) + counts.skipped,
    },
    ...defined({
      firstLifecycleAt: before?.firstLifecycleAt ?? firstLifecycleAt,
      lastLifecycleAt: lastLifecycleAt ?? before?.lastLifecycleAt,
    }),
  };
}

type Counts = Readonly<Record<string, number>>;

function sum(before: Counts = {}, more: Counts): Counts {
  const all = new Map(Object.entries(before));
  for (const [name, count] of Object.entries(more)) {
    const counted = all.has(name) || all.size < MOST_NAMES ? name : OTHERS;
    all.set(counted, (all.get(counted) ?? 0) + count);
  }
  return Object.fromEntries(all);
}
