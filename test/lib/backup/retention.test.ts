import { existsSync, readFileSync } from 'node:fs';

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { formatBackupName, parseBackupName } from '../../../src/lib/backup/backupName.ts';
import { applyRetention, type RetentionCandidate } from '../../../src/lib/backup/retention.ts';
import { parseRetentionPolicy, type RetentionPolicy } from '../../../src/lib/backup/retentionPolicy.ts';
import { keptByTheObvious } from './obviousRetention.ts';

const DAY = 24 * 60 * 60_000;

function policyOf(text: string): RetentionPolicy {
  const parsed = parseRetentionPolicy(text);
  if ('problem' in parsed) throw new Error(parsed.problem);
  return parsed.policy;
}

const good = (at: Date | string, hub = 'a'): RetentionCandidate => ({
  backup: formatBackupName({ hub, at: new Date(at) }),
  state: 'good',
});
const instantOf = (backup: string) => parseBackupName(backup)?.at.toISOString() ?? '';

interface Recorded {
  readonly version: string;
  readonly sets: Readonly<Record<string, readonly string[]>>;
  readonly kept: readonly {
    readonly policy: string;
    readonly sets: Readonly<
      Record<string, { readonly kept: readonly string[]; readonly left: Readonly<Record<string, number>> }>
    >;
  }[];
}

const FIXTURE = new URL('../../fixtures/retention/recorded.json', import.meta.url);

/** See `test/fixtures/retention/record.ts`. */
describe('what restic keeps is kept', () => {
  const { sets, kept } = JSON.parse(readFileSync(FIXTURE, 'utf8')) as Recorded;
  const cases = kept.flatMap(({ policy, sets: of }) =>
    Object.entries(of).map(([set, recorded]) => ({ policy, set, ...recorded })),
  );

  it('for more than a dozen policies', () => {
    expect(existsSync(FIXTURE)).toBe(true);
    expect(kept.length).toBeGreaterThanOrEqual(12);
    expect(cases).toHaveLength(kept.length * Object.keys(sets).length);
  });

  it.each(cases)('$policy of $set', ({ policy, set, kept: expected, left }) => {
    const times = sets[set] ?? [];
    const now = new Date('2026-08-01T00:00:00Z');
    const { keep, remove } = applyRetention(
      times.map((at) => good(at)),
      policyOf(policy),
      now,
    );
    // The version that was recorded does not keep the oldest yet where a rule has too few; later ones do.
    const oldest = Object.values(left).some((count) => count > 0) ? times.toSorted().slice(0, 1) : [];
    // Our own addition: the newest good one, and one of the future.
    const past = times.filter((at) => new Date(at) <= now).toSorted();
    const always = [...past.slice(-1), ...times.filter((at) => new Date(at) > now)];
    const wanted = [...new Set([...expected, ...oldest, ...always])].sort();
    expect(keep.map(({ backup }) => instantOf(backup)).sort()).toEqual(wanted);
    expect(keep.length + remove.length).toBe(times.length);
  });
});

describe('ten years of daily backups', () => {
  const count = fc.oneof(fc.constant(undefined), fc.integer({ min: 0, max: 20 }));
  const policies = fc
    .record({
      last: count,
      hourly: count,
      daily: count,
      weekly: count,
      monthly: count,
      yearly: count,
      within: fc.oneof(
        fc.constant(undefined),
        fc.record({
          years: fc.integer({ min: 0, max: 1 }),
          months: fc.integer({ min: 0, max: 14 }),
          days: fc.integer({ min: 0, max: 40 }),
          hours: fc.integer({ min: 0, max: 30 }),
        }),
      ),
    })
    .map(
      (rules) => Object.fromEntries(Object.entries(rules).filter(([, rule]) => rule !== undefined)) as RetentionPolicy,
    );

  it('leave, whenever they are looked through, what a slow and obvious implementation leaves', () => {
    fc.assert(
      fc.property(
        policies,
        fc.integer({ min: 0, max: 20_000 }),
        fc.integer({ min: 5, max: 60 }),
        fc.array(fc.integer({ min: 0, max: 3649 }), { maxLength: 400 }),
        (policy, firstDay, everyDays, missed) => {
          const without = new Set(missed);
          let backups: RetentionCandidate[] = [];
          for (let day = 0; day < 3650; day++) {
            const now = new Date((firstDay + day) * DAY + 2 * 60 * 60_000);
            if (!without.has(day)) backups.push(good(now));
            if (day % everyDays > 0 && day < 3649) continue;
            const kept = new Set(applyRetention(backups, policy, now).keep.map(({ backup }) => backup));
            expect(kept).toEqual(
              new Set(
                keptByTheObvious(
                  backups.map(({ backup }) => backup),
                  policy,
                ),
              ),
            );
            backups = backups.filter(({ backup }) => kept.has(backup));
          }
        },
      ),
      { numRuns: 6 },
    );
  });

  it('leave of any times at once what it leaves', () => {
    const times = fc.array(fc.integer({ min: 0, max: 400 * 24 }), { minLength: 1, maxLength: 80 });
    fc.assert(
      fc.property(policies, times, (policy, hours) => {
        const backups = [...new Set(hours)].map((hour) => good(new Date(Date.UTC(2024, 10, 1) + hour * 60 * 60_000)));
        const { keep } = applyRetention(backups, policy, new Date('2030-01-01'));
        expect(keep.map(({ backup }) => backup).sort()).toEqual(
          keptByTheObvious(
            backups.map(({ backup }) => backup),
            policy,
          ).sort(),
        );
      }),
      { numRuns: 300 },
    );
  });

  it('by the default policy leave 14 days, 8 weeks and 12 months', () => {
    let backups: RetentionCandidate[] = [];
    let kept: readonly string[] = [];
    for (let at = Date.parse('2016-01-01T02:00:00Z'); at <= Date.parse('2025-12-31T02:00:00Z'); at += DAY) {
      backups.push(good(new Date(at)));
      const { keep } = applyRetention(backups, policyOf('daily=14,weekly=8,monthly=12'), new Date(at));
      kept = keep.map(({ backup }) => backup.slice('a/'.length, -'T020000Z'.length));
      backups = keep.map(({ backup }) => ({ backup, state: 'good' }));
    }
    expect(kept).toEqual([
      ...Array.from({ length: 14 }, (_, day) => `2025/12/${31 - day}`),
      ...['2025/12/14', '2025/12/07', '2025/11/30', '2025/11/23', '2025/11/16', '2025/10/31', '2025/09/30'],
      ...[
        '2025/08/31',
        '2025/07/31',
        '2025/06/30',
        '2025/05/31',
        '2025/04/30',
        '2025/03/31',
        '2025/02/28',
        '2025/01/31',
      ],
    ]);
  });
});

