import type { Unkindness } from '../contracts.ts';

/** How often unkind mode does what. */
const CUT = 0.5;
const TWICE = 0.25;
const FROM_OLDER = 0.1;
/** Events of a partition that are kept for reading from an older position. */
const KEPT = 2_000;

/** Makes of the events that arrive in a partition the batches that the function gets. */
export interface BatchPlan<T> {
  /** @param events in their order, at least one */
  batchesOf(events: readonly T[], maxSize: number): readonly (readonly T[])[];
}

/**
 * Batches as large as allowed; with unkindness also smaller ones, some twice, and now and then events that were delivered
 * before, in other batches: as when a position was lost, and the partition is read again from an older one.
 */
export function createBatchPlan<T>(unkind: Unkindness | undefined): BatchPlan<T> {
  let delivered: readonly T[] = [];

  function cut(events: readonly T[], maxSize: number): (readonly T[])[] {
    const batches: (readonly T[])[] = [];
    for (let at = 0; at < events.length; ) {
      const most = Math.min(maxSize, events.length - at);
      const size = unkind?.chance(CUT) ? 1 + unkind.delayMs(most) : most;
      const batch = events.slice(at, at + size);
      batches.push(batch);
      if (unkind?.chance(TWICE)) batches.push(batch);
      at += size;
    }
    return batches;
  }

  return {
    batchesOf(events, maxSize) {
      if (unkind === undefined) return cut(events, maxSize);
      const reach = Math.min(delivered.length, Math.max(50, 4 * events.length));
      const older = reach > 0 && unkind.chance(FROM_OLDER) ? delivered.slice(-1 - unkind.delayMs(reach)) : [];
      delivered = [...delivered, ...events].slice(-KEPT);
      return cut([...older, ...events], maxSize);
    },
  };
}
