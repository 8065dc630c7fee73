import { describe, expect, it } from 'vitest';

import { activityErrorText } from '../../src/orchestrations/activityErrorText.ts';
import { provisionJobStart, provisionJobWatch, watchDelaySeconds } from '../../src/orchestrations/provisionJob.ts';
import { provisionRun } from '../../src/orchestrations/provisionRun.ts';
import { drive, type ScriptedTask } from '../helpers/orchestration.ts';

const runId = '0123456789abcdef0123';

/** Answers by the name of the activity or orchestration; a list is used up one by one. */
function script(answers: Record<string, unknown | unknown[]>) {
  const queues = new Map(
    Object.entries(answers).map(([name, value]) => [name, Array.isArray(value) ? [...value] : value]),
  );
  return (task: ScriptedTask): unknown => {
    if (task.kind === 'timer') return undefined;
    if (task.kind === 'any') {
      const tasks = task.input as ScriptedTask[];
      const wanted = queues.get('any') ?? 'sub';
      return tasks.find(({ kind }) => kind === wanted);
    }
    const value = queues.get(task.name);
    if (Array.isArray(value)) return value.shift();
    return value;
  };
}

const straight = {
  readOptions: { status: 'ready' },
  checkFile: { next: 'job' },
  takePreImage: { status: 'ready' },
  fillLines: { status: 'ready' },
  provisionJobStart: { status: 'started' },
  provisionJobWatch: { ended: true },
  settleRun: { state: 'completed' },
};

const names = (yields: readonly ScriptedTask[]) => yields.map(({ name }) => name);

describe('the orchestration of a run', () => {
  it('goes straight from options over check and job to the settlement', () => {
    const { yields, output, statuses } = drive(provisionRun, { runId }, script(straight));
    expect(names(yields)).toEqual([
      'readOptions',
      'checkFile',
      'takePreImage',
      'fillLines',
      'provisionJobStart',
      'any',
      'settleRun',
    ]);
    expect(output).toEqual({ state: 'completed' });
    expect(statuses).toEqual(['options', 'check', 'preImage', 'turn', 'job', 'settle'].map((phase) => ({ phase })));
  });

  it('waits for the folder to be quiet as long as the activity says', () => {
    const readOptions = [{ status: 'wait', seconds: 7 }, { status: 'wait', seconds: 2 }, { status: 'ready' }];
    const { yields } = drive(provisionRun, { runId }, script({ ...straight, readOptions }));
    expect(names(yields).slice(0, 6)).toEqual([
      'readOptions',
      'timer',
      'readOptions',
      'timer',
      'readOptions',
      'checkFile',
    ]);
  });

  it.each([
    ['readOptions', { readOptions: { status: 'ended' } }],
    ['checkFile', { checkFile: { next: 'ended' } }],
    ['takePreImage', { takePreImage: { status: 'ended' } }],
    ['finishPreImage', { takePreImage: { status: 'export' }, finishPreImage: { status: 'ended' } }],
    ['fillLines', { fillLines: { status: 'ended' } }],
    ['provisionJobStart', { provisionJobStart: { status: 'ended' } }],
  ])('ends when %s has ended the run', (last, change) => {
    const { yields, output } = drive(provisionRun, { runId }, script({ ...straight, ...change }));
    expect(names(yields).at(-1)).toBe(last);
    expect(output).toEqual({ state: 'ended' });
  });

  it('takes the pre-image of a large file by an export, which it starts and watches like the import', () => {
    const { yields, output } = drive(
      provisionRun,
      { runId },
      script({ ...straight, takePreImage: { status: 'export' }, finishPreImage: { status: 'ready' } }),
    );
    expect(yields.map(({ name, input }) => [name, (input as { kind?: string }).kind])).toEqual([
      ['readOptions', undefined],
      ['checkFile', undefined],
      ['takePreImage', undefined],
      ['provisionJobStart', 'export'],
      ['provisionJobWatch', 'export'],
      ['finishPreImage', undefined],
      ['fillLines', undefined],
      ['provisionJobStart', 'import'],
      ['any', undefined],
      ['settleRun', undefined],
    ]);
    expect(output).toEqual({ state: 'completed' });
  });

  it('on a cancel asks the hub, and still waits for the job to end before it settles', () => {
    const { yields } = drive(
      provisionRun,
      { runId },
      script({ ...straight, any: 'event', cancelJob: { asked: true } }),
    );
    expect(names(yields)).toEqual([
      'readOptions',
      'checkFile',
      'takePreImage',
      'fillLines',
      'provisionJobStart',
      'any',
      'cancelJob',
      'provisionJobWatch',
      'settleRun',
    ]);
  });

  it('watches the job on when the watch was lost before the job had ended', () => {
    const settleRun = [{ state: 'notEnded' }, { state: 'completed' }];
    const { yields, output } = drive(provisionRun, { runId }, script({ ...straight, settleRun }));
    expect(names(yields).slice(-5)).toEqual(['any', 'settleRun', 'timer', 'any', 'settleRun']);
    expect(output).toEqual({ state: 'completed' });
  });

  it('settles after a cancel even when the watch fails', () => {
    const provisionJobWatch = new Error('the watch failed');
    const answers = { ...straight, any: 'event', cancelJob: { asked: true }, provisionJobWatch };
    expect(names(drive(provisionRun, { runId }, script(answers)).yields).at(-1)).toBe('settleRun');
  });

  it('marks the run failed when a step failed after all its tries', () => {
    const checkFile = new Error('Activity function \'checkFile\' failed: storage is away \n {"details":1}');
    const { yields, output } = drive(
      provisionRun,
      { runId },
      script({ ...straight, checkFile, failRun: { state: 'failed' } }),
    );
    expect(yields.at(-1)).toMatchObject({ name: 'failRun', input: { runId, message: 'storage is away' } });
    expect(output).toEqual({ state: 'failed' });
  });

  it('yields the same tasks when it is replayed with the same answers', () => {
    const first = drive(provisionRun, { runId }, script(straight));
    const second = drive(provisionRun, { runId }, script(straight));
    expect(second.yields).toEqual(first.yields);
  });
});

