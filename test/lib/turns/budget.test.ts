import { describe, expect, it } from 'vitest';

import { applyBudget, type BudgetState, FULL_BUDGET, parseBudgetOperation } from '../../../src/lib/turns/budget.ts';
import { paceOf } from '../../../src/lib/turns/hubPace.ts';

const RATE = 600;
const MS_PER_ITEM = 100;

/** A budget with a clock of its own. */
function budget() {
  let state: BudgetState = FULL_BUDGET;
  let now = 1_000_000;
  const apply = (operation: Parameters<typeof applyBudget>[1]) => {
    const next = applyBudget(state, operation, now);
    state = next.state;
    return next.reply;
  };
  const take = (items: number) => apply({ kind: 'take', items, itemsPerMinute: RATE });
  return {
    /** Takes all that there is, and waits until the next item is granted. */
    drain() {
      for (let reply = take(1); 'granted' in reply; reply = take(1)) {
        if (!reply.granted) {
          now += reply.waitMs;
          return;
        }
      }
    },
    take,
    throttled: () => apply({ kind: 'throttled' }),
    pass: (ms: number) => {
      now += ms;
    },
  };
}

describe('the budget of a hub', () => {
  it('grants what is asked for at once, and makes the next wait until it is spent', () => {
    const { take, pass } = budget();
    expect(take(50)).toEqual({ granted: true, spreadMs: 50 * MS_PER_ITEM });
    expect(take(10)).toEqual({ granted: false, waitMs: 5_000 });
    pass(5_000);
    expect(take(10)).toEqual({ granted: true, spreadMs: 1_000 });
  });

  it.each([
    { lateMs: 0, spreadMs: 3_000 },
    { lateMs: 400, spreadMs: 2_600 },
    { lateMs: 3_600_000, spreadMs: 2_000 },
  ])('lets who comes $lateMs ms late make up for a second at most', ({ lateMs, spreadMs }) => {
    const { take, pass } = budget();
    take(10);
    pass(1_000 + lateMs);
    expect(take(30)).toEqual({ granted: true, spreadMs });
    expect(take(30)).toEqual({ granted: false, waitMs: spreadMs });
  });

  it('halves the rate at a 429, once for a bundle of them, and finds back when there are no more', () => {
    const { take, throttled, pass, drain } = budget();
    throttled();
    pass(1_000);
    throttled();
    expect(take(1)).toMatchObject({ granted: false });
    pass(10_000);
    expect(take(10)).toEqual({ granted: true, spreadMs: 10 * MS_PER_ITEM * 2 });
    pass(10_000);
    throttled();
    pass(12_000);
    drain();
    expect(take(10)).toEqual({ granted: true, spreadMs: 10 * MS_PER_ITEM * 4 });
    for (let minutes = 0; minutes < 2; minutes++) {
      pass(60_000);
      take(1);
    }
    drain();
    expect(take(10)).toEqual({ granted: true, spreadMs: 10 * MS_PER_ITEM });
  });

  it('takes a clock that went back for the present', () => {
    const ahead: BudgetState = { halvings: 1, changedAt: 9_000_000 };
    const { state } = applyBudget(ahead, { kind: 'take', items: 1, itemsPerMinute: RATE }, 1_000);
    expect(state.changedAt).toBe(1_000);
  });

  it.each([
    ['take', { items: -1, itemsPerMinute: 1 }],
    ['take', { items: 1, itemsPerMinute: 0 }],
    ['take', undefined],
    ['give', { items: 1, itemsPerMinute: 1 }],
    [undefined, {}],
  ])('knows no operation %s with %j', (kind, input) => {
    expect(parseBudgetOperation(kind, input)).toBeUndefined();
  });
});

describe('the pace of a hub', () => {
  it.each([
    [
      { tier: 'S1', units: 1 },
      { itemsPerMinute: 100, patchesPerMinute: 3_000, queriesPerMinute: 20, callItems: 25, width: 1 },
    ],
    [
      { tier: 'S2', units: 10 },
      { itemsPerMinute: 1_000, patchesPerMinute: 3_000, queriesPerMinute: 200, callItems: 100, width: 1 },
    ],
    [
      { tier: 'S3', units: 2 },
      { itemsPerMinute: 10_000, patchesPerMinute: 30_000, queriesPerMinute: 2_000, callItems: 100, width: 4 },
    ],
  ] as const)('of %j is %j', (size, pace) => {
    expect(paceOf(size)).toEqual(pace);
  });
});
