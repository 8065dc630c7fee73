import { describe, expect, test } from 'vitest';

import {
  type Progress,
  plainProgress,
  progressBar,
  progressOf,
  statusLine,
  uploadProgress,
} from '../../../cli/render/progress.ts';
import type { ProvisionRun } from '../../../src/lib/provisioning/run/provisionRun.ts';
import type { RunRecord } from '../../../src/lib/runKinds.ts';
import type { WorkRun } from '../../../src/lib/work/workRun.ts';
import { runRecord } from '../records.ts';

const since = new Date('2026-11-20T10:00:00.000Z');
const at = (seconds: number) => new Date(since.getTime() + seconds * 1000);
const command = (...args: readonly string[]) => ['npx hubkeeper', ...args].join(' ');
const job = {
  jobId: 'j',
  status: 'running',
  progress: 0,
  createdAt: at(5).toISOString(),
  deadline: at(7200).toISOString(),
};

const { phase: _, ...accepted } = runRecord({ state: 'accepted' });

const cases: { name: string; record: ProvisionRun | undefined; now: number; expected: Progress }[] = [
  { name: 'no record yet', record: undefined, now: 1, expected: { text: 'waiting for the app to notice the file' } },
  {
    name: 'no record for long',
    record: undefined,
    now: 61,
    expected: {
      text: 'waiting for the app to notice the file',
      pace: ['nothing has moved for 1 min 1 s'],
    },
  },
  { name: 'checking', record: runRecord(), now: 3, expected: { text: 'checking the file (41 KB)' } },
  {
    name: 'waiting for another job',
    record: runRecord({
      phase: 'turn',
      waiting: { since: at(3).toISOString(), kind: 'busy', reason: 'another job is active' },
    }),
    now: 4,
    expected: { text: 'waiting for the hub: another job is active' },
  },
  {
    name: 'noticed, not begun',
    record: accepted,
    now: 3,
    expected: { text: 'about to begin' },
  },
  {
    name: 'copying what it is about to overwrite',
    record: runRecord({ phase: 'preImage' }),
    now: 3,
    expected: { text: 'copying what is there' },
  },
  {
    name: 'about to take its turn',
    record: runRecord({ phase: 'turn' }),
    now: 3,
    expected: { text: 'waiting its turn' },
  },
  {
    name: 'standing in the queue of the hub, for long',
    record: runRecord({
      phase: 'turn',
      waiting: {
        since: at(3).toISOString(),
        kind: 'turn',
        reason: 'waiting for its turn: 2 runs are ahead',
        position: 2,
      },
    }),
    now: 600,
    expected: { text: 'waiting for its turn: 2 runs are ahead' },
  },
  {
    name: 'suspended in the queue, for long',
    record: runRecord({ phase: 'turn', suspendedAt: at(4).toISOString() }),
    now: 600,
    expected: { text: 'suspended: npx hubkeeper resume 01234567' },
  },
  {
    name: 'suspended while its job runs',
    record: runRecord({ phase: 'job', jobs: { import: job }, suspendedAt: at(4).toISOString() }),
    now: 9,
    expected: { text: 'suspended (its import job goes on): npx hubkeeper resume 01234567' },
  },
  {
    name: 'a job in the queue of the hub',
    record: runRecord({ phase: 'job', jobs: { import: { ...job, status: 'enqueued' } } }),
    now: 6,
    expected: { text: 'import job in the queue of the hub (9,900 lines)' },
  },
  {
    name: 'a job at a quarter after ten seconds',
    record: runRecord({ phase: 'job', jobs: { import: { ...job, progress: 25 } } }),
    now: 15,
    expected: {
      text: 'importing about 2,475 of 9,900 lines',
      fraction: 0.25,
      pace: ['248/s', '30 s left'],
    },
  },
  {
    name: 'a job that is done',
    record: runRecord({ phase: 'job', jobs: { import: { ...job, progress: 100 } } }),
    now: 15,
    expected: { text: 'importing about 9,900 of 9,900 lines', fraction: 1 },
  },
  {
    name: 'a hub that does something else',
    record: runRecord({ phase: 'preImage', waiting: { since: 's', kind: 'busy', reason: 'the hub is busy' } }),
    now: 6,
    expected: { text: 'waiting for the hub: the hub is busy' },
  },
  {
    name: 'a job that cannot be started for now',
    record: runRecord({ phase: 'job', waiting: { since: 's', kind: 'trouble', reason: 'cannot reach it' } }),
    now: 6,
    expected: { text: 'retrying: cannot reach it' },
  },
  {
    name: 'settling',
    record: runRecord({ phase: 'settle' }),
    now: 9,
    expected: { text: 'settling the outcomes of 10,000 lines' },
  },
  {
    name: 'a run that stands still',
    record: runRecord({ phase: 'report' }),
    now: 92,
    expected: { text: 'writing the report of 10,000 lines', pace: ['nothing has moved for 1 min 30 s'] },
  },
  {
    name: 'a job that the hub does not begin',
    record: runRecord({ phase: 'job', jobs: { import: { ...job, status: 'enqueued' } } }),
    now: 132,
    expected: { text: 'import job in the queue of the hub (9,900 lines)', pace: ['nothing has moved for 2 min 10 s'] },
  },
  {
    name: 'cancelling',
    record: runRecord({ cancelRequestedAt: at(9).toISOString() }),
    now: 10,
    expected: { text: 'cancelling' },
  },
];

