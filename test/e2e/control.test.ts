import { describe, expect, it } from 'vitest';

import { NOW, withStack } from '../helpers/stack.ts';

const devices = (prefix: string, count: number) =>
  Array.from({ length: count }, (_, i) => `{"id":"${prefix}-${i}","importMode":"create"}\n`).join('');

describe('people in charge of a run', () => {
  it('can try it dry, give options in a file, and cancel it while its job runs', async () => {
    await withStack({ hubArgs: ['--job-rate', '50'] }, async (stack) => {
      await stack.drop('dry/devices.txt', `${devices('dry', 3)}bad\n`, { ...NOW, dryrun: 'true' });
      const dry = await stack.finalRecord('dry/devices.txt');
      expect(dry).toMatchObject({
        state: 'completedWithFailures',
        outcomes: { skipped: 3, rejected: 1, succeeded: 0 },
      });
      expect((await stack.hubState()).jobs.importsCreated).toBe(0);

      // Dropped after the devices, and still in time: the folder has to be quiet first.
      await stack.drop('file/devices.txt', '{"id":"file-1"}\n', {});
      await stack.drop('file/options.json', '{"importMode":"create"}', {});
      const file = await stack.finalRecord('file/devices.txt');
      expect(file).toMatchObject({ state: 'completed', options: { importMode: 'create' }, outcomes: { succeeded: 1 } });

      await stack.drop('long/devices.txt', devices('long', 3_000));
      const running = await stack.until('the job to run', async () => {
        const record = await stack.recordOf('long/devices.txt');
        return record?.jobs.import?.status === 'running' ? record : undefined;
      });
      const reply = await fetch(`${stack.apiUrl}/runs/${running.runId}/cancel`, { method: 'POST' });
      expect(reply.status).toBe(202);
      const cancelled = await stack.finalRecord('long/devices.txt');
      expect(cancelled).toMatchObject({ state: 'cancelled', jobs: { import: { status: 'cancelled' } } });
      // Some were applied and some were not, and no log says which: the registry is verified.
      const made = (await stack.deviceIds()).filter((id) => id.startsWith('long')).length;
      expect(cancelled.outcomes).toMatchObject({ succeeded: made, failed: 3_000 - made, unconfirmed: 0 });
      const again = await fetch(`${stack.apiUrl}/runs/${running.runId}/cancel`, { method: 'POST' });
      expect(again.status).toBe(409);
      expect((await fetch(`${stack.apiUrl}/runs/ffffffffffffffffffff/cancel`, { method: 'POST' })).status).toBe(404);
    });
  });

  it('see the truth over HTTP: runs, one run, health', async () => {
    await withStack({}, async (stack) => {
      await stack.drop('a/devices.txt', devices('a', 2));
      const record = await stack.finalRecord('a/devices.txt');
      const list = (await (await fetch(`${stack.apiUrl}/runs`)).json()) as { runs: unknown[] };
      expect(list.runs).toEqual([record]);
      expect(await (await fetch(`${stack.apiUrl}/runs/${record.runId}`)).json()).toEqual(record);
      expect((await fetch(`${stack.apiUrl}/runs?limit=0`)).status).toBe(400);
      expect((await fetch(`${stack.apiUrl}/runs/ffffffffffffffffffff`)).status).toBe(404);
      for (const id of ['nope', record.runId.toUpperCase(), `${record.runId}0`, `${record.runId}%2F..`]) {
        for (const verb of ['', '/cancel', '/suspend', '/resume']) {
          const reply = await fetch(`${stack.apiUrl}/runs/${id}${verb}`, { method: verb === '' ? 'GET' : 'POST' });
          expect([id, verb, reply.status, await reply.json()]).toEqual([
            id,
            verb,
            400,
            { error: { code: 'runIdInvalid', message: expect.stringContaining('20 characters') } },
          ]);
        }
      }
      expect(await (await fetch(`${stack.apiUrl}/health`)).json()).toMatchObject({ status: 'healthy' });

      // A policy that may only read: the rights it lacks are named.
      await stack.restartHost({ settings: { IOTHUB: stack.connectionStrings.registryRead ?? '' } });
      const health = await fetch(`${stack.apiUrl}/health`);
      expect(health.status).toBe(503);
      expect(await health.json()).toMatchObject({
        checks: expect.arrayContaining([
          expect.objectContaining({ ok: false, problem: expect.stringContaining('RegistryWrite, ServiceConnect') }),
        ]),
      });
    });
  });
});

