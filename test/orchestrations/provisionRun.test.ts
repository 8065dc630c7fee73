import { describe, expect, it } from 'vitest';

import { TURN_LIMITS } from '../../src/lib/turns/turnQueue.ts';
import { activityErrorText } from '../../src/orchestrations/activityErrorText.ts';
import { provisionJobStart, provisionJobWatch, watchDelaySeconds } from '../../src/orchestrations/provisionJob.ts';
import { provisionRun } from '../../src/orchestrations/provisionRun.ts';
import { provisionTurn } from '../../src/orchestrations/provisionTurn.ts';
import { drive, type ScriptedTask } from '../helpers/orchestration.ts';

const runId = '0123456789abcdef0123';
const ticket = { runId, droppedAt: '2026-11-20T01:59:00.000Z', name: 'a/devices.txt' };
const place = { hub: 'east', ticket, limits: TURN_LIMITS };
const left = [
  { entity: 'turn@east', operation: 'announce', input: ticket },
  { entity: 'turn@east', operation: 'leave', input: { runId } },
];

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
  readOptions: { status: 'ready', hub: 'east', ticket },
  checkFile: { next: 'job' },
  provisionTurn: { status: 'granted' },
  takePreImage: { status: 'ready' },
  fillLines: { status: 'ready' },
  provisionJobStart: { status: 'started' },
  provisionJobWatch: { ended: true },
  provisionAftermath: { state: 'completed' },
};

const names = (yields: readonly ScriptedTask[]) => yields.map(({ name }) => name);

describe('a step in which our own code fails', () => {
  it.each(['takePreImage', 'fillLines'])('ends the run at once, and gives up its turn (%s)', (name) => {
    const fault = { fault: 'HubKeeper itself failed (RangeError).' };
    const failRun = { state: 'failed' };
    const { yields, output, signals } = drive(provisionRun, { runId }, script({ ...straight, [name]: fault, failRun }));
    expect(yields.at(-1)).toMatchObject({ name: 'failRun', input: { runId, message: fault.fault } });
    expect(yields.filter((task) => task.name === name)).toHaveLength(1);
    expect(output).toEqual({ state: 'failed' });
    expect(signals).toEqual(left);
  });
});