describe('the start of the job', () => {
  it('waits between tries, and starts over with a fresh history after fifty', () => {
    const busy = drive(
      provisionJobStart,
      { runId, kind: 'import', tries: 0 },
      script({ startJob: { status: 'wait', seconds: 5 } }),
    );
    expect(busy.yields.filter(({ name }) => name === 'startJob')).toHaveLength(50);
    expect(busy.continuedAsNew).toEqual({ runId, kind: 'import', tries: 50 });
  });

  it.each(['started', 'ended'] as const)('tells that the run has %s', (status) => {
    expect(
      drive(provisionJobStart, { runId, kind: 'import', tries: 0 }, script({ startJob: { status } })).output,
    ).toEqual({ status });
  });
});

describe('the watch over the job', () => {
  it('looks until the job has ended', () => {
    const watchJob = [{ ended: false }, { ended: false }, { ended: true }];
    const { yields, output } = drive(
      provisionJobWatch,
      { runId, kind: 'import', polls: 0, since: Date.parse('2026-11-20T02:00:00Z') },
      script({ watchJob }),
    );
    expect(names(yields)).toEqual(['timer', 'watchJob', 'timer', 'watchJob', 'timer', 'watchJob']);
    expect(output).toEqual({ ended: true });
  });

  it('carries its count over into a fresh history', () => {
    const since = Date.parse('2026-11-20T02:00:00Z');
    const { continuedAsNew } = drive(
      provisionJobWatch,
      { runId, kind: 'import', polls: 50, since },
      script({ watchJob: { ended: false } }),
    );
    expect(continuedAsNew).toEqual({ runId, kind: 'import', polls: 100, since });
  });

  it.each([
    { polls: 0, elapsedMs: 0, seconds: 2 },
    { polls: 1, elapsedMs: 2_000, seconds: 3 },
    { polls: 12, elapsedMs: 600_000, seconds: 60 },
    { polls: 80, elapsedMs: 3_600_001, seconds: 300 },
  ])('looks every $seconds s after $polls looks and $elapsedMs ms', ({ polls, elapsedMs, seconds }) => {
    expect(watchDelaySeconds(polls, elapsedMs)).toBe(seconds);
  });
});

describe('the text of a failed activity', () => {
  it.each([
    ['Activity function \'x\' failed: it broke \n {"a":1}', 'it broke'],
    ["Activity function 'x' failed: Result: Failure\nException: it broke\nStack: at y", 'it broke'],
    ['something else', 'something else'],
  ])('%j is %j', (text, expected) => {
    expect(activityErrorText(new Error(text))).toBe(expected);
  });
});
