/** Where a batch stands in the stream of its partition: whether it follows what was taken in before, or something was lost. */

import { countText } from '../../countText.ts';
import type { PartitionPosition } from '../notes/position.ts';
import { wantReconcile } from '../notes/wantedReconcile.ts';
import type { EventPlace } from '../rows/mirrorEvent.ts';
import { hubOfSource, type MirrorContext } from './mirrorContext.ts';
import { isAnotherStream } from './notePosition.ts';
import type { RawBatch } from './rawBatch.ts';

export interface InStream {
  /** Whether the events were most likely taken in before. */
  readonly again: boolean;
  /** Events of the partition before these that nobody has taken in, and nobody will. */
  readonly skipped: number;
}

/**
 * Looks where a batch stands. Where events were lost, a reconcile is asked for, before it is forgotten: the registry tells
 * what they did.
 */
export async function followStream(context: MirrorContext, batch: RawBatch): Promise<InStream> {
  const { positions } = context;
  const { source, partition } = batch;
  const first = batch.events[0]?.place;
  if (first === undefined) return { again: false, skipped: 0 };
  let before = await positions.read(source, partition);
  // Another instance may have had the partition in between.
  if (before !== undefined && skippedBetween(before, first) > 0)
    before = await positions.read(source, partition, { fresh: true });
  if (before === undefined) return { again: false, skipped: 0 };
  if (isAnotherStream(before, batch)) {
    await wantReconciles(
      context,
      batch,
      `The events of ${source} are of another Event Hub than before, as after a failover.`,
    );
    return { again: false, skipped: 0 };
  }
  const skipped = skippedBetween(before, first);
  if (skipped > 0) {
    const events = `${countText(skipped)} event${skipped === 1 ? '' : 's'}`;
    await wantReconciles(context, batch, `${events} of partition ${partition} of ${source} were never taken in.`);
  }
  return { again: first.sequence <= before.sequence, skipped };
}

/**
 * Numbers of a partition have no gaps. One tells of events that the Event Hub has dropped before they were read, or that the
 * Functions host has given up: a batch of which it cannot make what the function is called with, for one.
 */
function skippedBetween({ sequence }: PartitionPosition, first: EventPlace): number {
  return sequence < 0 || first.sequence < 0 ? 0 : Math.max(0, first.sequence - sequence - 1);
}

async function wantReconciles(context: MirrorContext, { source, partition }: RawBatch, reason: string): Promise<void> {
  const { storage, hubs, now, log } = context;
  const hub = hubOfSource(context, source);
  log.log('warn', `partition ${partition} of ${source}: ${reason} A reconcile is asked for.`);
  for (const alias of hub === undefined ? hubs : [hub]) {
    await wantReconcile(storage, { hub: alias, reason, at: now().toISOString() });
  }
}
