import { describe, expect, it } from 'vitest';

import { compareKeys, isOfPiece, piecesOf } from '../../../../src/lib/mirror/reconcile/sections.ts';
import { bucketOf } from '../../../../src/lib/mirror/store/bucketOf.ts';

describe('pieces', () => {
  it('are buckets, several where they are small, and parts of those that are large', () => {
    const of = (firstBucket: number, buckets: number, part = 0, parts = 1) => ({ firstBucket, buckets, part, parts });
    const limits = { most: 10, together: 4 };
    expect(piecesOf({ sections: [0, 1, 3, 1, 10, 0, 0, 11, 0, 2, 35] }, limits)).toEqual([
      of(0, 3),
      of(3, 1),
      of(4, 1),
      of(5, 2),
      ...[of(7, 1, 0, 2), of(7, 1, 1, 2)],
      of(8, 2),
      ...[0, 1, 2, 3].map((part) => of(10, 1, part, 4)),
    ]);
    expect(piecesOf({ sections: new Array<number>(64).fill(0) })).toEqual([of(0, 64)]);
  });

  it('share out the devices of a bucket alike, each to one', () => {
    const ids = Array.from({ length: 40_000 }, (_, n) => `device-${String(n).padStart(8, '0')}`);
    const inBucket = ids.filter((id) => bucketOf(id) === 5);
    const pieces = [0, 1, 2].map((part) => ({ firstBucket: 5, buckets: 1, part, parts: 3 }));
    const counts = pieces.map((piece) => inBucket.filter((id) => isOfPiece(id, piece)).length);
    expect(counts.reduce((sum, count) => sum + count)).toBe(inBucket.length);
    expect(Math.min(...counts)).toBeGreaterThan(inBucket.length / 3 - 60);
  });
});

it('identities are ordered as stores order them: by the codes of characters, a device before its modules', () => {
  const keys = [
    { deviceId: 'a-b' },
    { deviceId: 'a', moduleId: 'b' },
    { deviceId: 'a', moduleId: '$edgeHub' },
    { deviceId: 'a' },
    { deviceId: 'B' },
  ];
  expect(keys.toSorted(compareKeys)).toEqual([keys[4], keys[3], keys[2], keys[1], keys[0]]);
});
