import { expect, test } from 'vitest';

import type { PartitionLag } from '../../../../src/lib/mirror/status/lag.ts';
import { oldestWaiting, type WaitingBySource, waitingNow } from '../../../../src/lib/mirror/status/waiting.ts';

const T0 = '2026-11-26T12:00:00.000Z';
const T1 = '2026-11-26T12:10:00.000Z';

function lag(sequence: number | null, lastSequence: number | null): PartitionLag {
  const events = lastSequence === null ? 0 : lastSequence - (sequence ?? -1);
  const none = { expired: 0, seconds: 0, enqueuedAt: null, lastEnqueuedAt: null };
  return { ...none, partition: '0', events, sequence, lastSequence };
}

test.each<[string, WaitingBySource, PartitionLag, WaitingBySource]>([
  ['all is taken in', {}, lag(9, 9), {}],
  ['there is nothing', {}, lag(null, null), {}],
  ['some wait', {}, lag(5, 9), { 0: { sequence: 9, since: T1 } }],
  ['the same ones wait still', { 0: { sequence: 9, since: T0 } }, lag(5, 9), { 0: { sequence: 9, since: T0 } }],
  [
    'they wait still, and more have come',
    { 0: { sequence: 9, since: T0 } },
    lag(8, 30),
    { 0: { sequence: 9, since: T0 } },
  ],
  ['nothing was ever taken in', { 0: { sequence: 9, since: T0 } }, lag(null, 30), { 0: { sequence: 9, since: T0 } }],
  // As on a busy partition that is never quite at the end.
  ['others wait', { 0: { sequence: 9, since: T0 } }, lag(9, 30), { 0: { sequence: 30, since: T1 } }],
  ['they were taken in', { 0: { sequence: 9, since: T0 } }, lag(30, 30), {}],
  ['the numbers have begun anew', { 0: { sequence: 900, since: T0 } }, lag(null, 3), { 0: { sequence: 3, since: T1 } }],
])('%s', (_name, before, now, expected) => {
  expect(waitingNow(before, [now], new Date(T1))).toEqual(expected);
});

test('the oldest is told', () => {
  expect(oldestWaiting({})).toBeUndefined();
  expect(oldestWaiting({ 0: { sequence: 1, since: T1 }, 1: { sequence: 1, since: T0 } })).toBe(T0);
});