describe('beside the rules', () => {
  const now = new Date('2026-11-20T12:00:00Z');
  const judge = (backups: readonly RetentionCandidate[], policy: string, held: readonly string[] = []) => {
    const { keep, remove } = applyRetention(backups, policyOf(policy), now, held);
    return {
      keep: Object.fromEntries(keep.map(({ backup, reasons }) => [backup, reasons])),
      remove: Object.fromEntries(remove.map(({ backup, reason }) => [backup, reason])),
    };
  };
  const of = (day: string, state: RetentionCandidate['state'] = 'good', hub = 'a'): RetentionCandidate => ({
    backup: `${hub}/2026/11/${day}T020000Z`,
    state,
  });

  it('the newest good one is kept, whatever came after it', () => {
    const backups = [of('20', 'damaged'), of('19', 'countMismatch'), of('18'), of('17')];
    expect(judge(backups, 'last=1')).toEqual({
      keep: { 'a/2026/11/20T020000Z': ['last'], 'a/2026/11/18T020000Z': ['last', 'newestGood'] },
      remove: { 'a/2026/11/19T020000Z': 'noRule', 'a/2026/11/17T020000Z': 'noRule' },
    });
  });

  it('one in the archive tier counts as good, and beside it the newest that can be read is kept', () => {
    const backups = [of('20', 'archived'), of('19'), of('18', 'archived'), of('17')];
    expect(judge(backups, 'last=1').keep).toEqual({
      'a/2026/11/20T020000Z': ['last'],
      'a/2026/11/19T020000Z': ['newestGood'],
    });
    expect(judge([of('20', 'archived'), of('19', 'archived')], 'yearly=1').keep).toEqual({
      'a/2026/11/20T020000Z': ['yearly', 'newestGood'],
    });
  });

  it('one that is not good takes the place of none that is', () => {
    const day = [of('20', 'countMismatch'), { backup: 'a/2026/11/20T010000Z', state: 'good' } as const];
    expect(judge([...day, of('19')], 'daily=1').keep).toEqual({
      'a/2026/11/20T020000Z': ['daily'],
      'a/2026/11/20T010000Z': ['daily', 'newestGood'],
    });
  });

  it('what is held, of the future, of a newer version, or being written is kept', () => {
    const future = 'a/2026/12/01T020000Z';
    const backups = [
      { backup: future, state: 'good' } as const,
      of('20'),
      of('19', 'unfinished'),
      of('18', 'unfinished'),
      of('10'),
      of('05', 'newer'),
      of('04', 'unfinished'),
    ];
    expect(judge(backups, 'last=1', ['a/2026/11/10T020000Z', 'a/2026/11/04T020000Z'])).toEqual({
      keep: {
        [future]: ['last', 'future'],
        'a/2026/11/20T020000Z': ['newestGood'],
        'a/2026/11/19T020000Z': ['mayBeWritten'],
        'a/2026/11/10T020000Z': ['held'],
        'a/2026/11/05T020000Z': ['newer'],
        'a/2026/11/04T020000Z': ['held'],
      },
      remove: { 'a/2026/11/18T020000Z': 'givenUp' },
    });
  });

  it('one that says until when it is kept stays as long, and then goes like any other', () => {
    const until = (keepUntil: string) => [of('20'), { ...of('19'), keepUntil }];
    const kept = { 'a/2026/11/20T020000Z': expect.arrayContaining(['newestGood']) };
    expect(judge(until('2999-01-01T00:00:00Z'), 'last=1')).toEqual({
      keep: { ...kept, 'a/2026/11/19T020000Z': ['held'] },
      remove: {},
    });
    expect(judge(until('2026-11-19T03:00:00Z'), 'last=1').remove).toEqual({ 'a/2026/11/19T020000Z': 'noRule' });
  });

  it('each hub is looked at by itself', () => {
    const backups = [of('20'), of('19'), of('18', 'good', 'b'), of('17', 'good', 'b')];
    expect(Object.keys(judge(backups, 'last=1').keep)).toEqual(['a/2026/11/20T020000Z', 'b/2026/11/18T020000Z']);
  });

  it('the oldest is kept by a rule that has too few', () => {
    const backups = ['T020000Z', 'T010000Z', 'T000000Z'].map(
      (time) => ({ backup: `a/2026/11/20${time}`, state: 'good' }) as const,
    );
    expect(judge(backups, 'daily=2')).toEqual({
      keep: { 'a/2026/11/20T020000Z': ['daily', 'newestGood'], 'a/2026/11/20T000000Z': ['oldest'] },
      remove: { 'a/2026/11/20T010000Z': 'noRule' },
    });
    expect(Object.keys(judge(backups, 'daily=1').keep)).toEqual(['a/2026/11/20T020000Z']);
  });
});
