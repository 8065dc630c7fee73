import { describe, expect, test } from 'vitest';

import { renderStillness, stillnessOf } from '../../../cli/render/stillness.ts';
import type { ProvisionRun } from '../../../src/lib/provisioning/run/provisionRun.ts';
import { runRecord } from '../records.ts';

const since = new Date('2026-11-20T10:00:00.000Z');
const moved = runRecord().updatedAt;
const after = (seconds: number) => new Date(Date.parse(moved) + seconds * 1000);
const job = { jobId: 'j', status: 'enqueued', progress: 0, createdAt: moved, deadline: after(7200).toISOString() };
const waiting = (kind: 'busy' | 'trouble' | 'turn') => ({ since: moved, kind, reason: 'the reason' });

describe('a run stands still', () => {
  test.each<[string, ProvisionRun | undefined, number, object | undefined]>([
    ['not yet after 29 s', runRecord(), 29, undefined],
    ['after 30 s', runRecord(), 30, { since: moved, seconds: 30 }],
    [
      'after 2 min 10 s, and it is too early to worry',
      runRecord({ phase: 'job', jobs: { import: job } }),
      130,
      { seconds: 130 },
    ],
    ['with an app that may be down', runRecord(), 180, { hint: expect.stringContaining('The app may be down') }],
    [
      'with a job of the hub that has not ended',
      runRecord({ phase: 'job', jobs: { import: job } }),
      180,
      { hint: expect.stringContaining('The hub may be at its job still') },
    ],
    [
      'with one that has ended',
      runRecord({ phase: 'settle', jobs: { import: { ...job, status: 'completed' } } }),
      180,
      { hint: expect.stringContaining('The app may be down') },
    ],
    ['while a hub is busy, which it says', runRecord({ waiting: waiting('busy') }), 600, { seconds: 600 }],
    ['while there is trouble, which it says', runRecord({ waiting: waiting('trouble') }), 600, { seconds: 600 }],
    ['never while it waits for other runs', runRecord({ waiting: waiting('turn') }), 600, undefined],
    ['never while it is suspended', runRecord({ suspendedAt: moved }), 600, undefined],
    ['never when it has ended', runRecord({ state: 'completed', finishedAt: moved }), 600, undefined],
    ['with a time that cannot be read', runRecord({ updatedAt: 'soon' }), 600, undefined],
  ])('%s', (_name, record, seconds, expected) => {
    const stillness = stillnessOf(record, after(seconds), since);
    if (expected === undefined) expect(stillness).toBeUndefined();
    else expect(stillness).toMatchObject(expected);
    if (seconds < 180 || record?.waiting !== undefined) expect(stillness?.hint).toBeUndefined();
  });

  test('from when it was dropped, while the app has not noticed it', () => {
    const at = (seconds: number) => new Date(since.getTime() + seconds * 1000);
    expect(stillnessOf(undefined, at(29), since)).toBeUndefined();
    expect(stillnessOf(undefined, at(200), since)).toEqual({
      since: since.toISOString(),
      seconds: 200,
      hint: expect.stringContaining('The app may not be running'),
    });
  });
});

test('it is told in a sentence, with the cause once there is one, as wide as the terminal', () => {
  expect(renderStillness(undefined, 80)).toEqual([]);
  expect(renderStillness({ since: moved, seconds: 130 }, 80)).toEqual(['', '  Nothing has moved for 2 min 10 s.']);
  const lines = renderStillness(stillnessOf(runRecord(), after(300), since), 60);
  expect(lines[1]).toMatch(/^ {2}Nothing has moved for 5 min\. The app may be down/);
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(60);
});
