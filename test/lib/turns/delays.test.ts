import { describe, expect, it } from 'vitest';

import {
  growingDelaySeconds,
  startDelaySeconds,
  turnDelaySeconds,
  watchDelaySeconds,
} from '../../../src/lib/turns/delays.ts';

describe('the pause before the next question', () => {
  it.each([
    { position: 1, sameMs: 0, seconds: 1 },
    { position: 2, sameMs: 0, seconds: 3 },
    { position: 3, sameMs: 0, seconds: 5 },
    { position: 15, sameMs: 0, seconds: 29 },
    { position: 40, sameMs: 0, seconds: 30 },
    { position: 1, sameMs: 60_000, seconds: 6 },
    { position: 1, sameMs: 3_600_000, seconds: 30 },
  ])('for the turn is $seconds s at place $position after $sameMs ms there', ({ position, sameMs, seconds }) => {
    expect(turnDelaySeconds(position, sameMs)).toBe(seconds);
  });

  it.each([
    { tries: 0, atLeast: 0, seconds: 2 },
    { tries: 1, atLeast: 0, seconds: 3 },
    { tries: 2, atLeast: 0, seconds: 5 },
    { tries: 2, atLeast: 10, seconds: 10 },
    { tries: 200, atLeast: 5, seconds: 30 },
  ])('for a job is $seconds s after $tries tries and not less than $atLeast', ({ tries, atLeast, seconds }) => {
    expect(startDelaySeconds(tries, atLeast)).toBe(seconds);
  });

  it('grows by half each time, up to what is named', () => {
    expect([0, 1, 2, 3, 9, 999].map((tries) => growingDelaySeconds(tries, 60))).toEqual([2, 3, 5, 7, 60, 60]);
  });

  it.each([
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
  ])('for the end of a job is $seconds s at $elapsedMs ms, $progress %', ({ elapsedMs, progress, seconds }) => {
    expect(watchDelaySeconds(elapsedMs, progress)).toBe(seconds);
  });

  it('finds the end of a job within an eighth of its time, or half a second, in less than 60 looks in ten minutes', () => {
    let looks = 0;
    for (let at = 0; at < 600_000; looks++) {
      const next = at + watchDelaySeconds(at) * 1000;
      if (at > 2_000) expect(next - at).toBeLessThanOrEqual(Math.max(500, at / 8) + 0.001);
      at = next;
    }
    expect(looks).toBeLessThan(60);
  });
});
