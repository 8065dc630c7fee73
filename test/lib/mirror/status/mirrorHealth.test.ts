import { expect, test } from 'vitest';
import { createCounts } from '../../../../src/lib/mirror/query/counts.ts';
import { createMirrorHealth } from '../../../../src/lib/mirror/status/mirrorHealth.ts';
import type { StatusContext } from '../../../../src/lib/mirror/status/mirrorStatus.ts';
import { MIRROR_CONTAINER } from '../../../../src/lib/storage/storage.ts';
import { startAzurite } from '../../../helpers/azurite.ts';
import { createMemoryMirrorStore } from '../../../helpers/memoryMirrorStore.ts';
import { testContext } from '../../../helpers/provisioningContext.ts';

test('health says what is wrong, asks anew after ten seconds, and outlives what cannot be asked', async () => {
  const { storage } = testContext((await startAzurite()).connectionString);
  const store = createMemoryMirrorStore();
  let asked = 0;
  let ms = 0;
  let problem: string | undefined = 'no answer within 5 s';
  const now = () => new Date(Date.parse('2026-11-26T12:00:00.000Z') + ms);
  const connection = { kind: 'identity', fullyQualifiedNamespace: 'ns' } as const;
  const source = { connectionName: 'MIRROR_EVENTS', connection, eventHub: 'e', consumerGroup: '$Default' };
  const hubs = ['default'];
  const counts = createCounts({
    store,
    container: storage.container(MIRROR_CONTAINER),
    hubs,
    now,
    sleep: async () => undefined,
  });
  const context: StatusContext = {
    ...{ storage, store, hubs, now, counts, mirror: { sources: [source], table: 't' } },
    readEnds: async () => {
      asked += 1;
      return problem === undefined ? { namespace: 'ns', ends: [] } : { namespace: 'ns', problem };
    },
  };
  const health = createMirrorHealth(context);
  const [ill] = await Promise.all([health(), health()]);
  expect(ill).toMatchObject({
    name: 'mirror',
    ok: false,
    problem: expect.stringMatching(
      /^The Event Hub e of MIRROR_EVENTS cannot be asked how far it is: no answer .* network\.$/,
    ),
    status: { sources: [{ events: null }] },
  });
  problem = undefined;
  ms = 9_999;
  expect(await health()).toMatchObject({ ok: false });
  expect(asked).toBe(1);
  ms = 10_000;
  // No event was ever seen, and no reconcile made: that is told, and no illness.
  const well = await health();
  expect(well).toMatchObject({
    ok: true,
    status: { notes: [{ code: 'noLifecycleEvent' }, { code: 'reconcileNever' }] },
  });
  expect(well).not.toHaveProperty('problem');

  const broken = {
    ...context,
    storage: {
      container: () => {
        throw new Error('no storage');
      },
    },
  };
  expect(await createMirrorHealth(broken)()).toEqual({ name: 'mirror', ok: false, problem: 'no storage' });
});
