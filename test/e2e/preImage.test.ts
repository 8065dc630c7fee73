import { afterAll, describe, expect, it } from 'vitest';

import { NOW, shareStack, type TestStack } from '../helpers/stack.ts';

const shared = shareStack({ settings: { HUB_TIER: 'S3' } });
afterAll(() => shared.stop());

interface Identity {
  readonly status: string;
  readonly statusReason?: string;
  readonly authentication: { readonly symmetricKey: { readonly primaryKey: string } };
  readonly capabilities: { readonly iotEdge: boolean };
  readonly deviceScope?: string;
}

const key = (text: string) => Buffer.from(text.padEnd(32, '.')).toString('base64');
const line = (value: object) => `${JSON.stringify(value)}\n`;
const keys = (name: string) => ({
  type: 'sas',
  symmetricKey: { primaryKey: key(name), secondaryKey: key(`${name}2`) },
});
const create = (id: string, more: object = {}) =>
  line({ id, importMode: 'create', status: 'enabled', authentication: keys(id), ...more });
const JSON_TYPE = { 'content-type': 'application/json' };

async function identity(stack: TestStack, id: string): Promise<Identity> {
  return (await stack.rest('GET', `/devices/${id}`)).body as Identity;
}

async function exportsCreated(stack: TestStack): Promise<number> {
  return (await stack.hubState()).jobs.exportsCreated;
}