test.each(cases)('progress: $name', ({ record, now, expected }) => {
  expect(progressOf(record, { now: at(now), since, command })).toEqual(expected);
});

test('the upload has a rate as soon as it means something', () => {
  expect(uploadProgress(0, 400, 0)).toEqual({ text: 'uploading 0 B of 400 B', fraction: 0 });
  expect(uploadProgress(100_000, 400_000, 2000)).toEqual({
    text: 'uploading 100 KB of 400 KB',
    fraction: 0.25,
    pace: ['50 KB/s', '6 s left'],
  });
});

describe('a line on the terminal', () => {
  const progress: Progress = { text: 'importing', fraction: 0.5, pace: ['100/s', '8 s left'] };
  const look = { unicode: true, frame: 0, elapsedMs: 12_000 };

  test.each([
    [80, '⠋ importing  ━━━━━━━━━━━━┄┄┄┄┄┄┄┄┄┄┄┄  50 %  100/s  8 s left  12 s'],
    [60, '⠋ importing  ━━━━━━┄┄┄┄┄┄  50 %  100/s  8 s left  12 s'],
    [50, '⠋ importing  ━━━━━━┄┄┄┄┄┄  50 %  100/s  8 s left'],
    [42, '⠋ importing  ━━━━━━┄┄┄┄┄┄  50 %  8 s left'],
    [30, '⠋ importing  50 %  8 s left'],
    [20, '⠋ importing  50 %'],
    [8, '⠋ import'],
  ])('of %i columns leaves out what does not fit', (columns, text) => {
    expect(statusLine(progress, { ...look, columns })).toBe(text);
  });

  test('has a bar that fills by half cells, and one for terminals without Unicode', () => {
    expect([0, 0.02, 0.5, 1].map((fraction) => progressBar(fraction, 24, true))).toEqual([
      '┄'.repeat(24),
      `╸${'┄'.repeat(23)}`,
      `${'━'.repeat(12)}${'┄'.repeat(12)}`,
      '━'.repeat(24),
    ]);
    expect(progressBar(0.5, 24, false)).toBe(`[${'#'.repeat(12)}${'-'.repeat(12)}]`);
    expect(statusLine({ text: 'x' }, { columns: 80, unicode: false, frame: 5, elapsedMs: 0 })).toBe('/ x');
  });

  test('has a plain form without anything that changes with the clock', () => {
    expect(plainProgress(progress)).toBe('importing, 50 %');
    expect(plainProgress({ text: 'checking' })).toBe('checking');
  });
});

describe('a run that another works for', () => {
  const restore = (change: Partial<WorkRun> = {}): WorkRun => ({
    ...{ kind: 'restore', version: 1, runId: 'a'.repeat(20), request: {}, jobs: {}, state: 'running', phase: 'apply' },
    ...{ createdAt: at(0).toISOString(), updatedAt: at(0).toISOString(), hub: 'default' },
    ...change,
  });
  const follower = runRecord({
    phase: 'job',
    jobs: { import: { ...job, progress: 25 } },
    updatedAt: at(59).toISOString(),
  });
  const shown = (record: WorkRun, by: RunRecord | undefined = follower) =>
    progressOf(record, { now: at(60), since, command, follower: by });

  test('moves as that one does', () => {
    expect(shown(restore())).toEqual({
      text: 'applying: importing about 2,475 of 9,900 lines',
      fraction: 0.25,
      pace: ['45/s', '2 min 45 s left'],
    });
    const backup = restore({ kind: 'backup', phase: 'verify' });
    expect(shown(restore({ kind: 'deleteAll', phase: 'export' }), backup).text).toBe('backing up: verifying');
  });

  test('stands still when that one does, and says first what a person has asked for', () => {
    expect(shown(restore(), { ...follower, updatedAt: at(0).toISOString() }).pace).toEqual([
      'nothing has moved for 1 min',
    ]);
    expect(shown(restore({ cancelRequestedAt: at(50).toISOString(), updatedAt: at(50).toISOString() }))).toEqual({
      text: 'cancelling',
    });
    expect(shown(restore({ suspendedAt: at(50).toISOString() })).text).toMatch(/^suspended/);
  });
});
