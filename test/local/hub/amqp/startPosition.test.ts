import { describe, expect, it } from 'vitest';
import { startPosition } from '../../../../local/hub/amqp/startPosition.ts';
import type { EventLog, PartitionState } from '../../../../local/hub/events/eventLog.ts';
import type { LoggedEvent } from '../../../../local/hub/events/partitionTable.ts';

/** Sequence numbers 10 to 14, at offsets 1000, 1100, … and times 50, 51, …; older ones are gone. */
const events = Array.from({ length: 5 }, (_, at) => ({
  sequence: 10 + at,
  offset: 1000 + at * 100,
  enqueuedMs: 50 + at,
}));
const log = {
  lastWhere: (_, isBefore) => (events as LoggedEvent[]).findLast(isBefore),
} satisfies Partial<EventLog> as unknown as EventLog;
const partition: PartitionState = { id: 0, begin: 10, last: 14, lastOffset: 1400, lastEnqueuedMs: 54 };
const startOf = (selector: string | undefined) => {
  const start = startPosition(log, partition, selector && `amqp.annotation.x-opt-${selector}`);
  return 'after' in start ? start.after : `${start.error.condition}: ${start.error.description}`;
};

describe('a reader begins', () => {
  it.each<[string, string | undefined, number]>([
    ['at the oldest event without a filter', undefined, -1],
    ['at the oldest event', "offset > '-1'", -1],
    ['at the oldest event, if it is there', "offset >= '-1'", -1],
    ['after an offset', "offset > '1100'", 11],
    ['at an offset', "offset >= '1100'", 10],
    ['after an offset between two events', "offset > '1150'", 11],
    ['at the oldest event that is kept', "offset > '3'", -1],
    ['after the last offset', "offset > '1400'", 14],
    ['after the last event', "offset > '@latest'", 14],
    ['at the last event', "offset >= '@latest'", 13],
    ['after a sequence number', "sequence-number > '11'", 11],
    ['at a sequence number', "sequence-number >= '11'", 10],
    ['at a sequence number without quotes', 'sequence-number >= 11', 10],
    ['after a time', "enqueued-time > '51'", 11],
    ['at a time', "enqueued-time >= '51'", 10],
    ['before all times', "enqueued-time > '0'", -1],
    ['after all times', "enqueued-time > '99'", 14],
  ])('%s', (_, selector, expected) => {
    expect(startOf(selector)).toBe(expected);
  });

  it.each([
    ["offset > '1401'", "The supplied offset '1401' is invalid. The last offset in the system is '1400'"],
    [
      "sequence-number > '15'",
      "The supplied sequence number '15' is invalid. The last sequence number in the system is '14'",
    ],
    ["offset > 'x'", 'The filter "amqp.annotation.x-opt-offset > \'x\'" names no position of an event.'],
    ['partition-key = 1', 'The filter "amqp.annotation.x-opt-partition-key = 1" names no position of an event.'],
  ])('nowhere with %s', (selector, why) => {
    expect(startOf(selector)).toBe(`com.microsoft:argument-error: ${why}`);
  });
});
