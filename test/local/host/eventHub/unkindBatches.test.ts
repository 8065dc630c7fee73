import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createBatchPlan } from '../../../../local/host/eventHub/unkindBatches.ts';
import { createUnkindness } from '../../../../local/host/unkindness.ts';

const arrivals = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 20 });

/** The batches for events 0, 1, 2, … that arrive so many at a time. */
function batchesFor(counts: readonly number[], maxSize: number, seed: number | undefined): (readonly number[])[] {
  const plan = createBatchPlan<number>(seed === undefined ? undefined : createUnkindness(seed));
  let next = 0;
  return counts.flatMap((count) => [
    ...plan.batchesOf(
      Array.from({ length: count }, () => next++),
      maxSize,
    ),
  ]);
}

test('without unkindness each event comes once, in batches as large as can be', () => {
  expect(batchesFor([5, 1], 2, undefined)).toEqual([[0, 1], [2, 3], [4], [5]]);
});

test('with unkindness every event comes, none before one that it follows, in batches of any size up to the largest', () => {
  fc.assert(
    fc.property(arrivals, fc.integer({ min: 1, max: 12 }), fc.nat(), (counts, maxSize, seed) => {
      const batches = batchesFor(counts, maxSize, seed);
      const events = batches.flat();
      const total = counts.reduce((sum, count) => sum + count, 0);
      const firsts = [...new Set(events)];
      expect(firsts).toEqual(Array.from({ length: total }, (_, index) => index));
      for (const batch of batches) {
        expect(batch.length).toBeGreaterThan(0);
        expect(batch.length).toBeLessThanOrEqual(maxSize);
        // Within a batch, events follow each other as in the partition.
        for (const [at, event] of batch.entries()) if (at > 0) expect(event).toBe((batch[at - 1] ?? 0) + 1);
      }
    }),
  );
});

test('the same seed makes the same batches', () => {
  const counts = [7, 3, 20, 1, 9, 30, 12];
  expect(batchesFor(counts, 10, 5)).toEqual(batchesFor(counts, 10, 5));
  expect(batchesFor(counts, 10, 5)).not.toEqual(batchesFor(counts, 10, 6));
});
