import { readFile } from 'node:fs/promises';

import { afterAll, describe, expect, it } from 'vitest';

import type { WorkRun } from '../../src/lib/work/workRun.ts';
import { runCli } from '../cli/runCli.ts';
import { shareStack, type TestStack } from '../helpers/stack.ts';
import { findSecrets } from '../scenarios/secretScan.ts';

const shared = shareStack({ settings: { HUB_TIER: 'S3', BACKUP_KEEP: 'last=1', BACKUP_SCHEDULE: 'off' } });
afterAll(() => shared.stop());

async function begin(stack: TestStack, path: string, body?: object): Promise<string> {
  const reply = await stack.api('POST', path, body);
  expect(reply).toMatchObject({ status: 202, body: { state: 'accepted' } });
  return (reply.body as WorkRun).runId;
}

async function backUp(stack: TestStack): Promise<WorkRun> {
  return stack.finalRun<WorkRun>(await begin(stack, 'backups'));
}

async function verify(stack: TestStack, body?: object): Promise<WorkRun> {
  return stack.finalRun<WorkRun>(await begin(stack, 'backups/verify', body));
}

const listed = async (stack: TestStack) =>
  ((await stack.api('GET', 'backups')).body as { backups: Record<string, unknown>[] }).backups;

describe('a backup', () => {
  it('is made, listed, verified, found damaged, and replaced by the next', async () => {
    await shared.use(async (stack) => {
      const sample = await readFile('samples/devices.txt', 'utf8');
      await stack.drop('first/devices.txt', sample);
      expect(await stack.finalRecord('first/devices.txt')).toMatchObject({ state: 'completed' });
      await stack.rest('PUT', '/devices/gateway-1', { deviceId: 'gateway-1', status: 'enabled' });
      await stack.rest('PUT', '/devices/gateway-1/modules/m', {
        deviceId: 'gateway-1',
        moduleId: 'm',
        managedBy: 'me',
      });

      const first = await backUp(stack);
      expect(first).toMatchObject({ kind: 'backup', state: 'completed', hub: 'default' });
      const devices = (await stack.deviceIds()).length;
      const name = String(first.result?.['backup']);
      expect(first.result).toMatchObject({ devices, verified: true, countMismatch: false, extrasComplete: true });
      expect(await listed(stack)).toMatchObject([{ backup: name, state: 'good', devices, keys: 'included' }]);
      const exported = await stack.read('registry-backups', `${name}/devices.txt`);
      const key = /"primaryKey":"([^"]+)"/.exec(exported)?.[1] ?? '';
      expect(key).not.toBe('');
      expect(await findSecrets(stack, [key])).toEqual([]);

      expect(await verify(stack, { backup: 'latest' })).toMatchObject({
        state: 'completed',
        result: { good: 1, backups: [{ backup: name, result: 'good' }] },
      });
      const flipped = Buffer.from(exported);
      flipped[exported.indexOf('"status"')] = 0x27;
      await stack.blobs
        .getContainerClient('registry-backups')
        .getBlockBlobClient(`${name}/devices.txt`)
        .upload(flipped, flipped.length);
      const damaged = await verify(stack);
      expect(damaged).toMatchObject({ state: 'completedWithFailures', error: { code: 'backupDamaged' } });
      expect(damaged.error?.message).toContain(name);
      expect(await listed(stack)).toMatchObject([{ backup: name, state: 'damaged' }]);

      const second = await backUp(stack);
      const cli = (...args: string[]) => runCli([...args, '--data', stack.data]);
      const made = await cli('backup', '--hub', 'default', '--json');
      expect(made).toMatchObject({ code: 0, stdout: expect.stringMatching(/^[^\n]*\n$/) });
      const json = JSON.parse(made.stdout) as Record<string, unknown>;
      expect(json).toMatchObject({ devices, modules: 9, verified: true, countMismatch: false, state: 'completed' });
      const third = await stack.finalRun<WorkRun>(String(json['runId']));
      expect(third.result?.['removed']).toEqual([second.result?.['backup']]);
      expect(await stack.api('POST', 'backups/prune', { dryRun: true })).toMatchObject({
        status: 200,
        body: { dryRun: true, keep: [{ backup: third.result?.['backup'] }, { backup: name }], remove: [] },
      });

      const table = await cli('backups', '--hub', 'default');
      expect(table).toMatchObject({ code: 0, stdout: expect.stringMatching(/ damaged .*\n {2}.*devices\.txt/s) });
      const again = await cli('backups', '--verify', name, '--json');
      expect(again.code).toBe(1);
      expect(JSON.parse(again.stdout)).toMatchObject({ damaged: 1, error: { code: 'backupDamaged' } });
      expect(await cli('backups', '--verify', 'default/2001/01/01T000000Z')).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('There is no backup default/2001/01/01T000000Z.'),
      });
      expect(await cli('backup', '--hub', 'nowhere')).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('The app has no such hub. It has: default.'),
      });

      const lastGood = third.result?.['backup'];
      const health = await stack.until('health to tell of the newest backup', async () => {
        const reply = await stack.api('GET', 'health');
        return JSON.stringify(reply.body).includes(`"lastGood":"${String(lastGood)}"`) ? reply : undefined;
      });
      expect(health).toMatchObject({
        status: 200,
        body: { status: 'healthy', backups: [{ hub: 'default', lastGood, overdue: false }] },
      });
    });
  });

  it('is made when its time has come, once for each time however often the timer fires', async () => {
    await shared.use(async (stack) => {
      await stack.rest('PUT', '/devices/alone', { deviceId: 'alone', status: 'enabled' });
      await stack.restartHost({ settings: { BACKUP_SCHEDULE: '*/5 * * * * *' } });
      const scheduled = await stack.until('two backups by schedule', async () => {
        const { runs } = (await stack.api('GET', 'runs')).body as { runs: WorkRun[] };
        const completed = runs.filter(({ kind, state }) => kind === 'backup' && state === 'completed');
        return completed.length > 1 ? runs : undefined;
      });
      const slots = scheduled.map(({ request }) => String(request['slot']));
      expect(new Set(slots).size).toBe(slots.length);
      expect(slots.every((slot) => /:[0-5][05]\.000Z$/.test(slot))).toBe(true);
    });
  });
});
