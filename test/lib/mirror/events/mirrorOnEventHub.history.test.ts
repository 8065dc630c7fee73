import { describe, expect, it } from 'vitest';

import { createLogger } from '../../../../src/lib/logger.ts';
import type { MirrorContext } from '../../../../src/lib/mirror/events/mirrorContext.ts';
import { mirrorOnEventHub } from '../../../../src/lib/mirror/events/mirrorOnEventHub.ts';
import { createPositionNotes, type PositionNotes } from '../../../../src/lib/mirror/events/notePosition.ts';
import type { RawEvent } from '../../../../src/lib/mirror/events/rawBatch.ts';
import { replayParked } from '../../../../src/lib/mirror/events/replay.ts';
import { createStoreTrouble } from '../../../../src/lib/mirror/events/storeTrouble.ts';
import type { MirrorStore } from '../../../../src/lib/mirror/store/mirrorStore.ts';
import { createTableStore } from '../../../../src/lib/mirror/store/tableStore.ts';
import { createStorage, type Storage } from '../../../../src/lib/storage/storage.ts';
import { startAzurite } from '../../../helpers/azurite.ts';
import { createMemoryMirrorStore } from '../../../helpers/memoryMirrorStore.ts';
import { beginRefresh } from '../../../helpers/modelRefresh.ts';
import { createRegistryModel, type RegistryModel } from '../../../helpers/registryModel.ts';
import { createUnkindStore } from '../../../helpers/unkindMirrorStore.ts';
import { createSeededRandom, type SeededRandom } from '../../../scenarios/seededRandom.ts';
import { expectMirrored, operate } from './mirroredModel.ts';
import { encodeEvent } from './sampleEvents.ts';

const PARTITIONS = 4;

interface Terms {
  readonly storage: Storage;
  readonly kept: MirrorStore;
  readonly positions: PositionNotes;
  readonly source: string;
  readonly seed: number;
  readonly events: number;
  readonly devices: number;
}

/**
 * A history in four partitions, each read in batches from wherever its position is: forward, and back now and then. The
 * store fails for a while, and batches wait for it meanwhile.
 */
async function mirrorHistory({
  storage,
  kept,
  positions: notes,
  source,
  seed,
  events,
  devices,
}: Terms): Promise<RegistryModel> {
  const random = createSeededRandom(seed);
  const registry = createRegistryModel({ partitions: PARTITIONS });
  let trouble = 0;
  const store = createUnkindStore(kept, {
    stale: () => random.chance(0.1),
    fails: () => trouble > 0 && random.chance(trouble),
  });
  const context: MirrorContext = {
    store,
    storage,
    sources: [{ connectionName: source, hub: 'default' }],
    hubs: ['default'],
    hubOfName: () => undefined,
    positions: notes,
    trouble: createStoreTrouble(),
    now: () => new Date(registry.nowMs()),
    sleep: async (ms) => registry.pass(ms),
    log: createLogger(() => {}),
  };
  const logs: RawEvent[][] = Array.from({ length: PARTITIONS }, () => []);
  const positions = logs.map(() => 0);
  let enqueued = 0;
  const act = (steps: number) => {
    for (let step = 0; step < steps; step++) operate(registry, random, devices);
    for (; enqueued < registry.events.length; enqueued++) {
      const event = registry.events[enqueued];
      if (event !== undefined) logs[Number(event.place.partition)]?.push(encodeEvent(event));
    }
  };
  const takeIn = async (partition: number, most: number) => {
    const log = logs[partition] ?? [];
    // A position that was lost, or a batch that was delivered twice.
    if (random.chance(0.04)) positions[partition] = Math.max(0, (positions[partition] ?? 0) - random.int(1, 300));
    const from = positions[partition] ?? 0;
    const batch = log.slice(from, from + random.int(1, most));
    if (batch.length === 0) return;
    await mirrorOnEventHub(context, {
      source,
      partition: String(partition),
      namespace: 'ns',
      eventHub: 'events',
      // Of one batch, parts may come late: those of routes that were not as fast.
      events: random.chance(0.2) ? random.shuffled(batch) : batch,
    });
    positions[partition] = from + batch.length;
  };
  const refresh = async (meanwhile: () => Promise<void>) => {
    const nowIso = () => new Date(registry.nowMs()).toISOString();
    const options = { store: kept, registry, hub: 'default', nowIso, lagSteps: () => random.int(0, 40) };
    const finish = await beginRefresh(options, 100);
    await meanwhile();
    await finish?.();
    return finish !== undefined;
  };

  while (registry.events.length < events) {
    act(random.int(1, 120));
    trouble = random.chance(0.03) ? pick(random) : 0;
    await takeIn(random.int(0, PARTITIONS - 1), 150);
    await refresh(async () => {
      act(3);
      await takeIn(random.int(0, PARTITIONS - 1), 20);
    });
    if (random.chance(0.1)) await replayParked(context);
  }
  trouble = 0;
  for (let partition = 0; partition < PARTITIONS; partition++) {
    while ((positions[partition] ?? 0) < (logs[partition]?.length ?? 0)) await takeIn(partition, 300);
  }
  expect(await replayParked(context)).toMatchObject({ left: false, dead: 0 });
  while (await refresh(async () => {})) registry.pass(1);
  registry.pass(10_000);
  return registry;
}

/** Fails each call, or some. */
function pick(random: SeededRandom): number {
  return random.pick([1, 0.3]);
}

async function openStorage(): Promise<Storage> {
  const { connectionString } = await startAzurite();
  return createStorage({ kind: 'connectionString', connectionString }, () => {
    throw new Error('no identity in this test');
  });
}

describe('a long history', () => {
  it('of 20,000 events ends in the state of the registry', async () => {
    const kept = createMemoryMirrorStore();
    const storage = await openStorage();
    // Nobody reads them here, and each is a request.
    const positions: PositionNotes = { read: async () => undefined, note: async () => {} };
    const terms = { storage, kept, positions, source: 'LONG', seed: 11, events: 20_000, devices: 150 };
    const registry = await mirrorHistory(terms);
    expectMirrored(kept.all('default'), registry, new Date(registry.nowMs()).toISOString());
  });

  it('does so in a table, too', async () => {
    const storage = await openStorage();
    const kept = createTableStore(storage.table('history'));
    await kept.prepare();
    const positions = createPositionNotes(storage);
    const terms = { storage, kept, positions, source: 'TABLE', seed: 12, events: 300, devices: 10 };
    const registry = await mirrorHistory(terms);
    const rows = (await Array.fromAsync(kept.rows('default'))).map(({ row }) => row);
    expectMirrored(rows, registry, new Date(registry.nowMs()).toISOString());
  });
});
