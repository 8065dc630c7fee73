import { describe, expect, it } from 'vitest';

import { backupHealth } from '../../../src/lib/backup/backupHealth.ts';
import { parseBackupName } from '../../../src/lib/backup/backupName.ts';
import type { BackupState, BackupSummary } from '../../../src/lib/backup/catalogue.ts';
import { parseSchedule } from '../../../src/lib/backup/schedule.ts';

function backup(name: string, state: BackupState = 'good', more: Partial<BackupSummary> = {}): BackupSummary {
  const { hub = '', at } = parseBackupName(name) ?? {};
  return { backup: name, hub, at: at?.toISOString() ?? '', state, bytes: 1, ...more };
}

function health(
  now: string,
  backups: readonly BackupSummary[],
  { cron = '0 0 2 * * *', since = '2026-11-01T00:00:00Z' } = {},
) {
  const parsed = parseSchedule(cron);
  const schedule = 'schedule' in parsed ? parsed.schedule : undefined;
  return backupHealth({ hub: 'a', backups, schedule, now: new Date(now), since: new Date(since) });
}

const GOOD = 'a/2026/11/20T020003Z';

describe('the health of backups', () => {
  it('tells the newest good one, its age, what verified it, and when the next is due', () => {
    const lastVerification = { at: '2026-11-20T04:00:00Z', result: 'good', problems: [] } as const;
    const backups = [
      backup('a/2026/11/20T100000Z', 'countMismatch'),
      backup('b/2026/11/20T090000Z'),
      backup(GOOD, 'good', { lastVerification }),
      backup('a/2026/11/19T020000Z'),
    ];
    expect(health('2026-11-20T12:00:00Z', backups)).toEqual({
      hub: 'a',
      lastGood: GOOD,
      ageSeconds: 10 * 3600 - 3,
      lastVerification,
      nextRun: '2026-11-21T02:00:00.000Z',
      overdue: false,
    });
  });

  it.each([
    { what: 'one that was missed', now: '2026-11-22T01:59:59Z', overdue: false },
    { what: 'the second is being made', now: '2026-11-22T03:59:59Z', overdue: false },
    { what: 'two were missed', now: '2026-11-22T04:00:01Z', overdue: true },
    { what: 'two were missed of an hourly schedule', now: '2026-11-20T04:30:01Z', cron: '0 0 * * * *', overdue: true },
    { what: 'the second of an hourly one', now: '2026-11-20T04:29:59Z', cron: '0 0 * * * *', overdue: false },
    { what: 'the second of a weekly one', now: '2026-11-29T05:59:59Z', cron: '0 0 4 * * 0', overdue: false },
    { what: 'two were missed of a weekly one', now: '2026-11-29T06:00:01Z', cron: '0 0 4 * * 0', overdue: true },
    { what: 'no schedule', now: '2027-11-22T04:00:01Z', cron: 'off', overdue: false },
  ])('is overdue when two that were due are not there: $what', ({ now, cron, overdue }) => {
    const found = health(now, [backup(GOOD)], cron === undefined ? {} : { cron });
    expect(found.overdue).toBe(overdue);
    expect(found.problem === undefined).toBe(!overdue);
  });

  it('counts from when the app is known where there is no good backup, and says what became of the newest', () => {
    const bad = backup('a/2026/11/03T020000Z', 'damaged', { problem: 'The backup is damaged: x.' });
    expect(health('2026-11-02T05:00:00Z', [])).toMatchObject({ overdue: true });
    expect(health('2026-11-02T03:00:00Z', [])).toEqual({
      hub: 'a',
      nextRun: '2026-11-03T02:00:00.000Z',
      overdue: false,
    });
    expect(health('2026-11-03T05:00:00Z', [bad]).problem).toMatch(
      /^The hub a has no good backup, .*The backup is damaged: x\. Look at/,
    );
  });

  it('takes none of the future for the newest', () => {
    const backups = [backup('a/2090/01/01T000000Z'), backup(GOOD)];
    expect(health('2026-11-22T05:00:00Z', backups)).toMatchObject({ lastGood: GOOD, overdue: true });
  });
});
