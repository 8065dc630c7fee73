import { describe, expect, it } from 'vitest';

import { FLOW, type StepName } from '../../src/lib/provisioning/steps/flow.ts';
import type { Step } from '../../src/lib/runs/step.ts';
import { TURN_LIMITS } from '../../src/lib/turns/turnQueue.ts';
import { activityErrorText } from '../../src/orchestrations/activityErrorText.ts';
import { type RunInput, run, STEPS_A_HISTORY } from '../../src/orchestrations/run.ts';
import { superseded } from '../../src/orchestrations/superseded.ts';
import { type DriveResult, drive, type ScriptedTask } from '../helpers/orchestration.ts';

const runId = '0123456789abcdef0123';
const ticket = { runId, droppedAt: '2026-11-20T01:59:00.000Z', name: 'a/devices.txt' };
const place = { hub: 'east', ticket, limits: TURN_LIMITS };
const left = [
  { entity: 'turn@east', operation: 'announce', input: ticket },
  { entity: 'turn@east', operation: 'leave', input: { runId } },
];

type Answers = Readonly<Record<string, unknown>>;

/** An answer that is a step as it is, not the result of an activity. */
class AsStep {
  readonly step: Step;
  constructor(step: Step) {
    this.step = step;
  }
}

/**
 * Answers activities by their name, as the activities of provisioning do: what they find, made into a step. A list is used
 * up one by one. Of a timer and the event to wake, `wakes` says which comes first.
 */
function script(answers: Answers, wakes: readonly boolean[] = []) {
  const queues = new Map(
    Object.entries(answers).map(([name, value]) => [name, Array.isArray(value) ? [...value] : value]),
  );
  const races = [...wakes];
  return (task: ScriptedTask, _index: number, now: number): unknown => {
    if (task.kind === 'timer' || task.kind === 'all') return undefined;
    if (task.kind === 'any') {
      const wanted = races.shift() ? 'event' : 'timer';
      return (task.input as ScriptedTask[]).find(({ kind }) => kind === wanted);
    }
    const queue = queues.get(task.name);
    const value = Array.isArray(queue) ? queue.shift() : queue;
    if (value === undefined) throw new Error(`not expected: ${task.name}`);
    if (value instanceof AsStep) return value.step;
    const flow = FLOW[task.name as StepName] as ((...all: unknown[]) => unknown) | undefined;
    if (task.kind !== 'activity' || flow === undefined || value instanceof Error) return value;
    return 'fault' in (value as object) ? value : flow(value, task.input, now);
  };
}

const go = (answers: Answers, input: Partial<RunInput> = {}, wakes: readonly boolean[] = []): DriveResult =>
  drive(run, { runId, ...input }, script({ ...straight, ...answers }, wakes));

const straight = {
  poll: { granted: true },
  readOptions: { status: 'ready', hub: 'east', ticket },
  checkFile: { next: 'job' },
  takePreImage: { status: 'ready' },
  fillLines: { status: 'ready' },
  startJob: { status: 'started' },
  watchJob: { ended: true },
  followUp: { do: 'settle' },
  settleRun: { state: 'completed' },
  failRun: { state: 'failed' },
};

const names = ({ yields }: DriveResult) => yields.map(({ name }) => name);
/** Without what is asked of the queue, and without waits. */
const activities = ({ yields }: DriveResult) =>
  yields.filter(({ kind }) => kind === 'activity').map(({ name }) => name);
const inputsOf = ({ yields }: DriveResult, name: string) =>
  yields.filter((task) => task.name === name).map(({ input }) => input as Record<string, unknown>);
/** Seconds of each wait for which the run can be woken. */
const waits = ({ yields }: DriveResult) => {
  let clock = Date.parse('2026-11-20T02:00:00Z');
  return yields.flatMap((task) => {
    const timer = task.kind === 'any' ? (task.input as ScriptedTask[])[0] : task.kind === 'timer' ? task : undefined;
    if (timer === undefined) return [];
    const seconds = (Number(timer.input) - clock) / 1000;
    clock = Number(timer.input);
    return [Math.round(seconds * 1000) / 1000];
  });
};

