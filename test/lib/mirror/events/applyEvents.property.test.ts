import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { applyEvents } from '../../../../src/lib/mirror/events/applyEvents.ts';
import type { MirrorEvent } from '../../../../src/lib/mirror/rows/mirrorEvent.ts';
import { StoreUnavailable } from '../../../../src/lib/mirror/store/mirrorStore.ts';
import { createMemoryMirrorStore } from '../../../helpers/memoryMirrorStore.ts';
import { beginRefresh } from '../../../helpers/modelRefresh.ts';
import { createRegistryModel } from '../../../helpers/registryModel.ts';
import { createUnkindStore } from '../../../helpers/unkindMirrorStore.ts';
import { createSeededRandom } from '../../../scenarios/seededRandom.ts';
import { expectMirrored, operate } from './mirroredModel.ts';

interface History {
  readonly seed: number;
  readonly steps: number;
  readonly devices: number;
  readonly skewMs: number;
}

/** A history, mirrored while it goes on, by two who take in events at a time, and by refreshes. */
async function mirror({ seed, steps, devices, skewMs }: History): Promise<void> {
  const random = createSeededRandom(seed);
  const registry = createRegistryModel();
  const kept = createMemoryMirrorStore();
  let isKind = false;
  const chance = (probability: number) => () => !isKind && random.chance(probability);
  const store = createUnkindStore(kept, { stale: chance(0.3), fails: chance(0.03) });
  const nowIso = () => new Date(registry.nowMs() + skewMs).toISOString();
  const context = { store, now: () => new Date(registry.nowMs() + skewMs), sleep: async () => {} };
  const refreshOptions = { store, registry, hub: 'default', nowIso, lagSteps: () => random.int(0, 3 * devices) };

  const pool: MirrorEvent[] = [];
  let enqueued = 0;
  const act = () => {
    operate(registry, random, devices);
    pool.push(...registry.events.slice(enqueued));
    enqueued = registry.events.length;
  };
  const hear = async (events: readonly MirrorEvent[]) => {
    try {
      await applyEvents(context, 'default', events);
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
      pool.push(...events);
    }
  };
  const takeSome = (): MirrorEvent[] => {
    const some: MirrorEvent[] = [];
    for (let count = random.int(1, 8); count > 0 && pool.length > 0; count--) {
      some.push(...pool.splice(random.chance(0.5) ? 0 : random.int(0, pool.length - 1), 1));
    }
    const known = registry.events[random.int(0, registry.events.length)];
    return known === undefined || pool.includes(known) || random.chance(0.7) ? some : [...some, known];
  };
  const refresh = async (meanwhile: () => Promise<void>) => {
    try {
      const finish = await beginRefresh(refreshOptions, random.int(1, 6));
      await meanwhile();
      await finish?.();
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
    }
  };
  const hearTwo = async () => {
    await Promise.all([hear(takeSome()), hear(takeSome())]);
  };

  for (let step = 0; step < steps; step++) {
    act();
    if (random.chance(0.4)) await hearTwo();
    if (random.chance(0.3)) {
      await refresh(async () => {
        if (random.chance(0.5)) act();
        if (random.chance(0.5)) await hearTwo();
      });
    }
  }
  while (pool.length > 0) {
    await hearTwo();
    if (random.chance(0.3)) await refresh(hearTwo);
  }
  isKind = true;
  for (let round = 0; !kept.isIdle(); round++) {
    expect(round).toBeLessThan(1_000);
    await refresh(async () => {});
  }
  registry.pass(10_000);
  expectMirrored(kept.all('default'), registry, nowIso());
}

describe('events that are applied', () => {
  it('end in the state of the registry, in any order, batching and number of times', async () => {
    const histories = fc.record({
      seed: fc.nat(),
      steps: fc.integer({ min: 1, max: 90 }),
      devices: fc.integer({ min: 1, max: 4 }),
      skewMs: fc.integer({ min: -3_000, max: 3_000 }),
    });
    await fc.assert(fc.asyncProperty(histories, mirror), { numRuns: 400 });
  });
});
