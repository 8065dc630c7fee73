import { describe, expect, it } from 'vitest';

import { REFRESH_STEP } from '../../src/lib/mirror/refresh/refreshPlan.ts';
import type { RefreshInput, RefreshReply } from '../../src/lib/mirror/refresh/refreshStep.ts';
import {
  type MirrorRefreshInput,
  mirrorRefresh,
  REFRESH_STEPS_A_HISTORY,
} from '../../src/orchestrations/mirrorRefresh.ts';
import { type DriveResult, drive } from '../helpers/orchestration.ts';

const reply: RefreshReply = {
  read: 0,
  again: 0,
  worked: 0,
  queries: 0,
  operations: 0,
  throttled: [],
  trouble: false,
  left: { queries: 0, operations: 0 },
  pace: { queriesPerMinute: 20, operationsPerMinute: 100 },
};
const left = (queries: number, operations: number) => ({ left: { queries, operations } });

/** Drives a refresh; each step is answered by the next of `replies`, the last of them for ever. */
function driveRefresh(
  replies: readonly (Partial<RefreshReply> | Error)[],
  { takes = [], input = { hub: 'east' } }: { readonly takes?: unknown[]; readonly input?: MirrorRefreshInput } = {},
) {
  const steps: RefreshInput[] = [];
  const asked: string[] = [];
  const result = drive(mirrorRefresh, input, (task) => {
    if (task.kind === 'timer') return undefined;
    if (task.name === 'take') {
      const { entity, input: of } = task as unknown as { readonly entity: string; readonly input: { items: number } };
      asked.push(`${of.items} of ${entity}`);
      return takes.shift() ?? { granted: true, spreadMs: of.items * 1_000 };
    }
    const next = replies[Math.min(steps.length, replies.length - 1)];
    steps.push(task.input as RefreshInput);
    return next instanceof Error ? next : { ...reply, ...next };
  });
  return { result, steps, asked };
}

const kinds = ({ yields }: DriveResult) => yields.map(({ name }) => name);
const seconds = ({ yields }: DriveResult) => {
  const ends = yields.filter(({ kind }) => kind === 'timer').map(({ input }) => Number(input) / 1000);
  const start = Date.parse('2026-11-20T02:00:00Z') / 1000;
  return ends.map((end, at) => Math.round(end - (ends[at - 1] ?? start)));
};

describe('a refresh of the mirror', () => {
  it('looks first, and ends when nothing is due', () => {
    const { result, steps } = driveRefresh([{}]);
    expect(kinds(result)).toEqual([REFRESH_STEP]);
    expect(steps[0]).toEqual({ hub: 'east', look: true, queries: 0, msPerQuery: 0, operations: 0, msPerOperation: 0 });
    expect(result.output).toEqual({ state: 'done' });
  });

  it('takes from both budgets what an activity can use, and no more', () => {
    const { steps, asked } = driveRefresh([left(90, 400), { ...left(85, 375), read: 525 }, {}]);
    expect(asked.slice(0, 2)).toEqual(['5 of budget@east-queries', '25 of budget@east']);
    expect(steps[1]).toEqual({
      hub: 'east',
      look: false,
      queries: 5,
      msPerQuery: 1_000,
      operations: 25,
      msPerOperation: 1_000,
    });
  });

  it('asks no budget for what it does not need', () => {
    expect(driveRefresh([left(1, 0), {}]).asked).toEqual(['1 of budget@east-queries']);
    expect(driveRefresh([left(0, 1), {}]).asked).toEqual(['2 of budget@east']);
  });

  it('goes on with the one while the other has nothing to give, and waits when neither has', () => {
    const spent = (waitMs: number) => ({ granted: false, waitMs });
    const takes = [spent(40_000), spent(7_000), spent(33_000), { granted: true, spreadMs: 0 }];
    const { steps, result } = driveRefresh([left(1, 4), {}], { takes });
    expect(seconds(result)).toEqual([7]);
    expect(steps[1]).toMatchObject({ queries: 0, operations: 4 });
  });

  it('pays for the pages that a query had beyond those that were granted', () => {
    const { asked } = driveRefresh([left(2, 0), { ...left(1, 0), queries: 7, read: 200 }, {}]);
    expect(asked).toEqual(['2 of budget@east-queries', '6 of budget@east-queries']);
  });

  it('waits for what is due soon, and looks again', () => {
    const { result, steps } = driveRefresh([{ soonSeconds: 4 }, {}]);
    expect(seconds(result)).toEqual([4]);
    expect(steps.map(({ look }) => look)).toEqual([true, true]);
    expect(result.output).toEqual({ state: 'done' });
  });

  it('goes on at once while finished runs are handed over', () => {
    const { result } = driveRefresh([{ handingOver: true }, { handingOver: true }, {}]);
    expect(kinds(result)).toEqual([REFRESH_STEP, REFRESH_STEP, REFRESH_STEP]);
  });

  it('waits longer and longer while the hub is in trouble, tells the budgets of throttles, and forgets it once all is well', () => {
    const troubled = { ...left(1, 0), trouble: true, throttled: ['queries', 'operations'] as const };
    const many = [left(1, 0), troubled, troubled, troubled, troubled, troubled, troubled];
    const { result } = driveRefresh([...many, { ...left(1, 0), read: 100 }, troubled, {}]);
    expect(seconds(result)).toEqual([5, 10, 20, 40, 60, 60, 5]);
    expect(result.signals.slice(0, 2)).toEqual([
      { entity: 'budget@east-queries', operation: 'throttled', input: {} },
      { entity: 'budget@east', operation: 'throttled', input: {} },
    ]);
  });

  it('looks for finished runs at every tenth step of a long queue', () => {
    const { steps } = driveRefresh([...Array.from({ length: 24 }, () => ({ ...left(9, 0), read: 500 })), {}]);
    expect(steps.flatMap(({ look }, at) => (look ? [at] : []))).toEqual([0, 10, 20]);
  });

  it('starts over with a fresh history, where it was', () => {
    const { result, steps } = driveRefresh([{ ...left(9, 3), read: 500 }]);
    expect(steps).toHaveLength(REFRESH_STEPS_A_HISTORY);
    const { continuedAsNew } = result as { continuedAsNew: MirrorRefreshInput };
    expect(continuedAsNew).toEqual({
      hub: 'east',
      held: { left: { queries: 9, operations: 3 }, pace: reply.pace, owed: 0, troubles: 0 },
    });
    expect(driveRefresh([{}], { input: continuedAsNew }).asked).toEqual([
      '5 of budget@east-queries',
      '3 of budget@east',
    ]);
  });

  it('leaves a queue that is too long to the reconcile', () => {
    expect(driveRefresh([{ over: true }]).result.output).toEqual({ state: 'over' });
  });

  it('ends when storage is away, and never fails', () => {
    const { result } = driveRefresh([new Error('storage is away')]);
    expect(result.output).toEqual({ state: 'stopped' });
    expect(result.error).toBeUndefined();
  });
});
