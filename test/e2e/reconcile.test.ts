import { afterAll, describe, expect, it } from 'vitest';

import { createTableStore } from '../../src/lib/mirror/store/tableStore.ts';
import { createStorage } from '../../src/lib/storage/storage.ts';
import type { WorkRun } from '../../src/lib/work/workRun.ts';
import { runCli } from '../cli/runCli.ts';
import { shareStack, type TestStack } from '../helpers/stack.ts';
import { findSecrets } from '../scenarios/secretScan.ts';

const shared = shareStack({ mirror: true, unkind: false, settings: { HUB_TIER: 'S3', MIRROR_TABLE: 'reconciled' } });
afterAll(() => shared.stop());

async function cli(stack: TestStack, ...args: readonly string[]) {
  const result = await runCli([...args, '--data', stack.data]);
  return { ...result, json: result.stdout.startsWith('{') ? (JSON.parse(result.stdout) as unknown) : undefined };
}

function rowsOf(stack: TestStack) {
  const connection = { kind: 'connectionString', connectionString: stack.storageConnectionString } as const;
  const storage = createStorage(connection, () => {
    throw new Error('no identity in this test');
  });
  return createTableStore(storage.table('reconciled'));
}

describe('mirror reconcile', () => {
  it('shows what has drifted, repairs it, and tells nothing secret', async () => {
    await shared.use(async (stack) => {
      const store = rowsOf(stack);
      const devices = ['pump-1', 'pump-2', 'pump-3'];
      for (const deviceId of devices) await stack.rest('PUT', `/devices/${deviceId}`, { deviceId, status: 'enabled' });
      expect(await cli(stack, 'mirror', 'reconcile', '--json')).toMatchObject({ code: 0, json: { from: 'export' } });
      const keys = devices.map((deviceId) => ({ deviceId }));
      const rows = async () => (await store.read('default', keys, { fresh: true })).map((stored) => stored?.row);
      // A row to which events are still to come would be newer than the next export.
      await stack.until('the events of all devices', async () =>
        (await rows()).every((row) => row?.bornAt !== undefined && row.wanted === undefined),
      );

      const disabled = { deviceId: 'pump-2', status: 'disabled' };
      expect(await stack.rest('PUT', '/devices/pump-2', disabled, { 'if-match': '*' })).toMatchObject({ status: 200 });
      const looked = await cli(stack, 'mirror', 'reconcile', '--dry-run', '--json');
      const drift = { missing: 0, extra: 0, different: 1 };
      expect(looked).toMatchObject({ code: 1, json: { ...drift, repaired: 0, dryRun: true, state: 'completed' } });
      const repaired = await cli(stack, 'mirror', 'reconcile', '--hub', 'default');
      expect(repaired).toMatchObject({ code: 0, stdout: expect.stringMatching(/different +1 [\s\S]*repaired +1\n/) });
      const statuses = (await rows()).map((row) => row?.identity?.status);
      expect(statuses).toEqual(['enabled', 'disabled', 'enabled']);

      const [, runId = ''] = /run ([0-9a-f]{20})/.exec(repaired.stderr) ?? [];
      const shown = await cli(stack, 'run', runId);
      expect(shown.stdout).toMatch(/what +reconcile of the mirror\n/);
      expect(shown.stdout).toMatch(/different +1 /);
      const { report } = (await stack.finalRun<WorkRun>(runId)) ?? {};
      expect(JSON.parse(await stack.read('provision-results', report?.drift ?? ''))).toEqual({
        deviceId: 'pump-2',
        drift: 'different',
        fields: ['status'],
        action: 'repaired',
      });
      const { body } = await stack.rest('GET', '/devices/pump-2');
      const { primaryKey = '' } = (body as { authentication: { symmetricKey: { primaryKey?: string } } }).authentication
        .symmetricKey;
      expect(primaryKey).not.toBe('');
      expect(await findSecrets(stack, [primaryKey])).toEqual([]);
    });
  });
});