describe('trouble around a run', () => {
  it('waits for a hub that is busy with a job of somebody else, then runs', async () => {
    await withStack({}, async (stack) => {
      const foreign = await fetch(`${stack.hubAdminUrl}/jobs`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ durationMs: 8_000 }),
      });
      expect(foreign.ok).toBe(true);
      await stack.drop('busy/devices.txt', devices('busy', 5));
      await stack.until('the run to say that it waits', async () => {
        const record = await stack.recordOf('busy/devices.txt');
        return record?.waiting?.reason.includes('one at a time');
      });
      expect(await stack.finalRecord('busy/devices.txt')).toMatchObject({
        state: 'completed',
        outcomes: { succeeded: 5 },
      });
      expect((await stack.finalRecord('busy/devices.txt')).waiting).toBeUndefined();
    });
  });

  it('sends nothing of a file that was deleted or replaced while its run waited', async () => {
    await withStack({}, async (stack) => {
      await fetch(`${stack.hubAdminUrl}/jobs`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ durationMs: 10_000 }),
      });
      await stack.drop('deleted/devices.txt', devices('deleted', 2));
      await stack.drop('replaced/devices.txt', devices('before', 2));
      const first = await stack.until('both runs to wait', async () => {
        const records = await Promise.all(['deleted', 'replaced'].map((name) => stack.recordOf(`${name}/devices.txt`)));
        return records.every((record) => record?.waiting !== undefined) ? records[1] : undefined;
      });
      await stack.blobs.getContainerClient('provision').deleteBlob('deleted/devices.txt');
      await stack.drop('replaced/devices.txt', devices('after', 2));
      expect(await stack.finalRecord('deleted/devices.txt')).toMatchObject({
        state: 'refused',
        error: { code: 'dropDeleted' },
        outcomes: { skipped: 2 },
      });
      expect(await stack.finalRecord('replaced/devices.txt')).toMatchObject({ state: 'completed' });
      const old = await stack.until('the first run to end', async () => {
        const text = await stack.read('hubkeeper-runs', `${first.runId}.json`);
        const record = JSON.parse(text) as { state: string; error?: { code: string } };
        return record.state === 'refused' ? record : undefined;
      });
      expect(old.error?.code).toBe('dropReplaced');
      expect((await stack.rest('GET', '/devices/before-0')).status).toBe(404);
      expect((await stack.rest('GET', '/devices/deleted-0')).status).toBe(404);
      expect((await stack.rest('GET', '/devices/after-0')).status).toBe(200);
    });
  });

  it('ends a run with a clear error when the key is wrong, when the hub cannot be reached, and when its alias is unknown', async () => {
    const deadHub =
      'HostName=127.0.0.1:9;SharedAccessKeyName=iothubowner;SharedAccessKey=bm8tc3VjaC1odWItbm8tc3VjaC1odWI=;UseDevelopmentEmulator=true';
    await withStack({ settings: { IOTHUB__dead: deadHub } }, async (stack) => {
      const wrongKey = stack.connectionString.replace(
        /SharedAccessKey=[^;]*/,
        `SharedAccessKey=${Buffer.alloc(32, 1).toString('base64')}`,
      );
      await stack.restartHost({ settings: { IOTHUB__wrong: wrongKey } });
      await stack.drop('wrong/devices.txt', devices('w', 2));
      await stack.drop('dead/devices.txt', devices('d', 2), { ...NOW, retryminutes: '0' });
      await stack.drop('nowhere/devices.txt', devices('n', 2));
      const wrong = await stack.finalRecord('wrong/devices.txt');
      expect(wrong).toMatchObject({ state: 'failed', outcomes: { skipped: 2 } });
      expect(wrong.error?.message).toMatch(/IotHubUnauthorized|key|unauthorized/i);
      expect(wrong.error?.message).not.toContain(Buffer.alloc(32, 1).toString('base64'));
      const dead = await stack.finalRecord('dead/devices.txt');
      expect(dead).toMatchObject({ state: 'failed', outcomes: { skipped: 2 } });
      expect(dead.error?.message).toContain('127.0.0.1:9');
      const nowhere = await stack.finalRecord('nowhere/devices.txt');
      expect(nowhere).toMatchObject({ state: 'refused', error: { code: 'hubUnknown' } });
      expect(nowhere.error?.message).toContain('dead, default, wrong');
    });
  });

  it('works without any signature when the hub reaches storage with its identity', async () => {
    await withStack({ settings: { STORAGE_AUTH: 'identity' } }, async (stack) => {
      await stack.drop('id/devices.txt', devices('id', 4));
      expect(await stack.finalRecord('id/devices.txt')).toMatchObject({
        state: 'completed',
        outcomes: { succeeded: 4 },
      });
    });
  });
});
