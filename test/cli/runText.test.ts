import { expect, test } from 'vitest';

import { renderRuns } from '../../cli/commands/runs.ts';
import { exitCodeOf } from '../../cli/exitCode.ts';
import { renderOutcome, renderRun } from '../../cli/runText.ts';
import { DEFAULT_OPTIONS } from '../../src/lib/provisioning/dropOptions.ts';
import type { RunRecord, RunState } from '../../src/lib/provisioning/runRecord.ts';
import { noOutcomes, runRecord } from './records.ts';

const plain = (_style: unknown, text: string) => text;
const now = new Date('2026-11-20T10:05:00.000Z');
const look = { now, paint: plain };

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
  const lines = [
    { outcome: 'failed' as const, line: 2, configurationId: 'c2', code: 'contentImmutable', reason: 'It differs.' },
  ];
  const text = renderOutcome(record, { configurations: { lines } }, look);
  const at = text.indexOf('  configurations: 3 succeeded, 1 failed, 1 rejected');
  expect(text.slice(at + 1, at + 3)).toEqual(['    failed: contentImmutable, line 2 c2', '      It differs.']);
  expect(text).toContain('  configurations: 3 succeeded, 1 failed, 1 rejected');
  expect(text.join('\n')).toMatch(/^ {2}succeeded +2$/m);
  expect(text).toContain('            r/f/configurations.csv');
  expect(exitCodeOf(record)).toBe(1);
});

test('the outcome names each count that is not zero, their sum, equal reasons together and the files, in lines that fit', () => {
  const record = finished('completedWithFailures', {
    outcomes: { ...noOutcomes, succeeded: 9_838, failed: 62, rejected: 60, skipped: 40 },
    kept: { authentication: 12, status: 1 },
    report: {
      container: 'provision-results',
      json: 'default/monday/r/report.json',
      csv: 'default/monday/r/report.csv',
      failedDevices: 'default/monday/r/failed-devices.txt',
    },
  });
  const report = {
    reasons: [
      { outcome: 'rejected', code: 'badJson', count: 60, line: 3, reason: 'It is not JSON.', action: 'Write JSON.' },
      { outcome: 'unchanged', code: 'DeviceNotFound', count: 7, line: 1, reason: 'It was not there.' },
      { outcome: 'failed', code: 'Odd', count: 1, line: 9, deviceId: 'edge', moduleId: 'camera', reason: 'It is odd.' },
      {
        outcome: 'failed',
        code: 'DeviceAlreadyExists',
        count: 1_061,
        line: 7,
        deviceId: 'pump-1',
        reason: 'A device of that id exists already, and mode create does not overwrite.',
        action: 'Use createOrUpdate.',
      },
    ],
  } as const;
  const files = [
    '',
    '  report    provision-results/default/monday/r/report.csv',
    '            provision-results/default/monday/r/report.json',
    '  failed    provision-results/default/monday/r/failed-devices.txt  (drop it again, corrected where needed)',
  ];
  const kept = '  kept      keys of 12 lines, status of 1 line: as their devices have them';
  const counts = [
    'Completed with failures after 1 min 12 s',
    '',
    '  succeeded                  9,838',
    '  failed                        62',
    '  rejected                      60',
    '  skipped                       40',
    '  ────────────────────────────────',
    '  lines                     10,000',
    '',
    '  modes     createOrUpdate 9,900',
  ];
  expect(renderOutcome(record, report, look)).toEqual([
    ...counts,
    kept,
    '',
    '  1,061 × failed: DeviceAlreadyExists, e.g. line 7 pump-1',
    '    A device of that id exists already, and mode create does not overwrite. Use createOrUpdate.',
    '  failed: Odd, line 9 edge/camera',
    '    It is odd.',
    '  60 × rejected: badJson, e.g. line 3',
    '    It is not JSON. Write JSON.',
    ...files,
  ]);
  expect(renderOutcome(record, report, { ...look, columns: 60 })).toEqual([
    ...counts,
    '  kept      keys of 12 lines, status of 1 line: as their',
    '            devices have them',
    '',
    '  1,061 × failed: DeviceAlreadyExists, e.g. line 7 pump-1',
    '    A device of that id exists already, and mode create does',
    '    not overwrite. Use createOrUpdate.',
    '  failed: Odd, line 9 edge/camera',
    '    It is odd.',
    '  60 × rejected: badJson, e.g. line 3',
    '    It is not JSON. Write JSON.',
    ...files,
  ]);
});