describe('what a line leaves out', () => {
  it('is kept as the device has it: keys, status, reason, edge capability; a new device gets what new ones get', async () => {
    await shared.use(async (stack) => {
      const stolen = { status: 'disabled', statusReason: 'stolen', capabilities: { iotEdge: true } };
      await stack.drop('before/devices.txt', create('plain') + create('stolen', stolen) + create('rotate'));
      await stack.finalRecord('before/devices.txt');

      await stack.drop(
        'after/devices.txt',
        line({ id: 'plain', tags: { seen: 1 } }) +
          line({ id: 'stolen', importMode: 'update', tags: { seen: 2 } }) +
          line({ id: 'fresh', tags: { seen: 3 } }),
      );
      const record = await stack.finalRecord('after/devices.txt');
      expect(record).toMatchObject({ state: 'completed', outcomes: { succeeded: 3 }, preImage: { identities: 2 } });
      expect(await identity(stack, 'plain')).toMatchObject({
        status: 'enabled',
        authentication: { symmetricKey: { primaryKey: key('plain') } },
      });
      expect(await identity(stack, 'stolen')).toMatchObject({
        ...stolen,
        authentication: { symmetricKey: { primaryKey: key('stolen') } },
      });
      expect(await identity(stack, 'fresh')).toMatchObject({ status: 'enabled' });
      expect((await stack.rest('GET', '/twins/stolen')).body).toMatchObject({ tags: { seen: 2 } });
      // The pre-image holds what was there, keys included; few identities need no export for it.
      const preImage = await stack.read(record.preImage?.container ?? '', record.preImage?.blobName ?? '');
      expect(preImage).toContain(key('stolen'));
      expect(preImage).not.toContain('fresh');
      expect(await exportsCreated(stack)).toBe(0);

      await stack.drop('rotate/devices.txt', line({ id: 'rotate', status: 'enabled' }), {
        ...NOW,
        missingkeys: 'regenerate',
      });
      expect(await stack.finalRecord('rotate/devices.txt')).toMatchObject({ state: 'completed' });
      expect((await identity(stack, 'rotate')).authentication.symmetricKey.primaryKey).not.toBe(key('rotate'));

      // Without a pre-image: only what says all itself, and only when that was confirmed.
      const { deviceScope } = await identity(stack, 'stolen');
      const bare =
        line({ id: 'plain', status: 'enabled' }) +
        create('stolen', { importMode: 'update', capabilities: { iotEdge: true }, deviceScope }) +
        line({ id: 'fresh', importMode: 'delete' }) +
        line({ id: 'new', importMode: 'create' });
      const never = { ...NOW, backupfirst: 'never' };
      await stack.drop('haste/devices.txt', bare, { ...never, confirm: 'another' });
      const refused = await stack.finalRecord('haste/devices.txt');
      expect(refused).toMatchObject({
        state: 'refused',
        error: { code: 'confirmationNeeded', message: expect.stringContaining('backupFirst never') },
        outcomes: { rejected: 1, skipped: 3 },
      });
      const confirm = /name of the hub, ([^;\s]+);/.exec(refused.error?.action ?? '')?.[1] ?? '';
      await stack.drop('sure/devices.txt', bare, { ...never, confirm });
      const hasty = await stack.finalRecord('sure/devices.txt');
      expect(hasty).toMatchObject({
        state: 'completedWithFailures',
        check: { lines: 4, rejected: 1, byMode: { update: 1, delete: 1, create: 1 } },
        outcomes: { rejected: 1, succeeded: 3 },
      });
      expect(hasty).not.toHaveProperty('preImage');
      expect((await stack.rows(hasty)).map(({ deviceId, code }) => [deviceId, code])).toContainEqual([
        'plain',
        'leavesOut',
      ]);
      expect(await identity(stack, 'plain')).toMatchObject({ authentication: keys('plain') });
    });
  });

  it('is kept, too, when the line fails transiently and is sent again', async () => {
    await shared.use(async (stack) => {
      // More than are read one by one.
      const ids = Array.from({ length: 210 }, (_, index) => `d${index}`);
      await stack.drop('before/devices.txt', ids.map((id) => create(id, { status: 'disabled' })).join(''));
      await stack.finalRecord('before/devices.txt');
      const faults = JSON.stringify([{ operation: 'importLine', code: 'ThrottlingException' }]);
      await fetch(`${stack.hubAdminUrl}/faults`, { method: 'POST', body: faults });
      const lines = [...ids, 'fresh'].map((id) => line({ id, tags: { seen: 1 } }));
      await stack.drop('after/devices.txt', lines.join(''));
      const record = await stack.finalRecord('after/devices.txt');
      expect(record).toMatchObject({ state: 'completed', outcomes: { succeeded: 211 }, preImage: expect.anything() });
      for (const id of ['d0', 'd209']) {
        expect(await identity(stack, id)).toMatchObject({ status: 'disabled', authentication: keys(id) });
        expect((await stack.rest('GET', `/twins/${id}`)).body).toMatchObject({ tags: { seen: 1 } });
      }
      expect(await identity(stack, 'fresh')).toMatchObject({ status: 'enabled' });
    });
  });

  it('is kept as the device has it when the import is sent, not as it was before the run was suspended', async () => {
    await shared.use(async (stack) => {
      await stack.drop('before/devices.txt', create('pump'));
      await stack.finalRecord('before/devices.txt');

      // The pre-image needs no job, so a job of somebody else lets the run come to just before its import.
      const control = async (path: string, body?: object) =>
        (
          await fetch(path, {
            method: 'POST',
            ...(body === undefined ? {} : { headers: JSON_TYPE, body: JSON.stringify(body) }),
          })
        ).status;
      await control(`${stack.hubAdminUrl}/jobs`, { durationMs: 8_000 });
      await stack.drop('held/devices.txt', line({ id: 'pump', importMode: 'update', tags: { seen: 1 } }));
      const held = await stack.until('the pre-image to be taken, and the hub to be busy', async () => {
        const record = await stack.recordOf('held/devices.txt');
        return record?.preImage !== undefined && record.waiting?.kind === 'busy' ? record : undefined;
      });
      expect(await control(`${stack.apiUrl}/runs/${held.runId}/suspend`)).toBe(202);

      await stack.drop('rotate/devices.txt', create('pump', { importMode: 'update', authentication: keys('new') }));
      expect(await stack.finalRecord('rotate/devices.txt')).toMatchObject({ state: 'completed' });

      expect(await control(`${stack.apiUrl}/runs/${held.runId}/resume`)).toBe(202);
      const record = await stack.finalRecord('held/devices.txt');
      expect(record).toMatchObject({ state: 'completed', outcomes: { succeeded: 1 }, kept: { authentication: 1 } });
      expect(await identity(stack, 'pump')).toMatchObject({ authentication: keys('new') });
      expect((await stack.rest('GET', '/twins/pump')).body).toMatchObject({ tags: { seen: 1 } });
      const preImage = await stack.read(record.preImage?.container ?? '', record.preImage?.blobName ?? '');
      expect(preImage).toContain(key('new'));
      expect(held.preImage?.blobName).not.toBe(record.preImage?.blobName);
    });
  });

  it('is kept for a file too large to read one by one, by one export, and a file that deletes much is stopped until confirmed', async () => {
    await shared.use(async (stack) => {
      const ids = Array.from({ length: 2_000 }, (_, i) => `d${i}`);
      const disabled = (index: number) => (index % 2 === 0 ? { status: 'disabled', statusReason: `r${index}` } : {});
      await stack.drop('before/devices.txt', ids.map((id, index) => create(id, disabled(index))).join(''));
      await stack.finalRecord('before/devices.txt');

      await stack.drop(
        'after/devices.txt',
        ids.map((id) => line({ id, importMode: 'update', tags: { v: 2 } })).join(''),
      );
      const record = await stack.finalRecord('after/devices.txt');
      expect(record).toMatchObject({ state: 'completed', outcomes: { succeeded: 2_000 } });
      expect(await exportsCreated(stack)).toBe(1);
      for (const index of [0, 1, 2, 999, 1_998, 1_999]) {
        const id = `d${index}`;
        expect(await identity(stack, id)).toMatchObject({
          status: index % 2 === 0 ? 'disabled' : 'enabled',
          ...(index % 2 === 0 ? { statusReason: `r${index}` } : {}),
          authentication: { symmetricKey: { primaryKey: key(id) } },
        });
      }

      const deletes = ids
        .slice(0, 400)
        .map((id) => line({ id, importMode: 'delete' }))
        .join('');
      await stack.drop('delete/devices.txt', deletes);
      const stopped = await stack.finalRecord('delete/devices.txt');
      expect(stopped).toMatchObject({
        state: 'refused',
        error: { code: 'confirmationNeeded' },
        outcomes: { skipped: 400 },
      });
      expect((await stack.hubState()).devices).toBe(2_000);

      // A dry run tells it too.
      await stack.drop('try/devices.txt', deletes, { ...NOW, dryrun: 'true' });
      expect(await stack.finalRecord('try/devices.txt')).toMatchObject({ error: { code: 'confirmationNeeded' } });

      const hubName = /name of the hub, (\S+)\./.exec(stopped.error?.action ?? '')?.[1] ?? '';
      await stack.drop('wrong/devices.txt', deletes, { ...NOW, confirm: 'another' });
      expect(await stack.finalRecord('wrong/devices.txt')).toMatchObject({ state: 'refused' });
      await stack.drop('sure/devices.txt', deletes, { ...NOW, confirm: hubName });
      expect(await stack.finalRecord('sure/devices.txt')).toMatchObject({
        state: 'completed',
        outcomes: { succeeded: 400 },
      });
      expect((await stack.hubState()).devices).toBe(1_600);
    });
  });
});
