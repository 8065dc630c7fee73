import { expect, it } from 'vitest';

import {
  failsOver,
  hubThrottles,
  STRANGE,
  storageIsGone,
  storeFails,
  strangeEvents,
  withChaos,
} from '../scenarios/mirrorChaos.ts';

it('a store, a storage account and a hub in trouble, strange events and a failover lose nothing, and status tells', async () => {
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
  });
});
