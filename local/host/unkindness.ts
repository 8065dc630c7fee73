import type { Unkindness } from './contracts.ts';

/** A source of seeded choices (the mulberry32 generator): the same seed gives the same sequence. */
export function createUnkindness(seed: number): Unkindness {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    seed,
    chance: (probability) => next() < probability,
    delayMs: (upTo) => Math.floor(next() * upTo),
  };
}

/** The items in an order that `unkind` chooses (Fisher-Yates); as they are without it. */
export function shuffled<T>(items: readonly T[], unkind: Unkindness | undefined): T[] {
  const result = [...items];
  if (unkind !== undefined) {
    for (let last = result.length - 1; last > 0; last--) {
      const other = unkind.delayMs(last + 1);
      [result[last], result[other]] = [result[other] as T, result[last] as T];
    }
  }
  return result;
}
