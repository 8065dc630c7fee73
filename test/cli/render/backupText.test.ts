import { describe, expect, test } from 'vitest';

import {
  backupJson,
  renderBackupResult,
  renderPruned,
  renderVerified,
  renderWorkResult,
} from '../../../cli/render/backupText.ts';
import type { WorkRun } from '../../../src/lib/work/workRun.ts';
import { tornLines } from '../onTerminal.ts';

const plain = (_style: unknown, text: string) => text;
const look = { paint: plain, columns: 80 };
const name = 'default/2026/11/20T020000Z';
const result = {
  backup: name,
  devices: 12_004,
  modules: 1,
  configurations: 0,
  bytes: 9_300_000,
  keys: 'included',
  verified: true,
  extrasComplete: true,
  removed: [],
};
const run = (changes: Partial<WorkRun>): WorkRun => ({
  kind: 'backup',
  version: 1,
  runId: '0123456789abcdef0123',
  state: 'completed',
  request: {},
  jobs: {},
  createdAt: '2026-11-20T02:00:00.000Z',
  updatedAt: '2026-11-20T02:00:00.000Z',
  ...changes,
});

describe('a backup that was made', () => {
  test('is told in a few lines', () => {
    expect(renderBackupResult(run({ result }), look)).toEqual([
      '',
      `  backup    ${name}`,
      '  holds     12,004 devices, 1 module, 0 configurations (9.3 MB)',
    ]);
    const short = { ...result, keys: 'excluded', extrasComplete: false, extrasMissing: 'The time was over.' };
    const lines = renderBackupResult(run({ result: { ...short, removed: ['a', 'b'] } }), look);
    expect(lines.slice(3)).toEqual([
      '  keys      none: devices that are restored get new ones',
      '  extras    not complete. The time was over.',
      '  removed   2 older backups (BACKUP_KEEP)',
    ]);
  });

  test('is one object for a script, also when there is none', () => {
    const { runId } = run({});
    expect(backupJson(run({ result }))).toEqual({ ...result, runId, state: 'completed' });
    const error = { code: 'cancelled', message: 'It was cancelled.' };
    expect(backupJson(run({ state: 'cancelled', error }))).toEqual({
      backup: null,
      verified: false,
      runId,
      state: 'cancelled',
      error,
    });
    expect(renderBackupResult(run({ state: 'failed' }), look)).toEqual([]);
  });
});

test('backups that were verified stand below each other, each with what is wrong', () => {
  const problems = ['the content of devices.txt is not what was written: its sha256 differs'];
  const found = [
    { backup: name, result: 'good', problems: [] },
    { backup: 'default/2026/11/19T020000Z', result: 'damaged', problems },
  ];
  expect(renderVerified(run({ result: { backups: found } }), look)).toEqual([
    '',
    `  ${name}  good`,
    '  default/2026/11/19T020000Z  damaged',
    `    ${problems[0]}`,
  ]);
  expect(renderVerified(run({ result: { backups: [] } }), look)).toEqual(['', '  There is no backup to verify.']);
});

test('the run of a backup or of a verification shows what it came to; one of another kind does not', () => {
  const shown = (kind: WorkRun['kind']) => renderWorkResult(run({ kind, result: { ...result, backups: [] } }), look);
  expect(shown('backup')).toContain(`  backup    ${name}`);
  expect(shown('verify')).toContain('  There is no backup to verify.');
  expect(shown('plan')).toEqual([]);
});

test.each([undefined, 80, 40])('what is kept and removed is told with why, at %s columns', (columns) => {
  const lines = renderPruned(
    {
      keep: [{ backup: name, reasons: ['daily', 'newestGood'] }],
      remove: [{ backup: 'default/2026/11/19T020000Z', reason: 'noRule', outcome: 'wouldBeRemoved' }],
    },
    columns,
  );
  if (columns !== undefined) expect(tornLines(lines.join('\n'), columns)).toEqual([]);
  const text = lines.join(' ').replaceAll(/\s+/g, ' ');
  expect(text).toMatch(/20T020000Z kept:? daily, the newest good one default.*19T020000Z would be removed:? no rule/);
});

test('a reason that several rules give is told once', () => {
  const lines = renderPruned(
    { keep: [{ backup: name, reasons: ['oldest', 'oldest', 'held'] }], remove: [] },
    undefined,
  );
  expect(lines.at(-1)).toMatch(/kept +the oldest there is, in use$/);
});

test.each([undefined, 40])('a record that cannot be read is told as what keeps all, at %s columns', (columns) => {
  const damaged = { code: 'recordDamaged', message: 'The record of run r cannot be read.', action: 'Restore it.' };
  const lines = renderPruned(
    {
      keep: [],
      remove: [{ backup: name, reason: 'noRule', outcome: 'mayBeHeld' }],
      damagedRuns: [{ runId: 'r', damaged }],
    },
    columns,
  );
  const text = lines.join(' ').replaceAll(/\s+/g, ' ');
  expect(text).toMatch(
    /stays: a run may read it.*Nothing is removed\. The record of run r cannot be read\. Restore it\.$/,
  );
});
