import { expect, it } from 'vitest';
import {
  type Chaos,
  failsOver,
  hubThrottles,
  SECRETS,
  STRANGE,
  storageIsGone,
  storeFails,
  strangeEvents,
  withChaos,
} from '../scenarios/mirrorChaos.ts';
import { readRegistry } from '../scenarios/readRegistry.ts';
import { findSecrets } from '../scenarios/secretScan.ts';

/** Of the hub, of its events, of the storage, and of some devices. */
function keysOf({ stack }: Chaos): readonly string[] {
  const strings = [
    ...Object.values(stack.connectionStrings),
    stack.eventsConnectionString,
    stack.storageConnectionString,
  ];
  const keys = strings.map((text) => /(?:SharedAccess|Account)Key=([^;]+)/.exec(text)?.[1] ?? '');
  const ofDevices = [...readRegistry(stack.data).values()].slice(0, 50);
  return [...keys, ...ofDevices.flatMap(({ authentication: { primaryKey } }) => primaryKey ?? [])];
}

it('a store, a storage account and a hub in trouble, strange events and a failover lose nothing; status tells, and no secrets', async () => {
  await withChaos({ seed: 7, seconds: 2 }, async (chaos) => {
    await Promise.all([storeFails(chaos), hubThrottles(chaos), strangeEvents(chaos)]);
    await storageIsGone(chaos);
    await chaos.equal();
    expect((await chaos.status()).body).toMatchObject({
      deadLetters: { count: 20, reasons: STRANGE },
      events: { skipped: 0 },
      parked: { count: 0 },
      notes: [{ code: 'deadLetters' }, { code: 'reconcileNever' }],
    });
    await failsOver(chaos);
    await chaos.equal();
    expect((await chaos.status()).body).toMatchObject({ hubs: [{ reconcile: { dryRun: false } }] });
    expect(await findSecrets(chaos.stack, [...SECRETS, ...keysOf(chaos)])).toEqual([]);
  });
});
