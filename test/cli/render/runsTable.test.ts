import { describe, expect, test } from 'vitest';

import { renderRuns } from '../../../cli/render/runsTable.ts';
import { DEFAULT_OPTIONS } from '../../../src/lib/provisioning/run/options.ts';
import type { ProvisionRun } from '../../../src/lib/provisioning/run/provisionRun.ts';
import { PROVISION_PHASES } from '../../../src/lib/provisioning/run/provisionRun.ts';
import type { RunRecord } from '../../../src/lib/runKinds.ts';
import { RUN_STATES } from '../../../src/lib/runs/runRecord.ts';
import { noOutcomes, runRecord } from '../records.ts';

const plain = (_style: unknown, text: string) => text;
const now = new Date('2026-11-20T10:05:00.000Z');
const look = { now, paint: plain, columns: undefined };
const finishedAt = '2026-11-20T10:01:13.000Z';
const outcomes = { ...noOutcomes, succeeded: 9_938, rejected: 60, unconfirmed: 2 };
const dry = { ...DEFAULT_OPTIONS, dryRun: true };
const waiting = { since: finishedAt, kind: 'turn', reason: 'waiting for its turn', position: 2 } as const;

const { hub: _, check: __, ...bare } = runRecord({ runId: 'f'.repeat(20), state: 'accepted', batch: '_' });
const records: readonly ProvisionRun[] = [
  runRecord(),
  runRecord({ runId: '0223456789abcdef0124', state: 'completedWithFailures', finishedAt, outcomes }),
  bare,
  runRecord({ runId: '1'.repeat(20), state: 'completed', finishedAt, options: dry }),
  runRecord({ runId: '2'.repeat(20), phase: 'turn', waiting, batch: '20261120T101112Z-kwjx' }),
  runRecord({ runId: '3'.repeat(20), phase: 'job', suspendedAt: finishedAt }),
];

test('runs are a table; where there is no terminal nothing is shortened', () => {
  expect(renderRuns(records, look)).toEqual([
    'RUN                   HUB      BATCH                  STATE                       LINES  NOT OK         AGE        TOOK',
    '0123456789abcdef0123  default  monday                 checking the file          10,000       -  4 min 59 s           -',
    '0223456789abcdef0124  default  monday                 completed with failures    10,000      62  4 min 59 s  1 min 12 s',
    'ffffffffffffffffffff  -        _                      about to begin                  -       -  4 min 59 s           -',
    '11111111111111111111  default  monday                 completed, dry run         10,000       -  4 min 59 s  1 min 12 s',
    '22222222222222222222  default  20261120T101112Z-kwjx  waiting its turn, 2 ahead  10,000       -  4 min 59 s           -',
    '33333333333333333333  default  monday                 suspended, importing       10,000       -  4 min 59 s           -',
  ]);
});

test('a run that applies the lines of another is told from it', () => {
  const { batch: _batch, drop: _drop, check: _check, options: _options, ...base } = runRecord({ state: 'completed' });
  const restore = { ...base, kind: 'restore', version: 1, request: {}, outcomes, jobs: {} } as unknown as RunRecord;
  const lines = renderRuns([restore, runRecord({ batch: 'restore', appliedFor: 'restore' })], look);
  expect(lines[1]).toMatch(/default {2}restore +completed +10,000 +62/);
  expect(lines[2]).toMatch(/default {2}lines of restore +checking/);
});

test('at 80 columns the ids are as short as they may be, and what matters least is left out', () => {
  expect(renderRuns(records, { ...look, columns: 80 })).toEqual([
    'RUN       HUB      BATCH          STATE                  LINES  NOT OK    AGE',
    '01234567  default  monday         checking the file     10,000       -  4 min',
    '02234567  default  monday         with failures         10,000      62  4 min',
    'ffffffff  -        _              about to begin             -       -  4 min',
    '11111111  default  monday         completed, dry run    10,000       -  4 min',
    '22222222  default  202611…Z-kwjx  waiting, 2 ahead      10,000       -  4 min',
    '33333333  default  monday         suspended, importing  10,000       -  4 min',
  ]);
});

test('a hub that is the same in all rows is left out', () => {
  const one = records.filter(({ hub }) => hub !== undefined);
  expect(renderRuns(one, { ...look, columns: 80 })).toEqual([
    'RUN       BATCH          STATE                       LINES  NOT OK    AGE',
    '01234567  monday         checking the file          10,000       -  4 min',
    '02234567  monday         completed with failures    10,000      62  4 min',
    '11111111  monday         completed, dry run         10,000       -  4 min',
    '22222222  202611…Z-kwjx  waiting its turn, 2 ahead  10,000       -  4 min',
    '33333333  monday         suspended, importing       10,000       -  4 min',
  ]);
});

describe('the widest that there can be fits', () => {
  const widest = RUN_STATES.flatMap((state) =>
    PROVISION_PHASES.map((phase, index) =>
      runRecord({
        runId: `${index}`.padStart(20, 'a'),
        state,
        phase,
        hub: index % 2 === 0 ? 'default' : 'aVeryLongAliasOfAHub',
        batch: `2026/a folder of some depth/20261120T101112Z-kwj${index}`,
        options: dry,
        waiting: { ...waiting, position: 1_200 },
        ...(state === 'running' ? {} : { finishedAt: '2026-11-29T19:31:13.000Z' }),
        check: { ...(runRecord().check ?? {}), lines: 1_000_000 } as NonNullable<ProvisionRun['check']>,
        outcomes: { ...noOutcomes, failed: 1_000_000 },
      }),
    ),
  );
  test.each([80, 100, 160])('in %i columns', (columns) => {
    const lines = renderRuns(widest, { ...look, now: new Date('2026-12-20T10:05:00.000Z'), columns });
    expect(lines.filter((line) => line.length > columns)).toEqual([]);
    expect(lines).toHaveLength(widest.length + 1);
  });
});

test('ids that begin alike stay long enough to be told apart', () => {
  const alike = ['0123456789abcdef0123', '0123456789ff00000000'].map((runId) => runRecord({ runId }));
  const [, ...lines] = renderRuns(alike, { ...look, columns: 80 });
  expect(lines.map((line) => line.split(' ')[0])).toEqual(['0123456789a', '0123456789f']);
});

test('the state is painted, not a batch of that name', () => {
  const paint = (_: unknown, text: string) => `<${text}>`;
  const [, line] = renderRuns([runRecord({ batch: 'refused', state: 'refused', finishedAt })], { ...look, paint });
  expect(line).toBe('0123456789abcdef0123  default  refused  <refused>  10,000       -  4 min 59 s  1 min 12 s');
});
