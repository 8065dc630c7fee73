import { describe, expect, it } from 'vitest';
import { type HubClient, withHub } from '../hubClient.ts';

const path = (moduleId: string) => `/devices/d1/modules/${encodeURIComponent(moduleId)}`;

function put(client: HubClient, moduleId: string, module: object = {}, ifMatch?: string) {
  const headers = ifMatch === undefined ? {} : { 'If-Match': ifMatch };
  return client.call('PUT', path(moduleId), { body: { deviceId: 'd1', moduleId, ...module }, headers });
}

async function withDevice(use: (client: HubClient) => Promise<void>, options = {}): Promise<void> {
  await withHub(options, async (client) => {
    await client.call('PUT', '/devices/d1', { body: { deviceId: 'd1' } });
    await use(client);
  });
}

describe('a module', () => {
  it('is created, replaced as a whole and deleted by the rules of devices', async () => {
    await withDevice(async (client) => {
      const created = await put(client, 'm1', { managedBy: 'me', authentication: { type: 'none' } });
      expect(created.status).toBe(200);
      expect(created.body).toMatchObject({
        moduleId: 'm1',
        deviceId: 'd1',
        managedBy: 'me',
        authentication: { type: 'sas' },
      });
      expect(created.body).not.toHaveProperty('status');
      const again = await put(client, 'm1');
      expect(again.status).toBe(409);
      expect(again.headers.get('iothub-errorcode')).toBe('ModuleAlreadyExistsOnDevice');
      expect(again.body).toEqual({
        errorCode: 409301,
        message: expect.stringContaining("'m1'"),
        trackingId: expect.any(String),
        timestampUtc: expect.any(String),
      });
      const replaced = await put(client, 'm1', {}, `"${created.body.etag}"`);
      expect(replaced.body.managedBy).toBeNull();
      expect((await put(client, 'm1', {}, `"${created.body.etag}"`)).status).toBe(412);
      expect((await client.call('DELETE', path('m1'))).status).toBe(412);
      expect((await client.call('DELETE', path('m1'), { headers: { 'If-Match': '*' } })).status).toBe(204);
      expect((await client.call('GET', path('m1'))).body.errorCode).toBe(404010);
    });
  });

  it('answers 401 below a device that is missing or disabled, while its twin goes on answering', async () => {
    await withDevice(async (client) => {
      await put(client, 'm1');
      expect((await client.call('GET', '/devices/nobody/modules')).status).toBe(401);
      const disabled = { deviceId: 'd1', status: 'disabled' };
      await client.call('PUT', '/devices/d1', { body: disabled, headers: { 'If-Match': '*' } });
      expect((await client.call('GET', path('m1'))).status).toBe(401);
      expect((await client.call('GET', '/twins/d1/modules/m1')).status).toBe(200);
      const missing = await client.call('GET', '/twins/d1/modules/m2');
      expect([missing.status, missing.headers.get('iothub-errorcode')]).toEqual([404, 'DeviceNotFound']);
    });
  });

  it('cannot have a name of the hub, nor be one too many', async () => {
    await withDevice(
      async (client) => {
        expect((await put(client, '$edgeAgent')).status).toBe(400);
        expect((await put(client, 'm1')).status).toBe(200);
        expect((await put(client, 'm2')).status).toBe(200);
        const third = await put(client, 'm3');
        expect([third.status, third.body.errorCode]).toEqual([413, 413003]);
      },
      { maxModulesPerDevice: 2 },
    );
  });
});
