/** How far the mirror is behind the events of a partition. */

import type { PartitionPosition } from '../notes/position.ts';
import type { PartitionEnd } from './partitionEnds.ts';

export interface PartitionLag {
  readonly partition: string;
  /** Events that were not taken in yet. */
  readonly events: number;
  /** Events that the Event Hub has dropped before they were read. */
  readonly expired: number;
  /**
   * At most so long has the oldest of them been waiting: since the last event that was taken in was enqueued; 0 when none
   * waits. Null: it is not known, for no event was taken in yet.
   */
  readonly seconds: number | null;
  /** Of the last event that was taken in; null: there is none, or it is of another Event Hub. */
  readonly sequence: number | null;
  readonly enqueuedAt: string | null;
  /** Of the newest event that there is; null: there is none. */
  readonly lastSequence: number | null;
  readonly lastEnqueuedAt: string | null;
}

/** @param position undefined: none was noted for this Event Hub */
export function lagOf(end: PartitionEnd, position: PartitionPosition | undefined, now: Date): PartitionLag {
  const { partition, isEmpty, firstSequence, lastSequence, lastEnqueuedAt } = end;
  // Numbers that begin anew, as after a failover, say nothing of what was read before.
  const known = position !== undefined && position.sequence <= lastSequence ? position : undefined;
  const from = Math.max(known === undefined ? firstSequence : known.sequence + 1, firstSequence);
  const events = isEmpty ? 0 : Math.max(0, lastSequence - from + 1);
  return {
    partition,
    events,
    expired: known === undefined ? 0 : Math.max(0, firstSequence - known.sequence - 1),
    seconds: events === 0 ? 0 : secondsOf(events, end, known, now),
    sequence: known?.sequence ?? null,
    enqueuedAt: known?.enqueuedAt ?? null,
    lastSequence: isEmpty ? null : lastSequence,
    lastEnqueuedAt: lastEnqueuedAt ?? null,
  };
}

function secondsOf(
  events: number,
  { lastEnqueuedAt }: PartitionEnd,
  position: PartitionPosition | undefined,
  now: Date,
): number | null {
  // The only one that waits is the newest: of that it is known exactly.
  const since = events === 1 ? lastEnqueuedAt : position?.enqueuedAt;
  return since === undefined ? null : Math.max(0, Math.round((now.getTime() - Date.parse(since)) / 1000));
}
