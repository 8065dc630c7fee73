import { describe, expect, it } from 'vitest';
import type { ChunkReply } from '../../src/lib/provisioning/steps/workChunk.ts';
import { TURN_LIMITS } from '../../src/lib/turns/turnQueue.ts';
import { provisionAftermath } from '../../src/orchestrations/provisionAftermath.ts';
import { type LaneInput, provisionLane } from '../../src/orchestrations/provisionRound.ts';
import { type DriveResult, drive, type ScriptedTask } from '../helpers/orchestration.ts';

const runId = '0123456789abcdef0123';
const ticket = { runId, droppedAt: '2026-11-20T01:59:00.000Z', name: 'a/devices.txt' };
const place = { hub: 'east', ticket, limits: TURN_LIMITS };
const work = { round: 'devices', chunks: 5, width: 2, grant: 500, itemsPerMinute: 5_000 };
const lane: LaneInput = {
  runId,
  place,
  work,
  lane: 0,
  now: [0],
  later: [],
  pass: 0,
  unused: 0,
  msPerItem: 0,
  waitMs: 0,
  refusals: 0,
};

type StepInput = Parameters<typeof import('../../src/lib/provisioning/steps/workChunk.ts').workChunk>[1];

/** Drives a lane; each chunk step is answered by the next of `replies`, the last of them for ever. */
function driveLane(replies: readonly Partial<ChunkReply>[], input: Partial<LaneInput> = {}, takes: unknown[] = []) {
  let at = 0;
  const steps: StepInput[] = [];
  const result = drive(provisionLane, { ...lane, ...input }, (task) => {
    if (task.name === 'poll') return { granted: true };
    if (task.name === 'take') return takes.shift() ?? { granted: true, spreadMs: 6_000 };
    if (task.kind === 'timer') return undefined;
    steps.push(task.input as StepInput);
    const reply = replies[Math.min(at++, replies.length - 1)];
    return { status: 'done', sent: 100, waitMs: 0, throttled: false, refusals: 0, ...reply };
  });
  return { result, steps };
}

const kinds = ({ yields }: DriveResult) => yields.map(({ name }) => name);

describe('a lane of a round', () => {
  it('takes items from the budget, and sends no more than were granted before it takes again', () => {
    const { result, steps } = driveLane([
      { status: 'more', sent: 500 },
      { status: 'done', sent: 100 },
    ]);
    expect(kinds(result)).toEqual(['poll', 'take', 'workChunk', 'poll', 'take', 'workChunk']);
    expect(steps[0]).toMatchObject({ chunk: 0, items: 500, msPerItem: 12, waitMs: 0, pass: 0 });
    expect(result.output).toEqual({ ended: true });
  });

  it('uses what is left of a grant for the next chunk, at the pace of the grant', () => {
    const { steps, result } = driveLane([{ sent: 200, waitMs: 700 }], { now: [0, 2] });
    expect(steps.map(({ chunk, items, waitMs }) => ({ chunk, items, waitMs }))).toEqual([
      { chunk: 0, items: 500, waitMs: 0 },
      { chunk: 2, items: 300, waitMs: 700 },
    ]);
    expect(kinds(result).filter((name) => name === 'take')).toHaveLength(1);
  });

  it('waits as long as the budget says, and asks again', () => {
    const { result } = driveLane([{}], {}, [{ granted: false, waitMs: 4_000 }]);
    expect(kinds(result)).toEqual(['poll', 'take', 'timer', 'poll', 'take', 'workChunk']);
  });

  it('tells the budget of a 429, and takes anew', () => {
    const { result } = driveLane([{ status: 'more', sent: 100, throttled: true }, {}]);
    expect(result.signals).toEqual([{ entity: 'budget@east', operation: 'throttled', input: {} }]);
    expect(kinds(result).filter((name) => name === 'take')).toHaveLength(2);
  });

  it('comes back to what failed for a passing reason, later and later', () => {
    const { steps, result } = driveLane(
      [{ status: 'tried' }, { status: 'done' }, { status: 'tried' }, { status: 'done' }],
      { now: [0, 1] },
    );
    expect(steps.map(({ chunk, pass }) => [chunk, pass])).toEqual([
      [0, 0],
      [1, 0],
      [0, 1],
      [0, 2],
    ]);
    const pauses = result.yields.filter(({ kind }) => kind === 'timer').map(({ input }) => Number(input));
    expect(pauses).toHaveLength(2);
  });

  it('sleeps where the pace is slower than an activity can wait, instead of asking it again and again', () => {
    const { steps, result } = driveLane([
      { status: 'more', sent: 25, waitMs: 480_000 },
      { status: 'more', sent: 25, waitMs: 20_000 },
      {},
    ]);
    const timers = result.yields.filter(({ kind }) => kind === 'timer');
    expect(steps.map(({ waitMs }) => waitMs)).toEqual([0, 0, 20_000]);
    // In pieces, so that the turn is kept and a cancel is seen.
    expect(timers).toHaveLength(8);
    expect(kinds(result).filter((name) => name === 'poll').length).toBeGreaterThanOrEqual(8);
  });

  it('does not sleep for as long as a confused budget says', () => {
    const { result } = driveLane([{}], {}, [{ granted: false, waitMs: 3_600_000 }]);
    const [timer] = result.yields.filter(({ kind }) => kind === 'timer');
    expect(timer?.input).toBe(Date.parse('2026-11-20T02:01:00Z'));
  });

  it('ends when the activity says that it is over, and hands on how often a full hub has refused', () => {
    const { steps, result } = driveLane([{ status: 'done', refusals: 7 }, { status: 'over' }], { now: [0, 1, 2] });
    expect(steps.map(({ refusals }) => refusals)).toEqual([0, 7]);
    expect(result.output).toEqual({ ended: true });
  });

  it('starts over with a fresh history after 30 activities, where it was', () => {
    const { steps, result } = driveLane([{ status: 'more', sent: 500 }], { now: [4], later: [2] });
    expect(steps).toHaveLength(30);
    expect(result.continuedAsNew).toMatchObject({ now: [4], later: [2], pass: 0, unused: 0 });
  });

  it('returns when something goes wrong, so that the other lanes go on', () => {
    const { output, error } = drive(provisionLane, lane, (task) =>
      task.name === 'workChunk' ? new Error('storage is away') : { granted: true, spreadMs: 0 },
    );
    expect(output).toEqual({ ended: true });
    expect(error).toBeUndefined();
  });
});

