import { afterAll, describe, expect, it } from 'vitest';

import { shareStack } from '../helpers/stack.ts';
import { undoBadDrop } from '../scenarios/badDrop.ts';

const shared = shareStack({ settings: { HUB_TIER: 'S3', HUB_UNITS: '10' } });
afterAll(() => shared.stop());

const UNDONE = { kind: 'undo', state: 'completed', outcomes: { failed: 0, unconfirmed: 0 } };

describe('a bad drop that is undone', () => {
  it('leaves the registry as it was: of many lines, whose pre-image is an export', async () => {
    await shared.use(async (stack) => {
      const size = { devices: 1_500, modules: 150, edges: 30, configurations: 4 };
      const bad = { tags: 500, deletes: 200, disables: 100 };
      const { dropped, undone, harm, differences } = await undoBadDrop(stack, size, bad, 180_000);
      expect(dropped.outcomes).toMatchObject({ succeeded: 800 });
      expect(harm).toBeGreaterThan(800);
      expect(differences).toEqual([]);
      expect(undone).toMatchObject(UNDONE);
      // An export does not tell who managed a module: the run has asked the hub.
      expect(JSON.stringify(undone.result)).not.toContain('managersUnknown');
    });
  });

  it('leaves the registry as it was: of few lines, whose pre-image is read one by one', async () => {
    await shared.use(async (stack) => {
      const size = { devices: 300, modules: 40, edges: 12, configurations: 4 };
      const bad = { tags: 20, deletes: 15, disables: 10, enabledOnly: true };
      const { dropped, undone, harm, differences } = await undoBadDrop(stack, size, bad, 180_000);
      expect(dropped.outcomes).toMatchObject({ succeeded: 45 });
      expect(harm).toBeGreaterThan(45);
      expect(differences).toEqual([]);
      expect(undone).toMatchObject(UNDONE);
      expect(JSON.stringify(undone.result)).not.toContain('managersUnknown');
    });
  });
});
