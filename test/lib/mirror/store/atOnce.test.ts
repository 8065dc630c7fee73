import { describe, expect, it } from 'vitest';

import { createGate, mapAhead, mapAtOnce } from '../../../../src/lib/mirror/store/atOnce.ts';

const tick = () => new Promise<void>((resolve) => setImmediate(resolve));
const items = Array.from({ length: 20 }, (_, n) => n);

/** A call that takes longer the smaller its number is, and how many of its kind ran at once. */
function createCall(failing: readonly number[] = []) {
  let running = 0;
  const seen = { most: 0, begun: [] as number[], ended: 0 };
  const call = async (n: number): Promise<string> => {
    running += 1;
    seen.begun.push(n);
    seen.most = Math.max(seen.most, running);
    for (let round = 0; round < 25 - n; round += 1) await tick();
    running -= 1;
    seen.ended += 1;
    if (failing.includes(n)) throw new Error(`${n} failed`);
    return `${n}`;
  };
  return { call, seen };
}

describe('calls at once', () => {
  it('give their results in the order of what they are about', async () => {
    const { call, seen } = createCall();
    expect(await mapAtOnce(items, 3, call)).toEqual(items.map(String));
    expect(seen.most).toBe(3);
    expect(await mapAtOnce([], 3, call)).toEqual([]);
  });

  it('end with the first failure, when those that had begun have ended', async () => {
    const { call, seen } = createCall([2]);
    await expect(mapAtOnce(items, 3, call)).rejects.toThrow('2 failed');
    expect(seen.begun.length).toBeLessThan(items.length);
    expect(seen.ended).toBe(seen.begun.length);
  });
});

describe('calls ahead', () => {
  it('give their results in order, so many ahead', async () => {
    const { call, seen } = createCall();
    expect(await Array.fromAsync(mapAhead(items, 4, call))).toEqual(items.map(String));
    expect(seen.most).toBe(4);
  });

  it('fail where a result is taken that there is not, and end no process when nobody takes it', async () => {
    const { call, seen } = createCall([1, 3]);
    const taken: string[] = [];
    const take = async () => {
      for await (const result of mapAhead(items, 4, call)) taken.push(result);
    };
    await expect(take()).rejects.toThrow('1 failed');
    expect(taken).toEqual(['0']);
    while (seen.ended < seen.begun.length) await tick();
    expect(seen.begun.length).toBeLessThan(items.length);
  });
});

describe('a gate', () => {
  it('lets so many through at once, and others after a failure, too', async () => {
    const { call, seen } = createCall([0, 1, 5]);
    const gate = createGate(2);
    const results = await Promise.allSettled(items.map((n) => gate(() => call(n))));
    expect(seen.most).toBe(2);
    expect(results.filter(({ status }) => status === 'rejected')).toHaveLength(3);
  });
});
