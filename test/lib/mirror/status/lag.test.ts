import { expect, test } from 'vitest';

import type { PartitionPosition } from '../../../../src/lib/mirror/notes/position.ts';
import { lagOf } from '../../../../src/lib/mirror/status/lag.ts';
import type { PartitionEnd } from '../../../../src/lib/mirror/status/partitionEnds.ts';
import { positionOf } from './samplePosition.ts';

const NOW = new Date('2026-11-26T12:00:00.000Z');

function end(firstSequence: number, lastSequence: number, more: Partial<PartitionEnd> = {}): PartitionEnd {
  const lastEnqueuedAt = '2026-11-26T11:59:50.000Z';
  return { partition: '0', isEmpty: false, firstSequence, lastSequence, lastEnqueuedAt, ...more };
}

const at = (sequence: number, enqueuedAt = '2026-11-26T11:58:00.000Z') => positionOf({ sequence, enqueuedAt });
const { lastEnqueuedAt: _none, ...nothing } = end(0, -1, { isEmpty: true });

test.each<[string, PartitionEnd, PartitionPosition | undefined, object]>([
  ['all is taken in', end(0, 99), at(99), { events: 0, seconds: 0, expired: 0, sequence: 99, lastSequence: 99 }],
  ['some wait', end(0, 99), at(89), { events: 10, seconds: 120 }],
  // The only one that waits is the newest, however long nothing happened before.
  ['one waits after an idle night', end(0, 99), at(98, '2026-11-26T02:00:00.000Z'), { events: 1, seconds: 10 }],
  ['nothing was taken in yet', end(5, 99), undefined, { events: 95, seconds: null, sequence: null, enqueuedAt: null }],
  ['there is nothing', nothing, undefined, { events: 0, seconds: 0, lastSequence: null, lastEnqueuedAt: null }],
  [
    'all that there was has expired, and was taken in',
    { ...nothing, firstSequence: 100, lastSequence: 99 },
    at(99),
    { events: 0, seconds: 0, expired: 0 },
  ],
  ['some have expired before they were read', end(50, 99), at(39), { events: 50, expired: 10 }],
  // As after a failover: numbers begin anew.
  ['the position is beyond the end', end(0, 9), at(500), { events: 10, seconds: null, sequence: null, expired: 0 }],
])('%s', (_name, partitionEnd, position, expected) => {
  expect(lagOf(partitionEnd, position, NOW)).toMatchObject(expected);
});
