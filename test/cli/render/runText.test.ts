import { describe, expect, test, vi } from 'vitest';

import { exitCodeOf } from '../../../cli/exitCode.ts';
import { renderOutcome, renderRun } from '../../../cli/render/runText.ts';
import { DEFAULT_OPTIONS } from '../../../src/lib/provisioning/run/options.ts';
import type { ProvisionPhase, ProvisionRun } from '../../../src/lib/provisioning/run/provisionRun.ts';
import type { RunState } from '../../../src/lib/runs/runRecord.ts';
import { noOutcomes, runRecord } from '../records.ts';

vi.stubEnv('TZ', 'UTC');

const plain = (_style: unknown, text: string) => text;
const now = new Date('2026-11-20T10:05:00.000Z');
const command = (...args: readonly string[]) => ['npx hubkeeper', ...args].join(' ');
const look = { now, paint: plain, command };

const finished = (state: RunState, change: Partial<ProvisionRun> = {}) =>
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
  expect(text).toContain('            configurations.csv');
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
    '  report    provision-results/default/monday/r',
    '            report.csv',
    '            report.json',
    '            failed-devices.txt  (drop it again, corrected where needed)',
    '  get it    npx hubkeeper run 01234567 --report DIR',
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
  // Records of older runs have no such list.
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

test('a run that goes on is shown with all that its record says, in words of a person', () => {
  const record = runRecord({
    phase: 'job',
    jobs: {
      import: {
        jobId: 'j1',
        status: 'running',
        progress: 40,
        createdAt: now.toISOString(),
        deadline: '2026-11-20T12:05:00.000Z',
      },
    },
    cancelRequestedAt: now.toISOString(),
    suspendedAt: now.toISOString(),
    options: { ...DEFAULT_OPTIONS, dryRun: true, maxRejects: 3 },
  });
  expect(renderRun(record, undefined, look)).toEqual([
    'run 0123456789abcdef0123',
    '',
    '  hub       default',
    '  batch     monday',
    '  file      provision/monday/devices.txt (41 KB)',
    '  dropped   2026-11-20 10:00:00 UTC',
    '  options   dryRun true, maxRejects 3',
    '  started   2026-11-20 10:00:01 UTC',
    '  now       importing',
    '  suspended since 2026-11-20 10:05:00 UTC',
    '  cancel    asked for 2026-11-20 10:05:00 UTC',
    '  checked   10,000 lines, 9,000 devices, 900 modules, 60 rejected, 40 skipped, 3 warnings',
    '  job       j1, running, 40 %',
    '  deadline  2026-11-20 12:05:00 UTC (then the job is no longer waited for)',
    '  go on     npx hubkeeper resume 01234567',
    '',
    'Running for 4 min 59 s (dry run: nothing was sent to the hub)',
    '',
    '  modes     createOrUpdate 9,900',
  ]);
});

test.each<[ProvisionPhase, string]>([
  ['options', 'waiting for its options'],
  ['turn', 'waiting its turn'],
  ['preImage', 'copying what is there'],
  ['verify', 'verifying'],
  ['parents', 'linking to parents'],
])('the phase %s is told as "%s", and options that nobody chose as "defaults"', (phase, words) => {
  const text = renderRun(runRecord({ phase, options: DEFAULT_OPTIONS }), undefined, look);
  expect(text).toContain(`  now       ${words}`);
  expect(text).toContain('  options   defaults');
});

test('a run that may be undone says how', () => {
  const preImage = { container: 'c', blobName: 'b', epoch: 'e', way: 'single', identities: 1 } as const;
  const importSentAt = '2026-11-20T10:00:30.000Z';
  const textOf = (change: object, state: RunState = 'completed') =>
    renderRun(finished(state, change as Partial<ProvisionRun>), undefined, look).join('\n');
  const how = '  undo it   npx hubkeeper undo 01234567';
  expect(textOf({ preImage, importSentAt })).toContain(how);
  expect(textOf({ preImage, importSentAt }, 'cancelled')).toContain(how);
  expect(textOf({ preImage })).not.toContain('undo');
  expect(textOf({ importSentAt })).not.toContain('undo');
  expect(textOf({ preImage, importSentAt, options: { ...DEFAULT_OPTIONS, dryRun: true } })).not.toContain('undo');
});

test('a cancel that came too late says so, one that was in time does not', () => {
  const cancelRequestedAt = '2026-11-20T10:01:12.000Z';
  const late = '  The cancel came too late: by then there was nothing left that it could stop.';
  expect(renderOutcome(finished('completed', { cancelRequestedAt }), undefined, look)).toEqual([
    'Completed after 1 min 12 s',
    '',
    late,
    '',
    '  modes     createOrUpdate 9,900',
  ]);
  for (const record of [finished('cancelled', { cancelRequestedAt }), runRecord({ cancelRequestedAt })])
    expect(renderOutcome(record, undefined, look)).not.toContain(late);
});

describe('a confirmation that is missing', () => {
  const error = {
    code: 'confirmationNeeded',
    message: "The file deletes 1,234,567 of the hub's 2,000,000 devices: nothing was sent to the hub.",
    action: 'If you mean it, drop the file again with the option confirm set to the name of the hub, myhub.',
    confirm: 'myhub',
  };
  const refused = (change: Partial<ProvisionRun> = {}): ProvisionRun => {
    const { check: _, ...record } = finished('refused', { error, ...change });
    return record;
  };

  test('is shown as the command to type, with the flags that were given', () => {
    const options = { importMode: 'delete', maxRejects: 0, dryRun: true, confirm: 'hub' } as const;
    const dropped = { path: 'my files/devices.txt', hub: 'east', report: 'r', configurations: 'c.txt', options };
    expect(renderOutcome(refused(), undefined, { ...look, columns: 60, dropped })).toEqual([
      'Refused after 1 min 12 s',
      '',
      "  The file deletes 1,234,567 of the hub's 2,000,000 devices:",
      '  nothing was sent to the hub.',
      '',
      '  If you mean it, type:',
      '',
      '    npx hubkeeper provision my files/devices.txt --hub east --configurations c.txt --report r --import-mode delete --max-rejects 0 --dry-run --confirm myhub',
    ]);
  });

  test('is shown for a run that somebody else dropped, too, from what its record says', () => {
    const record = refused({
      hub: 'east',
      drop: { ...runRecord().drop, blobName: 'East/monday/devices.txt' },
      options: { ...DEFAULT_OPTIONS, backupFirst: 'never', confirm: 'other' },
    });
    expect(renderOutcome(record, undefined, look).slice(4)).toEqual([
      '  If you mean it, type:',
      '',
      '    npx hubkeeper provision FILE --hub east --backup-first never --confirm myhub',
      '',
      '  If not, leave --backup-first out.',
    ]);
  });

  test('of a run of an older version is told in its own words', () => {
    const { confirm: _, ...older } = error;
    expect(renderOutcome(refused({ error: older }), undefined, look).at(-1)).toBe(`  ${error.action}`);
  });
});

test.each<[RunState, Partial<ProvisionRun>, number]>([
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