describe('what follows the import job', () => {
  const run = (nexts: object[], answers: Record<string, unknown> = {}, polls: object[] = []) => {
    const queue = [...nexts];
    return drive(provisionAftermath, { runId, place }, (task: ScriptedTask) => {
      if (task.name === 'poll') return polls.shift() ?? { granted: true };
      if (task.name === 'nextRound') return queue.shift() ?? { do: 'settle' };
      if (task.name === 'settleRun') return { state: 'completed' };
      return answers[task.name];
    });
  };

  it('is done as the activity says, and the end of a round is told to it', () => {
    const { yields, output } = run([{ do: 'work', ...work }]);
    const all = yields.find(({ kind }) => kind === 'all');
    const lanes = all?.input as ScriptedTask[];
    expect(lanes.map(({ input }) => (input as LaneInput).now)).toEqual([
      [0, 2, 4],
      [1, 3],
    ]);
    const asked = yields.filter(({ name }) => name === 'nextRound').map(({ input }) => input);
    expect(asked).toEqual([{ runId }, { runId, finished: 'devices' }]);
    expect(output).toEqual({ state: 'completed' });
  });

  it('starts a job and watches it; one that cannot be started is not watched', () => {
    const started = run([{ do: 'job', kind: 'verify' }], { provisionJobStart: { status: 'started' } });
    expect(started.yields.map(({ name }) => name)).toContain('provisionJobWatch');
    const givenUp = run([{ do: 'job', kind: 'verify' }], { provisionJobStart: { status: 'ended' } });
    expect(givenUp.yields.map(({ name }) => name)).not.toContain('provisionJobWatch');
  });

  it.each(['ended', 'notEnded'])('goes back to the run when the activity says %s', (what) => {
    expect(run([{ do: what }]).output).toEqual({ state: what });
  });

  it('waits for the turn again when others were let pass, and takes it from one that is dead', () => {
    const lost = { granted: false, position: 2, silentHolder: 'f'.repeat(20) };
    const waits = [
      { status: 'wait', evict: false },
      { status: 'wait', evict: true },
    ];
    const { yields } = drive(provisionAftermath, { runId, place }, (task: ScriptedTask) => {
      if (task.name === 'poll') return waits.length > 0 ? lost : { granted: true };
      if (task.name === 'awaitTurn') return waits.shift();
      return task.name === 'nextRound' ? { do: 'ended' } : undefined;
    });
    expect(yields.map(({ name }) => name)).toEqual([
      ...['poll', 'awaitTurn', 'timer'],
      ...['poll', 'awaitTurn', 'evict'],
      ...['poll', 'nextRound'],
    ]);
    expect(yields[1]?.input).toEqual({ runId, position: 2, again: true, silentHolder: 'f'.repeat(20) });
  });

  it('goes on without the turn when it was cancelled meanwhile', () => {
    const { yields } = run([{ do: 'settle' }], { awaitTurn: { status: 'jobStarted' } }, [
      { granted: false, position: 1 },
    ]);
    expect(yields.map(({ name }) => name)).toEqual(['poll', 'awaitTurn', 'nextRound', 'settleRun']);
  });

  it('starts over with a fresh history after 50 looks', () => {
    const { continuedAsNew } = run(Array.from({ length: 50 }, () => ({ do: 'wait', seconds: 10 })));
    expect(continuedAsNew).toEqual({ runId, place });
  });
});