test('what the check says of the file is told after a run, in lines that fit', () => {
  const { check } = runRecord();
  if (check === undefined) throw new Error('The record has no check.');
  const warning = (n: number) => ({
    line: 1,
    code: 'unknownColumn' as const,
    message: `Column ${n} "c${n}" is not known and has no effect. Remove it.`,
  });
  const told = (count: number, columns?: number) => {
    const fileWarnings = Array.from({ length: count }, (_, index) => warning(index + 2));
    const text = renderOutcome(finished('completed', { check: { ...check, fileWarnings } }), undefined, {
      ...look,
      columns,
    });
    return text.slice(text.indexOf('  warnings of the file'));
  };
  expect(told(2)).toEqual(['  warnings of the file', `    ${warning(2).message}`, `    ${warning(3).message}`]);
  expect(told(1, 40)).toEqual([
    '  warnings of the file',
    '    Column 2 "c2" is not known and has',
    '    no effect. Remove it.',
  ]);
  expect(told(21).at(-1)).toBe('    … and 13 more: see report.json');
  // Records of runs before this had no such list.
  expect(renderOutcome(finished('completed', { check }), undefined, look)).not.toContain('  warnings of the file');
});

test('of many reasons the most important are told, and how many lines the others have', () => {
  const reasons = Array.from({ length: 13 }, (_, index) => ({
    outcome: index < 12 ? ('rejected' as const) : ('failed' as const),
    code: `c${index}`,
    count: index + 1,
    line: index + 1,
  }));
  const text = renderOutcome(finished('completedWithFailures'), { reasons }, look);
  expect(text.slice(4, 6)).toEqual(['  13 × failed: c12, e.g. line 13', '  12 × rejected: c11, e.g. line 12']);
  expect(text.at(-1)).toBe('  … and 6 lines for 3 more reasons: see the report');
});

test('a refused run says why and what to do', () => {
  const record = finished('refused', {
    error: { code: 'empty', message: 'The file is empty.', action: 'Drop another one.' },
  });
  expect(renderOutcome(record, undefined, look)).toEqual([
    'Refused after 1 min 12 s',
    '',
    '  The file is empty.',
    '  Drop another one.',
    '',
    '  modes     createOrUpdate 9,900',
  ]);
});

test('a run that goes on is shown with all that its record says', () => {
  const record = runRecord({
    phase: 'job',
    job: { jobId: 'j1', status: 'running', progress: 40, createdAt: now.toISOString(), deadline: now.toISOString() },
    cancelRequestedAt: now.toISOString(),
    options: { ...DEFAULT_OPTIONS, dryRun: true },
  });
  const text = renderRun(record, undefined, look).join('\n');
  for (const part of [
    'run 0123456789abcdef0123',
    'hub       default',
    'file      provision/monday/devices.txt  (41 KB, dropped 2026-11-20',
    'options   dryRun true',
    'phase     job',
    'cancel    asked for',
    'checked   10,000 lines, 9,000 devices, 900 modules, 60 rejected, 40 skipped, 3 warnings',
    'modes     createOrUpdate 9,900',
    'job       j1, running 40 %, waited for until',
    'Running for 4 min 59 s',
  ]) {
    expect(text).toContain(part);
  }
});

test('runs are a table', () => {
  const outcomes = { ...noOutcomes, succeeded: 9_938, rejected: 60, unconfirmed: 2 };
  const { hub: _, check: __, ...bare } = runRecord({ runId: 'f'.repeat(20), state: 'accepted', batch: '_' });
  const dry = finished('completed', { options: { ...DEFAULT_OPTIONS, dryRun: true } });
  expect(renderRuns([runRecord(), finished('completedWithFailures', { outcomes }), bare, dry], now, plain)).toEqual([
    'RUN                   HUB      BATCH   STATE                     LINES  NOT OK         AGE        TOOK',
    '0123456789abcdef0123  default  monday  running: check           10,000       -  4 min 59 s           -',
    '0123456789abcdef0123  default  monday  completed with failures  10,000      62  4 min 59 s  1 min 12 s',
    'ffffffffffffffffffff  -        _       accepted                      -       -  4 min 59 s           -',
    '0123456789abcdef0123  default  monday  completed, dry run       10,000       -  4 min 59 s  1 min 12 s',
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