describe('the orchestration of a run', () => {
  it('announces itself, goes straight from options over check, turn, pre-image and job to the settlement, and gives up its turn', () => {
    const { yields, output, statuses, signals } = drive(provisionRun, { runId }, script(straight));
    expect(names(yields)).toEqual([
      'readOptions',
      'checkFile',
      'provisionTurn',
      'takePreImage',
      'fillLines',
      'provisionJobStart',
      'any',
      'provisionAftermath',
    ]);
    expect(signals).toEqual(left);
    expect(output).toEqual({ state: 'completed' });
    expect(statuses).toEqual(['options', 'check', 'turn', 'preImage', 'job', 'settle'].map((phase) => ({ phase })));
  });

  it.each([
    ['options were read', { next: 'job' }],
    ['file was checked', { next: 'job', hub: 'east', ticket }],
  ])(
    'goes on, step by step as before, when it was begun by a version that named the place with the check, and its %s',
    (_what, checkFile) => {
      const readOptions = [{ status: 'ready' }, straight.readOptions];
      const { yields, output, signals } = drive(
        provisionRun,
        { runId },
        script({ ...straight, readOptions, checkFile }),
      );
      const asked = names(yields).filter((name) => name !== 'readOptions');
      expect(asked).toEqual([
        'checkFile',
        'provisionTurn',
        'takePreImage',
        'fillLines',
        'provisionJobStart',
        'any',
        'provisionAftermath',
      ]);
      // What is in its history already comes in the order of then: nothing new between the options and the check.
      expect(names(yields).slice(0, 2)).toEqual(['readOptions', 'checkFile']);
      expect(names(yields).filter((name) => name === 'readOptions')).toHaveLength('hub' in checkFile ? 1 : 2);
      expect(yields.find(({ name }) => name === 'provisionTurn')).toMatchObject({ input: { runId, place } });
      expect(signals).toEqual(left.slice(1));
      expect(output).toEqual({ state: 'completed' });
    },
  );

  it('waits for the folder to be quiet as long as the activity says', () => {
    const readOptions = [{ status: 'wait', seconds: 7 }, { status: 'wait', seconds: 2 }, straight.readOptions];
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

  it('starts over with a fresh history when the folder has not come to rest after fifty looks', () => {
    const answers = () => script({ ...straight, readOptions: { status: 'wait', seconds: 9 } });
    const first = drive(provisionRun, { runId, attempt: 2 }, answers());
    expect(first.yields.filter(({ name }) => name === 'readOptions')).toHaveLength(50);
    expect(first).toMatchObject({ continuedAsNew: { runId, attempt: 2 }, signals: [] });
    expect(first.output).toBeUndefined();
    expect(drive(provisionRun, { runId, attempt: 2 }, answers())).toEqual(first);
  });

  it.each([
    ['readOptions', { readOptions: { status: 'ended' } }, []],
    ['checkFile', { checkFile: { next: 'ended' } }, left],
    ['provisionTurn', { provisionTurn: { status: 'ended' } }, left],
    ['takePreImage', { takePreImage: { status: 'ended' } }, left],
    ['finishPreImage', { takePreImage: { status: 'export' }, finishPreImage: { status: 'ended' } }, left],
    ['fillLines', { fillLines: { status: 'ended' } }, left],
    ['provisionJobStart', { provisionJobStart: { status: 'ended' } }, left],
  ])('ends when %s has ended the run, and leaves the queue if it stood there', (last, change, expected) => {
    const { yields, output, signals } = drive(provisionRun, { runId }, script({ ...straight, ...change }));
    expect(names(yields).at(-1)).toBe(last);
    expect(output).toEqual({ state: 'ended' });
    expect(signals).toEqual(expected);
  });

  it('waits for its turn again when it has lost it before its job was started, and takes its pre-image anew', () => {
    const provisionJobStart = [{ status: 'turnLost' }, { status: 'started' }];
    const { yields } = drive(provisionRun, { runId, attempt: 3 }, script({ ...straight, provisionJobStart }));
    const epoch = ['provisionTurn', 'takePreImage', 'fillLines', 'provisionJobStart'];
    expect(names(yields).slice(2, 10)).toEqual([...epoch, ...epoch]);
    const epochs = yields
      .map(({ input }) => (input as { epoch?: string }).epoch)
      .filter((value) => value !== undefined);
    expect(epochs).toEqual(['3.1', '3.1', '3.1', '3.2', '3.2', '3.2']);
  });

  it('begins anew, too, when the turn is lost before the export of its pre-image was started', () => {
    const answers = { ...straight, takePreImage: { status: 'export' }, finishPreImage: { status: 'ready' } };
    const provisionJobStart = [{ status: 'turnLost' }, { status: 'started' }, { status: 'started' }];
    const { yields } = drive(provisionRun, { runId }, script({ ...answers, provisionJobStart }));
    expect(names(yields).slice(2, 11)).toEqual([
      'provisionTurn',
      'takePreImage',
      'provisionJobStart',
      'provisionTurn',
      'takePreImage',
      'provisionJobStart',
      'provisionJobWatch',
      'finishPreImage',
      'fillLines',
    ]);
    expect(yields[10]).toMatchObject({ name: 'fillLines', input: { runId, epoch: '1.2' } });
  });

  it('started again after its orchestration was lost, goes on with the job that it has, and has children of its own', () => {
    const provisionTurn = { status: 'jobStarted' };
    const { yields } = drive(provisionRun, { runId, attempt: 2 }, script({ ...straight, provisionTurn }));
    expect(names(yields)).toEqual(['readOptions', 'checkFile', 'provisionTurn', 'any', 'provisionAftermath']);
    expect(yields[2]).toMatchObject({ instanceId: `${runId}-turn-2`, input: { runId, place } });
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
      ['provisionTurn', undefined],
      ['takePreImage', undefined],
      ['provisionJobStart', 'export'],
      ['provisionJobWatch', 'export'],
      ['finishPreImage', undefined],
      ['fillLines', undefined],
      ['provisionJobStart', 'import'],
      ['any', undefined],
      ['provisionAftermath', undefined],
    ]);
    expect(output).toEqual({ state: 'completed' });
  });

  it('on a cancel asks the hub, and still waits for the job to end before it settles', () => {
    const { yields, signals } = drive(
      provisionRun,
      { runId },
      script({ ...straight, any: 'event', cancelJob: { asked: true } }),
    );
    expect(signals).toEqual(left);
    expect(names(yields)).toEqual([
      'readOptions',
      'checkFile',
      'provisionTurn',
      'takePreImage',
      'fillLines',
      'provisionJobStart',
      'any',
      'cancelJob',
      'provisionJobWatch',
      'provisionAftermath',
    ]);
  });

  it('watches the job on when the watch was lost before the job had ended', () => {
    const provisionAftermath = [{ state: 'notEnded' }, { state: 'completed' }];
    const { yields, output } = drive(provisionRun, { runId }, script({ ...straight, provisionAftermath }));
    expect(names(yields).slice(-5)).toEqual(['any', 'provisionAftermath', 'timer', 'any', 'provisionAftermath']);
    expect(output).toEqual({ state: 'completed' });
  });

  it('settles after a cancel even when the watch fails', () => {
    const provisionJobWatch = new Error('the watch failed');
    const answers = { ...straight, any: 'event', cancelJob: { asked: true }, provisionJobWatch };
    expect(names(drive(provisionRun, { runId }, script(answers)).yields).at(-1)).toBe('provisionAftermath');
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

  it('gives up its turn too when a later step failed, even if it cannot be marked failed', () => {
    const provisionAftermath = new Error("Activity function 'provisionAftermath' failed: storage is away");
    const failed = drive(
      provisionRun,
      { runId },
      script({ ...straight, provisionAftermath, failRun: { state: 'failed' } }),
    );
    expect(failed).toMatchObject({ output: { state: 'failed' }, signals: left });
    const broken = drive(
      provisionRun,
      { runId },
      script({ ...straight, provisionAftermath, failRun: provisionAftermath }),
    );
    expect(broken).toMatchObject({ output: { state: 'failed' }, signals: left });
  });

  it('yields the same tasks when it is replayed with the same answers', () => {
    const first = drive(provisionRun, { runId }, script(straight));
    const second = drive(provisionRun, { runId }, script(straight));
    expect(second).toEqual(first);
  });
});

describe('the orchestration of a dry run', () => {
  const dry = {
    ...straight,
    checkFile: { next: 'plan' },
    planRun: { state: 'completed' },
    finishPreImage: { status: 'ready' },
  };

  it('needs no turn for what is read one by one, and ends with the plan', () => {
    const { yields, output, statuses } = drive(provisionRun, { runId }, script(dry));
    expect(names(yields)).toEqual(['readOptions', 'checkFile', 'takePreImage', 'planRun']);
    expect(yields.slice(2).map(({ input }) => input)).toEqual([
      { runId, epoch: '1.1' },
      { runId, epoch: '1.1' },
    ]);
    expect(statuses).toEqual(['options', 'check', 'preImage', 'report'].map((phase) => ({ phase })));
    expect(output).toEqual({ state: 'completed' });
  });

  it('takes the turn for an export, and gives it up before the file is compared', () => {
    const { yields, signals } = drive(provisionRun, { runId }, script({ ...dry, takePreImage: { status: 'export' } }));
    expect(names(yields)).toEqual([
      'readOptions',
      'checkFile',
      'takePreImage',
      'provisionTurn',
      'provisionJobStart',
      'provisionJobWatch',
      'finishPreImage',
      'planRun',
    ]);
    // Once more at its end, as every run does.
    expect(signals).toEqual([...left, ...left.slice(1)]);
    const failing = { ...dry, takePreImage: { status: 'export' }, planRun: new Error('storage is away') };
    const failed = drive(provisionRun, { runId }, script({ ...failing, failRun: { state: 'failed' } }));
    expect(names(failed.yields).at(-1)).toBe('failRun');
    expect(failed.output).toEqual({ state: 'failed' });
  });

  it('begins anew when the turn is lost before the export was started', () => {
    const provisionJobStart = [{ status: 'turnLost' }, { status: 'started' }];
    const answers = { ...dry, takePreImage: { status: 'export' }, provisionJobStart };
    const { yields } = drive(provisionRun, { runId, attempt: 2 }, script(answers));
    const epoch = ['takePreImage', 'provisionTurn', 'provisionJobStart'];
    expect(names(yields).slice(2)).toEqual([...epoch, ...epoch, 'provisionJobWatch', 'finishPreImage', 'planRun']);
    expect(yields.at(-1)?.input).toEqual({ runId, epoch: '2.2' });
  });

  it.each([
    ['takePreImage', { takePreImage: { status: 'ended' } }],
    ['provisionTurn', { takePreImage: { status: 'export' }, provisionTurn: { status: 'ended' } }],
    ['provisionJobStart', { takePreImage: { status: 'export' }, provisionJobStart: { status: 'ended' } }],
    ['finishPreImage', { takePreImage: { status: 'export' }, finishPreImage: { status: 'ended' } }],
  ])('ends when %s has ended the run', (last, change) => {
    const { yields, output, signals } = drive(provisionRun, { runId }, script({ ...dry, ...change }));
    expect(names(yields).at(-1)).toBe(last);
    expect(output).toEqual({ state: 'ended' });
    expect(signals).toEqual(left);
  });
});

describe('the wait for the turn', () => {
  const input = { runId, place };
  const pausesOf = (yields: readonly ScriptedTask[]) => {
    const timers = yields.filter(({ kind }) => kind === 'timer').map(({ input: at }) => Number(at));
    return timers.map((at, i) => (at - (timers[i - 1] ?? Date.parse('2026-11-20T02:00:00Z'))) / 1000);
  };
  const behind = (position: number, silentHolder?: string) => ({
    granted: false,
    position,
    ...(silentHolder === undefined ? {} : { silentHolder }),
  });
  const wait = { status: 'wait', evict: false };

  it('is over at once when the turn is granted', () => {
    const { yields, output } = drive(provisionTurn, input, script({ poll: { granted: true } }));
    expect(yields).toEqual([
      { kind: 'entity', name: 'poll', entity: 'turn@east', input: { ...ticket, limits: TURN_LIMITS } },
    ]);
    expect(output).toEqual({ status: 'granted' });
  });

  it('asks the less often the further behind it is, every second when it is next, and tells how many are ahead', () => {
    const poll = [...[40, 16, 15, 5, 3, 2, 1, 1].map((position) => behind(position)), { granted: true }];
    const { yields, output } = drive(provisionTurn, input, script({ poll, awaitTurn: wait }));
    expect(names(yields).slice(0, 6)).toEqual(['poll', 'awaitTurn', 'timer', 'poll', 'awaitTurn', 'timer']);
    expect(pausesOf(yields)).toEqual([30, 30, 29, 9, 5, 3, 1, 1]);
    expect(yields.filter(({ name }) => name === 'awaitTurn').at(-1)?.input).toEqual({ runId, position: 1 });
    expect(output).toEqual({ status: 'granted' });
  });

  it('asks less and less often the longer nothing moves, at least twice a minute, and more often again once it does', () => {
    const asked = { runId, place, standing: { position: 1, since: Date.parse('2026-11-20T01:59:00Z') } };
    const poll = [...Array.from({ length: 20 }, () => behind(1)), behind(2), behind(1), { granted: true }];
    const pauses = pausesOf(drive(provisionTurn, asked, script({ poll, awaitTurn: wait })).yields);
    expect(pauses.slice(0, 3)).toEqual([6, 6.6, 7.26]);
    expect(pauses.slice(-4)).toEqual([30, 30, 3, 1]);
  });

  it('asks again once its time of grace is over, and bothers nobody, when it has only just come', () => {
    const poll = [{ ...behind(0), graceLeftMs: 400 }, { ...behind(0), graceLeftMs: 3 }, behind(0), { granted: true }];
    const { yields } = drive(provisionTurn, input, script({ poll }));
    expect(names(yields)).toEqual(['poll', 'timer', 'poll', 'timer', 'poll', 'timer', 'poll']);
    expect(pausesOf(yields)).toEqual([0.4, 0.1, 2]);
  });

  it('takes the turn from a silent holder that was found dead, and from no other', () => {
    const poll = [behind(1, 'gone'), behind(1, 'gone'), { granted: true }];
    const awaitTurn = [wait, { status: 'wait', evict: true }];
    const { yields } = drive(provisionTurn, input, script({ poll, awaitTurn, evict: { evicted: true } }));
    expect(names(yields)).toEqual(['poll', 'awaitTurn', 'timer', 'poll', 'awaitTurn', 'evict', 'poll']);
    expect(yields[1]?.input).toEqual({ runId, position: 1, silentHolder: 'gone' });
    expect(yields[5]).toMatchObject({ entity: 'turn@east', input: { runId: 'gone', limits: TURN_LIMITS } });
  });

  it.each(['ended', 'jobStarted'] as const)('is over when the look around says %s', (status) => {
    const { output } = drive(provisionTurn, input, script({ poll: behind(1), awaitTurn: { status } }));
    expect(output).toEqual({ status });
  });

  it('starts over with a fresh history after fifty questions, the same in every replay', () => {
    const answers = () => script({ poll: behind(3), awaitTurn: wait });
    const first = drive(provisionTurn, input, answers());
    const standing = { position: 3, since: Date.parse('2026-11-20T02:00:00Z') };
    expect(first.continuedAsNew).toEqual({ runId, place, standing });
    expect(first.output).toBeUndefined();
    expect(drive(provisionTurn, input, answers())).toEqual(first);
  });

  it('fails by name when the queue gives an answer that cannot be understood', () => {
    const { error } = drive(provisionTurn, input, script({ poll: { error: 'no such operation' } }));
    expect(String(error)).toContain('The queue of the hub "east"');
  });
});

describe('the start of the job', () => {
  const input = { runId, kind: 'import', epoch: '1.1', place, tries: 0 };

  it('waits between tries, keeps the turn, and starts over with a fresh history after fifty', () => {
    const answers = { poll: { granted: true }, startJob: { status: 'wait', seconds: 5 } };
    const busy = drive(provisionJobStart, input, script(answers));
    expect(names(busy.yields).slice(0, 4)).toEqual(['poll', 'startJob', 'timer', 'poll']);
    expect(busy.yields.filter(({ name }) => name === 'startJob')).toHaveLength(50);
    expect(busy.continuedAsNew).toEqual({ runId, kind: 'import', epoch: '1.1', place, tries: 50 });
  });

  it.each(['started', 'ended'] as const)('tells that the run has %s', (status) => {
    const answers = { poll: { granted: true }, startJob: { status } };
    expect(drive(provisionJobStart, input, script(answers)).output).toEqual({ status });
  });

  it('starts nothing once the turn is lost', () => {
    const { yields, output } = drive(provisionJobStart, input, script({ poll: { granted: false, position: 1 } }));
    expect(names(yields)).toEqual(['poll']);
    expect(output).toEqual({ status: 'turnLost' });
  });
});

describe('the watch over the job', () => {
  it('looks until the job has ended, and keeps the turn with each look', () => {
    const watchJob = [{ ended: false }, { ended: false }, { ended: true }];
    const { yields, output } = drive(
      provisionJobWatch,
      { runId, kind: 'import', epoch: '1.1', place, since: Date.parse('2026-11-20T02:00:00Z') },
      script({ poll: { granted: true }, watchJob }),
    );
    const look = ['timer', 'poll', 'watchJob'];
    expect(names(yields)).toEqual([...look, ...look, ...look]);
    expect(output).toEqual({ ended: true });
  });

  it('goes by the age of the job in a fresh history too', () => {
    const since = Date.parse('2026-11-20T02:00:00Z');
    const { continuedAsNew } = drive(
      provisionJobWatch,
      { runId, kind: 'import', epoch: '1.1', place, since },
      // Whoever has the turn by now: the job runs, and is watched to its end.
      script({ poll: { granted: false, position: 1 }, watchJob: { ended: false } }),
    );
    expect(continuedAsNew).toEqual({ runId, kind: 'import', epoch: '1.1', place, since });
  });

  it.each([
    { elapsedMs: 0, seconds: 1 },
    { elapsedMs: 0, seconds: 1 },
    { elapsedMs: 1_000, seconds: 0.5 },
    { elapsedMs: 2_000, seconds: 0.5 },
    { elapsedMs: 2_000, progress: 85, seconds: (2 * 15) / 85 },
    { elapsedMs: 2_000, progress: 99, seconds: 0.25 },
    { elapsedMs: 2_000, progress: 100, seconds: 0.5 },
    { elapsedMs: 40_000, progress: 10, seconds: 5 },
    { elapsedMs: 40_000, progress: 99, seconds: 2.5 },
    { elapsedMs: 4_000, seconds: 0.5 },
    { elapsedMs: 40_000, seconds: 5 },
    { elapsedMs: 600_000, seconds: 60 },
    { elapsedMs: 3_600_001, seconds: 300 },
  ])('looks again after $seconds s at $elapsedMs ms, $progress %', ({ elapsedMs, progress, seconds }) => {
    expect(watchDelaySeconds(elapsedMs, progress)).toBe(seconds);
  });

  it('sees the end of a job within an eighth of its time, or half a second, and looks less than 60 times in ten minutes', () => {
    let looks = 0;
    for (let at = 0; at < 600_000; looks++) {
      const next = at + watchDelaySeconds(at) * 1000;
      if (at > 2_000) expect(next - at).toBeLessThanOrEqual(Math.max(500, at / 8) + 0.001);
      at = next;
    }
    expect(looks).toBeLessThan(60);
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
