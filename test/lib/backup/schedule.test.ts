import { Cron } from 'croner';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { dueSlot, nextRun, parseSchedule, type Schedule } from '../../../src/lib/backup/schedule.ts';

function scheduleOf(text: string): Schedule {
  const parsed = parseSchedule(text);
  if ('problem' in parsed) throw new Error(parsed.problem);
  return parsed.schedule;
}

const next = (text: string, after: string) => nextRun(scheduleOf(text), new Date(after))?.toISOString();

describe('the next time of a schedule', () => {
  it.each([
    ['0 0 2 * * *', '2026-11-20T01:59:59.999Z', '2026-11-20T02:00:00.000Z'],
    ['0 0 2 * * *', '2026-11-20T02:00:00.000Z', '2026-11-21T02:00:00.000Z'],
    ['0 0 4 * * 0', '2026-11-20T02:00:00Z', '2026-11-22T04:00:00.000Z'],
    ['0 0 4 * * Sun', '2026-11-20T02:00:00Z', '2026-11-22T04:00:00.000Z'],
    ['*/15 * * * * *', '2026-12-31T23:59:45.001Z', '2027-01-01T00:00:00.000Z'],
    ['0 30 9-17 * JAN,March Mon-Fri', '2026-11-20T02:00:00Z', '2027-01-01T09:30:00.000Z'],
    ['0 5/20 * * * *', '2026-11-20T02:26:00Z', '2026-11-20T02:45:00.000Z'],
    ['0 0 0 29 2 *', '2026-11-20T00:00:00Z', '2028-02-29T00:00:00.000Z'],
    // Both days have to fit.
    ['0 0 0 13 * 5', '2026-11-14T00:00:00Z', '2027-08-13T00:00:00.000Z'],
    ['0 0 0 29 2 1', '2072-03-01T00:00:00Z', '2112-02-29T00:00:00.000Z'],
  ])('%s after %s', (text, after, expected) => {
    expect(next(text, after)).toBe(expected);
  });

  const field = (first: number, last: number) => {
    const value = fc.integer({ min: first, max: last });
    const range = fc.tuple(value, value).map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`);
    const step = fc
      .tuple(fc.oneof(fc.constant('*'), range), fc.integer({ min: 1, max: 7 }))
      .map((both) => both.join('/'));
    const item = fc.oneof(value.map(String), range, step);
    return fc.oneof(
      fc.constant('*'),
      item,
      fc.array(item, { minLength: 1, maxLength: 3 }).map((items) => items.join(',')),
    );
  };
  const text = fc
    .tuple(
      field(0, 59),
      field(0, 59),
      field(0, 23),
      field(1, 28),
      field(1, 12),
      fc.oneof(fc.constant('*'), field(0, 6)),
    )
    .map((fields) => fields.join(' '));

  it('is that of another implementation, for any expression and any instant', () => {
    fc.assert(
      fc.property(
        text,
        fc.date({ min: new Date('2020-01-01'), max: new Date('2040-01-01'), noInvalidDate: true }),
        (cron, after) => {
          const other = new Cron(cron, { paused: true, domAndDow: true, timezone: 'UTC' }).nextRun(after);
          expect(nextRun(scheduleOf(cron), after)).toEqual(other);
        },
      ),
      { numRuns: 400 },
    );
  });
});

describe('a schedule that cannot be parsed', () => {
  it.each([
    ['', 'six fields'],
    ['0 2 * * *', 'six fields'],
    ['0 0 2 * * * 2027', 'six fields'],
    ['60 0 2 * * *', 'field 1, the second'],
    ['0 61 2 * * *', 'field 2, the minute'],
    ['0 0 24 * * *', 'field 3, the hour'],
    ['0 0 2 0 * *', 'field 4, the day of the month'],
    ['0 0 2 L * *', 'field 4'],
    ['0 0 2 * 13 *', 'field 5, the month'],
    ['0 0 2 * Mo *', 'field 5'],
    ['0 0 2 * * 7', 'field 6, the day of the week'],
    ['0 0 22-2 * * *', 'field 3'],
    ['0 */0 * * * *', 'field 2'],
    ['0 , * * * *', 'field 2'],
    ['0 *-5 * * * *', 'field 2'],
    ['0 -5 * * * *', 'field 2'],
    ['0 0 2 ? * *', 'field 4'],
    ['0 0 0 30 2 *', 'never has its day'],
  ])('%s is named', (text, says) => {
    expect(parseSchedule(text)).toEqual({ problem: expect.stringContaining(says) });
  });
});

describe('a timer that fires', () => {
  it.each([
    ['when it is due', '0 0 2 * * *', '2026-11-20T02:00:00.000Z', '2026-11-20T02:00:00.000Z'],
    ['a little early', '0 0 2 * * *', '2026-11-20T01:59:59.300Z', '2026-11-20T02:00:00.000Z'],
    ['late', '0 0 2 * * *', '2026-11-20T17:03:10.000Z', '2026-11-20T02:00:00.000Z'],
    ['on the next day', '0 0 2 * * *', '2026-11-21T01:00:00.000Z', '2026-11-20T02:00:00.000Z'],
    ['months late', '0 0 2 1 1 *', '2026-11-21T01:00:00.000Z', '2026-01-01T02:00:00.000Z'],
    ['every few seconds', '*/5 * * * * *', '2026-11-20T02:00:07.200Z', '2026-11-20T02:00:05.000Z'],
  ])('%s is for the latest time that was due', (_, schedule, now, slot) => {
    expect(dueSlot(schedule, new Date(now)).toISOString()).toBe(slot);
  });
});
