import { expect, test } from 'vitest';

import { renderRuns } from '../../cli/commands/runs.ts';
import { exitCodeOf } from '../../cli/exitCode.ts';
import { renderOutcome, renderRun } from '../../cli/runText.ts';
import { DEFAULT_OPTIONS } from '../../src/lib/provisioning/dropOptions.ts';
import type { RunRecord, RunState } from '../../src/lib/provisioning/runRecord.ts';
import { noOutcomes, runRecord } from './records.ts';

const plain = (_style: unknown, text: string) => text;
const now = new Date('2026-11-20T10:05:00.000Z');

const finished = (state: RunState, change: Partial<RunRecord> = {}) =>
  runRecord({ state, finishedAt: '2026-11-20T10:01:13.000Z', ...change });

test('configurations stand on a line of their own, apart from the sum, and make a script look', () => {
  const record = finished('completed', {
    outcomes: { ...noOutcomes, succeeded: 2 },
    configurations: {
      lines: 5,
      accepted: 4,
      rejected: 1,
      outcomes: { ...noOutcomes, succeeded: 3, failed: 1, rejected: 1 },
    },
    report: { container: 'r', json: 'f/report.json', csv: 'f/report.csv', configurations: 'f/configurations.csv' },
  });
  const text = renderOutcome(record, undefined, now, plain);
  expect(text).toContain('  configurations: 3 succeeded, 1 failed, 1 rejected');
  expect(text.join('\n')).toMatch(/^ {2}succeeded +2$/m);
  expect(text).toContain('            r/f/configurations.csv');
  expect(exitCodeOf(record)).toBe(1);
});

test('the outcome names each count that is not zero, their sum, the lines to look at and the files', () => {
  const record = finished('completedWithFailures', {
    outcomes: { ...noOutcomes, succeeded: 9_838, failed: 62, rejected: 60, skipped: 40 },
    report: {
      container: 'provision-results',
      json: 'default/monday/r/report.json',
      csv: 'default/monday/r/report.csv',
      failedDevices: 'default/monday/r/failed-devices.txt',
    },
  });
  const report = {
    lines: [
      { line: 7, outcome: 'rejected', code: 'badJson', reason: 'It is not JSON.' },
      {
        line: 9,
        deviceId: 'edge',
        moduleId: 'camera',
        outcome: 'failed',
        reason: 'Throttled.',
        action: 'Drop it again.',
      },
    ],
    linesNotListed: 120,
  } as const;
  expect(renderOutcome(record, report, now, plain)).toEqual([
    'Completed with failures after 1 min 12 s',
    '',
    '  succeeded                  9,838',
    '  failed                        62',
    '  rejected                      60',
    '  skipped                       40',
    '  ────────────────────────────────',
    '  lines                     10,000',
    '',
    '  line 7  rejected',
    '    It is not JSON.',
    '  line 9  edge/camera  failed',
    '    Throttled. Drop it again.',
    '  … and 112 more: see the report',
    '',
    '  report    provision-results/default/monday/r/report.csv',
    '            provision-results/default/monday/r/report.json',
    '  failed    provision-results/default/monday/r/failed-devices.txt  (correct it and drop it again)',
  ]);
});

test('a refused run says why and what to do', () => {
  const record = finished('refused', {
    error: { code: 'empty', message: 'The file is empty.', action: 'Drop another one.' },
  });
  expect(renderOutcome(record, undefined, now, plain)).toEqual([
    'Refused after 1 min 12 s',
    '',
    '  The file is empty.',
    '  Drop another one.',
  ]);
});

test('a run that goes on is shown with all that its record says', () => {
  const record = runRecord({
    phase: 'job',
    job: { jobId: 'j1', status: 'running', progress: 40, createdAt: now.toISOString(), deadline: now.toISOString() },
    cancelRequestedAt: now.toISOString(),
    options: { ...DEFAULT_OPTIONS, dryRun: true },
  });
  const text = renderRun(record, undefined, now, plain).join('\n');
  for (const part of [
    'run 0123456789abcdef0123',
    'hub       default',
    'file      provision/monday/devices.txt  (41 KB, dropped 2026-11-20',
    'options   dryRun true',
    'phase     job',
    'cancel    asked for',
    'checked   10,000 lines, 9,000 devices, 900 modules, 60 rejected, 40 skipped, 3 warnings (createOrUpdate 9,900)',
    'job       j1, running 40 %, waited for until',
    'Running for 4 min 59 s',
  ]) {
    expect(text).toContain(part);
  }
});

test('runs are a table', () => {
  const outcomes = { ...noOutcomes, succeeded: 9_938, rejected: 60, unconfirmed: 2 };
  const { hub: _, check: __, ...bare } = runRecord({ runId: 'f'.repeat(20), state: 'accepted', batch: '_' });
  expect(renderRuns([runRecord(), finished('completedWithFailures', { outcomes }), bare], now, plain)).toEqual([
    'RUN                   HUB      BATCH   STATE                     LINES  NOT OK         AGE        TOOK',
    '0123456789abcdef0123  default  monday  running: check           10,000       -  4 min 59 s           -',
    '0123456789abcdef0123  default  monday  completed with failures  10,000      62  4 min 59 s  1 min 12 s',
    'ffffffffffffffffffff  -        _       accepted                      -       -  4 min 59 s           -',
  ]);
  expect(renderRuns([], now, plain)).toEqual(['No runs yet. Drop a file with: hubkeeper provision FILE']);
});

test.each<[RunState, Partial<RunRecord>, number]>([
  ['accepted', {}, 0],
  ['running', {}, 0],
  ['completed', { outcomes: { ...noOutcomes, succeeded: 5, skipped: 2, unchanged: 1, succeededWithWarning: 1 } }, 0],
  ['completed', { outcomes: { ...noOutcomes, unconfirmed: 1 } }, 1],
  ['completedWithFailures', {}, 1],
  ['refused', {}, 2],
  ['cancelled', {}, 3],
  ['failed', {}, 3],
  ['stale', {}, 3],
])('a run that is %s has its exit code', (state, change, expected) => {
  expect(exitCodeOf(runRecord({ state, ...change }))).toBe(expected);
});
