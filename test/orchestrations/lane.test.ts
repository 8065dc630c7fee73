import { describe, expect, it } from 'vitest';
import type { ChunkReply } from '../../src/lib/provisioning/steps/workChunk.ts';
import { TURN_LIMITS } from '../../src/lib/turns/turnQueue.ts';
import { type LaneInput, lane } from '../../src/orchestrations/lane.ts';
import { type DriveResult, drive } from '../helpers/orchestration.ts';

const runId = '0123456789abcdef0123';
const ticket = { runId, droppedAt: '2026-11-20T01:59:00.000Z', name: 'a/devices.txt' };
const place = { hub: 'east', ticket, limits: TURN_LIMITS };
const work = { wave: 'devices', chunks: 5, width: 2, grant: 500, itemsPerMinute: 5_000 };
const laneInput: LaneInput = {
  runId,
  place,
  work,
  lane: 0,
  now: [0],
  later: [],
  pass: 0,
  begun: 1_000,
  steps: 0,
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
  const result = drive(lane, { ...laneInput, ...input }, (task) => {
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

describe('a lane of a wave', () => {
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

  it('repeats a step under its name while somebody else is at it, and counts what it sent once', () => {
    const { steps } = driveLane([{ status: 'wait', sent: 0 }, { status: 'done', sent: 300 }, {}], { now: [0, 2] });
    expect(steps.map(({ step, items }) => ({ step, items }))).toEqual([
      { step: '1000.0.0', items: 500 },
      { step: '1000.0.0', items: 500 },
      { step: '1000.0.1', items: 200 },
    ]);
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

  it('comes back to what is pending, later and later', () => {
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

  it('sleeps where the pace is slower than an activity can wait, and has one look at the record every 30 s', () => {
    const left = Array.from({ length: 16 }, (_, at) => (16 - at) * 30_000);
    const { steps, result } = driveLane([
      { status: 'more', sent: 25, waitMs: 480_000 },
      // Whoever comes too early sends nothing.
      ...left.slice(1, -1).map((waitMs) => ({ status: 'more' as const, sent: 0, waitMs })),
      { status: 'more', sent: 25, waitMs: 20_000 },
      {},
    ]);
    expect(steps.map(({ waitMs }) => waitMs)).toEqual([0, ...left.slice(1), 20_000]);
    expect(result.yields.filter(({ kind }) => kind === 'timer')).toHaveLength(15);
    expect(kinds(result).filter((name) => name === 'take')).toHaveLength(1);
  });

  it('has a look at the record at least every 30 s while the budget is spent, and ends when it is to end', () => {
    const spent = (waitMs: number) => ({ granted: false, waitMs });
    const takes = [spent(3_600_000), spent(20_000), spent(20_000), spent(60_000)];
    const { result, steps } = driveLane(
      [{ status: 'more', sent: 0 }, { status: 'more', sent: 0 }, { status: 'over' }],
      {},
      takes,
    );
    expect(steps.map(({ items }) => items)).toEqual([0, 0, 0]);
    const timers = result.yields.filter(({ kind }) => kind === 'timer').map(({ input }) => Number(input));
    expect(timers.map((at) => (at - Date.parse('2026-11-20T02:00:00Z')) / 1000)).toEqual([30, 50, 60, 90]);
    expect(result.output).toEqual({ ended: true });
  });

  it('ends when the activity says that it is over, and hands on how often a full hub has refused', () => {
    const { steps, result } = driveLane([{ status: 'done', refusals: 7 }, { status: 'over' }], { now: [0, 1, 2] });
    expect(steps.map(({ refusals }) => refusals)).toEqual([0, 7]);
    expect(result.output).toEqual({ ended: true });
  });

  it('starts over with a fresh history after 30 activities, where it was', () => {
    const { steps, result } = driveLane([{ status: 'more', sent: 500 }], { now: [4], later: [2] });
    expect(steps).toHaveLength(30);
    expect(result.continuedAsNew).toMatchObject({ now: [4], later: [2], pass: 0, steps: 30, unused: 0 });
  });

  it('returns when something goes wrong, so that the other lanes go on', () => {
    const { output, error } = drive(lane, laneInput, (task) =>
      task.name === 'workChunk' ? new Error('storage is away') : { granted: true, spreadMs: 0 },
    );
    expect(output).toEqual({ ended: true });
    expect(error).toBeUndefined();
  });
});
