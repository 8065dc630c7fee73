import { expect, test } from 'vitest';
import { isShorterThanMinute, parseSchedule } from '../../../../local/host/timer/schedule.ts';

const from = '2026-03-14T10:20:30.500Z';

const cases: { schedule: string; next: string }[] = [
  { schedule: '* * * * * *', next: '2026-03-14T10:20:31.000Z' },
  { schedule: '*/15 * * * * *', next: '2026-03-14T10:20:45.000Z' },
  { schedule: '0 */5 * * * *', next: '2026-03-14T10:25:00.000Z' },
  { schedule: '*/5 * * * *', next: '2026-03-14T10:25:00.000Z' },
  { schedule: '0 30 9 * * Mon-Fri', next: '2026-03-16T09:30:00.000Z' },
  { schedule: '0 0 0 1 Jan *', next: '2027-01-01T00:00:00.000Z' },
  { schedule: '0 5/15 * * * *', next: '2026-03-14T10:35:00.000Z' },
  { schedule: '0 0 9-17/4 * * *', next: '2026-03-14T13:00:00.000Z' },
  { schedule: '00:00:10', next: '2026-03-14T10:20:40.500Z' },
  { schedule: '1.00:00:00', next: '2026-03-15T10:20:30.500Z' },
];

for (const { schedule, next } of cases) {
  test(`"${schedule}" is due next at ${next}`, () => {
    expect(parseSchedule(schedule, 'UTC').next(new Date(from))?.toISOString()).toBe(next);
  });
}

test('day of month and day of week must both fit, as NCRONTAB has it', () => {
  expect(parseSchedule('0 0 0 13 * 5', 'UTC').next(new Date('2026-01-01T00:00:00Z'))?.toISOString()).toBe(
    '2026-02-13T00:00:00.000Z',
  );
});

test('the zone of the schedule is the one given', () => {
  expect(parseSchedule('0 0 12 * * *', 'America/New_York').next(new Date('2026-01-01T00:00:00Z'))?.toISOString()).toBe(
    '2026-01-01T17:00:00.000Z',
  );
});

for (const schedule of [
  '',
  'often',
  '* * * *',
  '60 * * * * *',
  '0 0 0 L * *',
  '0 0 0 ? * *',
  '00:00:00',
  '@daily',
  '0 0 0 1 1 * 2027',
]) {
  test(`"${schedule}" is refused by its text`, () => {
    expect(() => parseSchedule(schedule)).toThrow(`schedule "${schedule}"`);
  });
}

test('only schedules below a minute go without a monitor', () => {
  const short = (schedule: string) => isShorterThanMinute(parseSchedule(schedule, 'UTC'), new Date(from));
  expect(short('*/30 * * * * *')).toBe(true);
  expect(short('0,59 * * * * *')).toBe(true);
  expect(short('00:00:59')).toBe(true);
  expect(short('0 * * * * *')).toBe(false);
  expect(short('00:01:00')).toBe(false);
});
