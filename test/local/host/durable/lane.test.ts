import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createLane, type LaneOptions } from '../../../../local/host/durable/lane.ts';

/** Lets everything happen that waits for a turn of the event loop. */
async function turn(): Promise<void> {
  await nextTurn();
  await nextTurn();
}

describe('A lane', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  /** A lane whose runs end when the test says so. */
  function manualLane(options: Partial<LaneOptions<string>> = {}) {
    const started: string[] = [];
    const ends: { resolve: (rest?: { restMs: number }) => void; reject: (error: Error) => void }[] = [];
    const errors: number[] = [];
    const lane = createLane<string>({
      limit: 2,
      run: (key) =>
        new Promise<{ restMs: number } | undefined>((resolve, reject) => {
          started.push(key);
          ends.push({ resolve, reject });
        }),
      onError: (_key, _error, retryInMs) => errors.push(retryInMs),
      ...options,
    });
    return { lane, started, ends, errors, turn };
  }

  it('starts no more than its limit, and nothing before it is started', async () => {
    const { lane, started, ends, turn } = manualLane();
    for (const key of ['a', 'b', 'c', 'c']) {
      lane.add(key);
    }
    await turn();
    expect(started).toEqual([]);
    lane.start();
    await turn();
    expect(started).toEqual(['a', 'b']);
    ends[0]?.resolve();
    await turn();
    expect(started).toEqual(['a', 'b', 'c']);
  });

  it('runs a key once more when it was added while it ran, never twice at once', async () => {
    const { lane, started, ends, turn } = manualLane();
    lane.start();
    lane.add('a');
    await turn();
    lane.add('a');
    lane.add('a');
    await turn();
    expect(started).toEqual(['a']);
    ends[0]?.resolve();
    await turn();
    expect(started).toEqual(['a', 'a']);
    ends[1]?.resolve();
    await turn();
    expect(started).toEqual(['a', 'a']);
  });

  it('lets a key rest as long as its run asked for', async () => {
    const { lane, started, ends, turn } = manualLane();
    lane.start();
    lane.add('a');
    await turn();
    ends[0]?.resolve({ restMs: 50 });
    await turn();
    lane.add('a');
    await vi.advanceTimersByTimeAsync(49);
    expect(started).toEqual(['a']);
    await vi.advanceTimersByTimeAsync(1);
    await turn();
    expect(started).toEqual(['a', 'a']);
  });

  it('tries a failed run again, after pauses that double', async () => {
    const { lane, started, ends, errors, turn } = manualLane();
    lane.start();
    lane.add('a');
    await turn();
    for (const pause of [100, 200, 400]) {
      ends.at(-1)?.reject(new Error('host trouble'));
      await turn();
      const before = started.length;
      await vi.advanceTimersByTimeAsync(pause - 1);
      expect(started).toHaveLength(before);
      await vi.advanceTimersByTimeAsync(1);
      await turn();
      expect(started).toHaveLength(before + 1);
    }
    expect(errors).toEqual([100, 200, 400]);
  });

  it('waits at its stop for what runs, not for what is queued, and not for ever', async () => {
    const { lane, started, ends, turn } = manualLane({ limit: 1 });
    lane.start();
    lane.add('a');
    lane.add('b');
    await turn();
    let stopped = false;
    const stop = lane.stop(1_000).then(() => {
      stopped = true;
    });
    await turn();
    expect(stopped).toBe(false);
    ends[0]?.resolve();
    await stop;
    expect(started).toEqual(['a']);

    const stuck = manualLane();
    stuck.lane.start();
    stuck.lane.add('a');
    await stuck.turn();
    const late = stuck.lane.stop(1_000);
    await vi.advanceTimersByTimeAsync(1_000);
    await late;
    expect(vi.getTimerCount()).toBe(0);
  });
});
