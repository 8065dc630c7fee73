/**
 * Since when a partition has had events that were not taken in: a lag in seconds cannot tell, for after an idle night the
 * first event looks as if it had waited for hours. So each look notes the newest event that there was; while that is not
 * taken in, the time of the note stays.
 */

import type { PartitionLag } from './lag.ts';

export interface PartitionWaiting {
  /** The newest event when somebody looked. */
  readonly sequence: number;
  /** When that was, ISO UTC. */
  readonly since: string;
}

/** By partition. */
export type WaitingBySource = Readonly<Record<string, PartitionWaiting>>;

/** What is to be noted now; a partition that has taken in all has no note. */
export function waitingNow(before: WaitingBySource, lags: readonly PartitionLag[], now: Date): WaitingBySource {
  const waiting: Record<string, PartitionWaiting> = {};
  for (const { partition, events, sequence, lastSequence } of lags) {
    if (events === 0 || lastSequence === null) continue;
    const earlier = before[partition];
    // After a failover the numbers begin anew.
    const stillWaits = earlier !== undefined && earlier.sequence > (sequence ?? -1) && earlier.sequence <= lastSequence;
    waiting[partition] = stillWaits ? earlier : { sequence: lastSequence, since: now.toISOString() };
  }
  return waiting;
}

/** When the oldest of these notes was made; undefined: there is none. */
export function oldestWaiting(waiting: WaitingBySource): string | undefined {
  return Object.values(waiting)
    .map(({ since }) => since)
    .toSorted()[0];
}
