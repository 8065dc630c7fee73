import { describe, expect, it } from 'vitest';

import type { RunRecord } from '../../src/lib/runKinds.ts';
import { measurementsOf } from '../../src/lib/runMetrics.ts';

const told = (record: object): unknown[] =>
  measurementsOf({ kind: 'provision', state: 'completed', hub: 'default', jobs: {}, ...record } as RunRecord).map(
    ({ name, value, attributes }) => [name, value, attributes],
  );

describe('a run that has ended tells', () => {
  it('what it was and how it ended', () => {
    expect(told({ state: 'refused', hub: undefined })).toEqual([
      ['hubkeeper.runs', 1, { hub: 'none', kind: 'provision', outcome: 'refused' }],
    ]);
  });

  it('its lines, by outcome', () => {
    expect(told({ outcomes: { succeeded: 3, failed: 2, skipped: 0 } }).slice(1)).toEqual([
      ['hubkeeper.lines', 3, { hub: 'default', outcome: 'succeeded' }],
      ['hubkeeper.lines', 2, { hub: 'default', outcome: 'failed' }],
    ]);
  });

  it('how long its first job after it asked for its turn was waited for', () => {
    const turnAskedAt = '2026-11-01T00:00:00.000Z';
    const jobs = {
      import: { createdAt: '2026-11-01T00:01:00.500Z' },
      export: { createdAt: '2026-11-01T00:00:30.500Z' },
      verify: { createdAt: '2026-10-31T00:00:00.000Z' },
    };
    const wait = ['hubkeeper.job.wait', 30.5, { hub: 'default', kind: 'provision' }];
    expect(told({ turnAskedAt, jobs })).toContainEqual(wait);
    expect(told({ turnAskedAt, jobs: {} })).toHaveLength(1);
    expect(told({ jobs })).toHaveLength(1);
  });

  it('which backups were good when they were read again', () => {
    const backups = [
      { backup: 'default/2026/11/20T020000Z', result: 'good' },
      { backup: 'second/2026/11/20T020000Z', result: 'damaged' },
      { backup: 'second/2026/11/19T020000Z', result: 'gone' },
    ];
    expect(told({ kind: 'verify', hub: undefined, result: { backups } }).slice(1)).toEqual([
      ['hubkeeper.backup.verification', 1, { hub: 'default', outcome: 'good' }],
      ['hubkeeper.backup.verification', 1, { hub: 'second', outcome: 'damaged' }],
    ]);
  });

  it('what a reconcile found, and nothing where all was alike', () => {
    const result = { missing: 1, extra: 0, different: 4, repaired: 5, leftAlone: 2 };
    expect(told({ kind: 'reconcile', result }).slice(1)).toEqual([
      ['hubkeeper.mirror.drift', 1, { hub: 'default', what: 'missing' }],
      ['hubkeeper.mirror.drift', 4, { hub: 'default', what: 'different' }],
    ]);
    expect(told({ kind: 'drill', result })).toHaveLength(1);
  });
});