describe('the orchestration of a run', () => {
  it('announces itself, goes straight from options over check, turn, pre-image and job to the report, and gives up its turn', () => {
    const result = go({});
    expect(names(result)).toEqual([
      'readOptions',
      'checkFile',
      'poll',
      'takePreImage',
      'fillLines',
      'poll',
      'startJob',
      'any',
      'poll',
      'watchJob',
      'poll',
      'followUp',
      'settleRun',
    ]);
    expect(result).toMatchObject({ signals: left, output: { state: 'completed' } });
    expect(result.statuses).toEqual(activities(result).map((step) => ({ step })));
  });

  it('yields the same tasks when it is replayed with the same answers', () => {
    expect(go({})).toEqual(go({}));
  });

  it('waits for the folder to be quiet as long as the activity says, and never longer than 30 s at a time', () => {
    const readOptions = [{ status: 'wait', seconds: 7 }, { status: 'wait', seconds: 90 }, straight.readOptions];
    const result = go({ readOptions });
    expect(names(result).slice(0, 6)).toEqual(['readOptions', 'any', 'readOptions', 'any', 'readOptions', 'checkFile']);
    expect(waits(result).slice(0, 2)).toEqual([7, 30]);
  });

  it.each([
    ['readOptions', { readOptions: { status: 'ended' } }, []],
    ['checkFile', { checkFile: { next: 'ended' } }, left],
    ['awaitTurn', { poll: { granted: false, position: 1 }, awaitTurn: { status: 'ended' } }, left],
    ['takePreImage', { takePreImage: { status: 'ended' } }, left],
    ['finishPreImage', { takePreImage: { status: 'export' }, finishPreImage: { status: 'ended' } }, left],
    ['fillLines', { fillLines: { status: 'ended' } }, left],
    ['startJob', { startJob: { status: 'ended' } }, left],
    ['followUp', { followUp: { do: 'ended' } }, left],
  ])('ends when %s has ended the run, and leaves the queue if it stood there', (last, change, expected) => {
    const result = go(change);
    expect(names(result).at(-1)).toBe(last);
    expect(result).toMatchObject({ output: { state: 'ended' }, signals: expected });
  });

  it('takes the pre-image of a large file by an export, which it starts and watches like the import', () => {
    const result = go({
      takePreImage: { status: 'export' },
      finishPreImage: [{ status: 'wait' }, { status: 'ready' }],
    });
    expect(activities(result)).toEqual([
      'readOptions',
      'checkFile',
      'takePreImage',
      'startJob',
      'watchJob',
      'finishPreImage',
      'watchJob',
      'finishPreImage',
      'fillLines',
      'startJob',
      'watchJob',
      'followUp',
      'settleRun',
    ]);
    expect(inputsOf(result, 'startJob').map(({ kind }) => kind)).toEqual(['export', 'import']);
    expect(inputsOf(result, 'watchJob').map(({ kind }) => kind)).toEqual(['export', 'export', 'import']);
  });

  it.each([
    [
      'has lost its turn before its job was started',
      { poll: [{ granted: true }, { granted: false, position: 1 }, ...Array(9).fill({ granted: true })] },
    ],
    ['has lost what it had prepared', { fillLines: [{ status: 'anew' }, { status: 'ready' }] }],
    ['has lost what its job was to read', { startJob: [{ status: 'anew' }, { status: 'started' }] }],
  ])('takes its turn and its pre-image anew when it %s, in an epoch of its own', (_what, change) => {
    const result = go(change, { attempt: 3 });
    expect(inputsOf(result, 'takePreImage')).toEqual([
      { runId, epoch: '3.1' },
      { runId, epoch: '3.2' },
    ]);
    expect(inputsOf(result, 'startJob').at(-1)).toMatchObject({ epoch: '3.2', kind: 'import' });
    expect(result.output).toEqual({ state: 'completed' });
  });

  it('needs no turn any more when its job was started by an orchestration that was lost', () => {
    const poll = [{ granted: false, position: 1 }, ...Array(9).fill({ granted: true })];
    const result = go({ poll, awaitTurn: { status: 'jobStarted' } }, { attempt: 2 });
    expect(activities(result)).toEqual(['readOptions', 'checkFile', 'awaitTurn', 'watchJob', 'followUp', 'settleRun']);
  });

  it('tries to start a job later and later, and keeps its turn meanwhile', () => {
    const startJob = [...Array(5).fill({ status: 'wait', seconds: 5 }), { status: 'started' }];
    const result = go({ startJob });
    expect(inputsOf(result, 'startJob').map(({ tries }) => tries)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(waits(result).slice(0, 5)).toEqual([5, 5, 5, 7, 10]);
    const asked = names(result);
    expect(asked.slice(asked.indexOf('startJob') - 1).filter((name) => name === 'poll').length).toBeGreaterThan(5);
  });

  it('watches its job on when that turns out not to have ended', () => {
    const twice = go({
      followUp: [{ do: 'notEnded' }, { do: 'settle' }, { do: 'settle' }],
      settleRun: [{ state: 'notEnded' }, { state: 'completed' }],
    });
    expect(activities(twice).slice(-7)).toEqual([
      'followUp',
      'watchJob',
      'followUp',
      'settleRun',
      'watchJob',
      'followUp',
      'settleRun',
    ]);
  });

  it.each([
    ['by trouble', new Error("Activity function 'watchJob' failed: storage is away")],
    ['by a fault of our own', { fault: 'HubKeeper itself failed (RangeError).' }],
  ])('outlives a watch of its jobs that fails %s: the jobs go on, and are watched again', (_what, lost) => {
    const ended = { ended: true };
    const result = go({
      takePreImage: { status: 'export' },
      finishPreImage: [{ status: 'wait' }, { status: 'ready' }],
      watchJob: [lost, ended, lost, ended],
      followUp: [{ do: 'notEnded' }, { do: 'settle' }],
    });
    expect(activities(result).slice(3)).toEqual([
      ...['startJob', 'watchJob', 'finishPreImage', 'watchJob', 'finishPreImage', 'fillLines'],
      ...['startJob', 'watchJob', 'followUp', 'watchJob', 'followUp', 'settleRun'],
    ]);
    expect(result.output).toEqual({ state: 'completed' });
  });

  it('has lanes send the lines of a wave, and tells the next step which it was', () => {
    const work = { wave: 'devices', chunks: 5, width: 2, grant: 500, itemsPerMinute: 5_000 };
    const result = go({ followUp: [{ do: 'work', ...work }, { do: 'settle' }] });
    const lanes = result.yields.find(({ kind }) => kind === 'all')?.input as ScriptedTask[];
    expect(lanes.map(({ name, input }) => [name, (input as { now: number[] }).now])).toEqual([
      ['lane', [0, 2, 4]],
      ['lane', [1, 3]],
    ]);
    expect(inputsOf(result, 'followUp').map(({ finished }) => finished)).toEqual([undefined, 'devices']);
  });

  it('starts a job that follows the import and watches it; one that cannot be started is not watched', () => {
    const followUp = [{ do: 'job', kind: 'verify' }, { do: 'settle' }];
    const started = go({ followUp });
    expect(inputsOf(started, 'watchJob').map(({ kind }) => kind)).toEqual(['import', 'verify']);
    const givenUp = go({ followUp, startJob: [{ status: 'started' }, { status: 'ended' }] });
    expect(inputsOf(givenUp, 'watchJob').map(({ kind }) => kind)).toEqual(['import']);
    expect(givenUp.output).toEqual({ state: 'completed' });
  });

  it('waits for its turn again when it was lost after the import, and needs none any more once it has ended', () => {
    const lost = { granted: false, position: 2 };
    const granted = { granted: true };
    // Asked: before the pre-image, before the job, with the look at it, before what follows.
    const poll = [granted, granted, granted, lost, lost, granted];
    const wait = { status: 'wait', next: { seconds: 3, standing: { position: 2, since: 0 } } };
    const result = go({ poll, awaitTurn: [wait, wait] });
    expect(activities(result).slice(-5)).toEqual(['watchJob', 'awaitTurn', 'awaitTurn', 'followUp', 'settleRun']);
    expect(inputsOf(result, 'awaitTurn')[0]).toMatchObject({ hasSent: true, position: 2 });
    const ended = go({ poll: [granted, granted, granted, lost], awaitTurn: { status: 'ended' } });
    expect(activities(ended).slice(-3)).toEqual(['awaitTurn', 'followUp', 'settleRun']);
  });
});

describe('a fresh history', () => {
  it('is begun after fifty steps, where the run stands, and ends like a single one', () => {
    const readOptions = [...Array(60).fill({ status: 'wait', seconds: 1 }), straight.readOptions];
    const answer = script({ ...straight, readOptions });
    let input: RunInput = { runId, attempt: 2 };
    let histories = 0;
    let result: DriveResult;
    for (;;) {
      result = drive(run, input, answer);
      histories += 1;
      if (result.continuedAsNew === undefined) break;
      expect(result.signals.filter(({ operation }) => operation === 'leave')).toEqual([]);
      expect(result.yields.length).toBeLessThanOrEqual(2 * STEPS_A_HISTORY);
      input = result.continuedAsNew as RunInput;
      expect(input).toMatchObject({ runId, attempt: 2 });
    }
    expect(histories).toBe(3);
    expect(result.output).toEqual({ state: 'completed' });
  });

  it('keeps the place in the queue, and since when it is the same', () => {
    const since = Date.parse('2026-11-20T02:00:00Z');
    const answers = {
      poll: { granted: false, position: 3 },
      awaitTurn: { status: 'wait', next: { seconds: 5, standing: { position: 3, since } } },
    };
    const first = go(answers);
    expect(first.continuedAsNew).toMatchObject({ runId, place, step: {} });
    expect(JSON.stringify(first.continuedAsNew)).toContain(`"since":${since}`);
    expect(first.output).toBeUndefined();
    expect(first.signals).toEqual(left.slice(0, 1));
    expect(go(answers)).toEqual(first);
  });
});

describe('the wait for the turn', () => {
  const behind = (position: number, silentHolder?: string) => ({ granted: false, position, silentHolder });
  const asks = (seconds: number, evict?: string) => ({
    status: 'wait',
    next: { seconds, standing: { position: 1, since: 0 }, ...(evict === undefined ? {} : { evict }) },
  });
  const granted = Array(9).fill({ granted: true });

  it('lasts as long as the look around says, and hands on where the run stands', () => {
    const result = go({ poll: [behind(3), behind(1), ...granted], awaitTurn: [asks(5), asks(1)] });
    expect(names(result).slice(2, 9)).toEqual(['poll', 'awaitTurn', 'any', 'poll', 'awaitTurn', 'any', 'poll']);
    expect(waits(result).slice(0, 2)).toEqual([5, 1]);
    expect(inputsOf(result, 'awaitTurn')[1]).toMatchObject({ position: 1, standing: { position: 1, since: 0 } });
  });

  it('is asked for again once its time of grace is over, and bothers nobody, when the run has only just come', () => {
    const graces = [{ ...behind(0), graceLeftMs: 400 }, { ...behind(0), graceLeftMs: 3 }, behind(0)];
    const result = go({ poll: [...graces, ...granted] });
    expect(names(result).slice(2, 9)).toEqual(['poll', 'timer', 'poll', 'timer', 'poll', 'timer', 'poll']);
    expect(waits(result).slice(0, 3)).toEqual([0.4, 0.1, 2]);
  });

  it('takes the turn from a silent holder that was found dead, and from no other', () => {
    const poll = [behind(1, 'gone'), behind(1, 'gone'), ...granted];
    const result = go({ poll, awaitTurn: [asks(1), asks(1, 'gone')], evict: { evicted: true } });
    expect(names(result).slice(2, 9)).toEqual(['poll', 'awaitTurn', 'any', 'poll', 'awaitTurn', 'evict', 'poll']);
    expect(inputsOf(result, 'awaitTurn')[0]).toMatchObject({ position: 1, silentHolder: 'gone' });
    expect(inputsOf(result, 'evict')).toEqual([{ runId: 'gone', limits: TURN_LIMITS }]);
  });

  it('fails by name when the queue gives an answer that cannot be understood', () => {
    const result = go({ poll: { error: 'no such operation' } });
    expect(inputsOf(result, 'failRun')[0]?.['message']).toContain('The queue of the hub "east"');
  });
});

describe('a run that is woken', () => {
  it('goes on at once, and cancels the timer', () => {
    const result = go({ watchJob: [{ ended: false }, { ended: true }] }, {}, [true, true]);
    const races = result.yields
      .filter(({ kind }) => kind === 'any')
      .map(({ input }) => input as { isCancelled?: boolean }[]);
    expect(races.map(([timer]) => timer?.isCancelled)).toEqual([true, true]);
    expect(result.output).toEqual({ state: 'completed' });
  });

  it('reads its record again at least every 30 s, however long its job takes, and asks the hub only when that is due', () => {
    // The job is half an hour old: the hub is asked about once a minute.
    const start = Date.parse('2026-11-20T02:00:00Z');
    const input = { runId, epoch: '1.1', kind: 'import', since: start - 1_800_000, lookAt: start + 60_000 };
    const result = drive(
      run,
      { runId, place, step: { do: 'call', activity: 'watchJob', input, keepTurn: true } },
      script({
        ...straight,
        watchJob: [{ ended: false, isEarly: true }, { ended: false, isEarly: true }, { ended: true }],
      }),
    );
    expect(waits(result)).toEqual([30, 30]);
    expect(inputsOf(result, 'watchJob').map(({ lookAt }) => lookAt)).toEqual(Array(3).fill(start + 60_000));
  });
});

describe('a suspended run', () => {
  const held = (leave: boolean) =>
    new AsStep({
      do: 'suspended',
      seconds: 300,
      leave,
      next: { do: 'call', activity: 'fillLines', input: { runId, wasSuspended: true } },
    });
  const anew = new AsStep({ do: 'call', activity: 'takePreImage', input: { runId, epoch: '1.2' } });

  it('gives up its turn, waits for minutes or until it is woken, and asks what it does then', () => {
    const fillLines = [held(true), held(true), anew, { status: 'ready' }];
    const result = go({ fillLines }, {}, [false, true]);
    expect(activities(result).slice(2, 8)).toEqual([
      'takePreImage',
      'fillLines',
      'fillLines',
      'fillLines',
      'takePreImage',
      'fillLines',
    ]);
    expect(waits(result).slice(0, 2)).toEqual([300, 300]);
    expect(result.signals.filter(({ operation }) => operation === 'leave')).toHaveLength(3);
  });

  it('keeps its turn while a job of it is under way', () => {
    const result = go({ fillLines: [held(false), anew, { status: 'ready' }] });
    expect(result.signals.filter(({ operation }) => operation === 'leave')).toHaveLength(1);
  });

  it('goes on with fresh histories, however long it is suspended', () => {
    const result = go({ fillLines: held(true) });
    expect(result.continuedAsNew).toMatchObject({ runId, place, step: {} });
  });
});

describe('a run that fails', () => {
  it.each(['takePreImage', 'fillLines'])(
    'does so at once when our own code fails, and gives up its turn (%s)',
    (name) => {
      const fault = { fault: 'HubKeeper itself failed (RangeError).' };
      const result = go({ [name]: fault });
      expect(inputsOf(result, 'failRun')).toEqual([{ runId, message: fault.fault }]);
      expect(activities(result).filter((task) => task === name)).toHaveLength(1);
      expect(result).toMatchObject({ output: { state: 'failed' }, signals: left });
    },
  );

  it('is marked failed when a step failed after all its tries, with what that said', () => {
    const checkFile = new Error('Activity function \'checkFile\' failed: storage is away \n {"details":1}');
    const result = go({ checkFile });
    expect(result.yields.at(-1)).toMatchObject({ name: 'failRun', input: { runId, message: 'storage is away' } });
    expect(result.output).toEqual({ state: 'failed' });
  });

  it('gives up its turn even if it cannot be marked failed', () => {
    const followUp = new Error("Activity function 'followUp' failed: storage is away");
    expect(go({ followUp })).toMatchObject({ output: { state: 'failed' }, signals: left });
    expect(go({ followUp, failRun: followUp })).toMatchObject({ output: { state: 'failed' }, signals: left });
  });

  it('does so when an activity returns what is no step', () => {
    const result = go({ checkFile: new AsStep('job' as never) });
    expect(inputsOf(result, 'failRun')[0]?.['message']).toContain('checkFile returned no step');
  });
});

describe('the orchestration of a dry run', () => {
  const dry = { checkFile: { next: 'plan' }, planRun: { state: 'completed' }, finishPreImage: { status: 'ready' } };

  it('needs no turn for what is read one by one, and ends with the plan', () => {
    const result = go(dry);
    expect(names(result)).toEqual(['readOptions', 'checkFile', 'takePreImage', 'planRun']);
    expect(result.output).toEqual({ state: 'completed' });
  });

  it('takes the turn for an export, and gives it up before the file is compared', () => {
    const result = go({ ...dry, takePreImage: { status: 'export' } });
    expect(names(result).slice(2)).toEqual([
      'takePreImage',
      'poll',
      'startJob',
      'any',
      'poll',
      'watchJob',
      'finishPreImage',
      'planRun',
    ]);
    // Once more at its end, as every run does.
    expect(result.signals).toEqual([...left, ...left.slice(1)]);
  });

  it.each([
    [
      'the turn is lost while the hub is busy',
      {
        startJob: [{ status: 'wait', seconds: 1 }, { status: 'started' }],
        poll: [{ granted: true }, { granted: false, position: 1 }, ...Array(9).fill({ granted: true })],
      },
    ],
    ['what it compares with is gone', { planRun: [{ state: 'anew' }, { state: 'completed' }] }],
  ])('begins anew when %s', (_what, change) => {
    const result = go({ ...dry, takePreImage: { status: 'export' }, ...change }, { attempt: 2 });
    expect(inputsOf(result, 'takePreImage').map(({ epoch }) => epoch)).toEqual(['2.1', '2.2']);
    expect(inputsOf(result, 'planRun').at(-1)).toMatchObject({ epoch: '2.2' });
    expect(result.output).toEqual({ state: 'completed' });
  });

  it.each([
    ['takePreImage', { takePreImage: { status: 'ended' } }],
    [
      'awaitTurn',
      { takePreImage: { status: 'export' }, poll: { granted: false, position: 1 }, awaitTurn: { status: 'ended' } },
    ],
    ['startJob', { takePreImage: { status: 'export' }, startJob: { status: 'ended' } }],
    ['finishPreImage', { takePreImage: { status: 'export' }, finishPreImage: { status: 'ended' } }],
  ])('ends when %s has ended the run', (last, change) => {
    const result = go({ ...dry, ...change });
    expect(names(result).at(-1)).toBe(last);
    expect(result).toMatchObject({ output: { state: 'ended' }, signals: left });
  });
});

describe('an orchestration that an earlier version began', () => {
  it('ends, whatever its history holds', () => {
    expect(drive(superseded, { runId }, () => undefined)).toMatchObject({
      yields: [],
      output: { state: 'superseded' },
    });
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
