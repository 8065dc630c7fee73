import { afterAll, describe, expect, it } from 'vitest';

import { shareStack } from '../helpers/stack.ts';
import { backUpWipeRestore } from '../scenarios/backupRuns.ts';

const shared = shareStack({ settings: { HUB_TIER: 'S3', HUB_UNITS: '10' } });
afterAll(() => shared.stop());

describe('a registry that is backed up, wiped out and restored', () => {
  it('is as it was before, by what plain requests read of it', async () => {
    await shared.use(async (stack) => {
      const size = { devices: 3_000, modules: 300, edges: 60, configurations: 20 };
      const { restored, differences } = await backUpWipeRestore(stack, size, 180_000);
      expect(differences).toEqual([]);
      expect(restored).toMatchObject({ kind: 'restore', state: 'completed', outcomes: { failed: 0, unconfirmed: 0 } });
    });
  }, 240_000);
});
