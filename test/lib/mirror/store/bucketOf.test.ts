import { expect, it } from 'vitest';

import { bucketOf } from '../../../../src/lib/mirror/store/bucketOf.ts';
import { BUCKETS } from '../../../../src/lib/mirror/store/mirrorStore.ts';

it('a device is in the same bucket for good', () => {
  expect(['device-00000001', 'device-00000002', 'pump', 'a#b?', ''].map(bucketOf)).toEqual([36, 55, 57, 57, 11]);
});

it.each([
  ['numbered', (n: number) => `device-${String(n).padStart(8, '0')}`],
  ['with the number in front', (n: number) => `${n}-device`],
  ['short', (n: number) => n.toString(36)],
])('ids that are %s fill all buckets alike', (_, idOf) => {
  const counts = new Array<number>(BUCKETS).fill(0);
  for (let n = 0; n < 64_000; n += 1) counts[bucketOf(idOf(n))] = (counts[bucketOf(idOf(n))] ?? 0) + 1;
  expect(Math.min(...counts)).toBeGreaterThan(850);
  expect(Math.max(...counts)).toBeLessThan(1_150);
});
