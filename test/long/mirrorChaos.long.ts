import { expect, it } from 'vitest';

import {
  type Chaos,
  failsOver,
  hubThrottles,
  STRANGE,
  storageIsGone,
  storeFails,
  strangeEvents,
  withChaos,
} from '../scenarios/mirrorChaos.ts';

const seed = Number(process.env['SEED'] ?? Date.now() % 100_000);
const seconds = Number(process.env['TROUBLE_SECONDS'] ?? 60);

const TROUBLES: Readonly<Record<string, (chaos: Chaos) => Promise<void>>> = {
  'the store fails': storeFails,
  'storage is gone': storageIsGone,
  'the hub throttles': hubThrottles,
  'strange events': strangeEvents,
  'a failover': failsOver,
};

it(`${seconds} s of each trouble, one after the other, lose nothing (SEED=${seed})`, async () => {
  await withChaos({ seed, seconds }, async (chaos) => {
    for (const [name, trouble] of Object.entries(TROUBLES)) {
      const startedAt = performance.now();
      const elapsed = () => `${((performance.now() - startedAt) / 1000).toFixed(1)} s`;
      await trouble(chaos);
      const over = elapsed();
      await chaos.equal();
      const { parked, skipped } = (await chaos.status()).body.events;
      console.log(
        `${name}: over after ${over}, made up for after ${elapsed()}; so far ${parked} parked, ${skipped} skipped`,
      );
    }
    expect((await chaos.status()).body).toMatchObject({
      deadLetters: { count: 20, reasons: STRANGE },
      events: { skipped: 0 },
      hubs: [{ reconcile: { dryRun: false } }],
    });
  });
});
