import { describe, expect, it } from 'vitest';
import { type HubClient, withHub } from '../hubClient.ts';

const key = Buffer.alloc(32, 7).toString('base64');
const otherKey = Buffer.alloc(32, 8).toString('base64');

function put(client: HubClient, deviceId: string, device: object = {}, ifMatch?: string) {
  const headers = ifMatch === undefined ? {} : { 'If-Match': ifMatch };
  return client.call('PUT', `/devices/${encodeURIComponent(deviceId)}`, { body: { deviceId, ...device }, headers });
}

describe('a device', () => {
  it('is created with minted keys and shown as the hub shows it', async () => {
    await withHub({}, async (client) => {
      const created = await put(client, 'd1', { status: 'disabled', statusReason: 'new' });
      expect(created.status).toBe(200);
      expect(created.body).toEqual({
        deviceId: 'd1',
        generationId: expect.stringMatching(/^\d{18}$/),
        etag: expect.stringMatching(/^[A-Za-z0-9+/]+=*$/),
        connectionState: 'Disconnected',
        status: 'disabled',
        statusReason: 'new',
        connectionStateUpdatedTime: '0001-01-01T00:00:00Z',
        statusUpdatedTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z$/),
        lastActivityTime: '0001-01-01T00:00:00Z',
        cloudToDeviceMessageCount: 0,
        authentication: {
          symmetricKey: { primaryKey: expect.any(String), secondaryKey: expect.any(String) },
          x509Thumbprint: { primaryThumbprint: null, secondaryThumbprint: null },
          type: 'sas',
        },
        capabilities: { iotEdge: false },
      });
      const { primaryKey } = created.body.authentication.symmetricKey;
      expect(Buffer.from(primaryKey, 'base64')).toHaveLength(32);
      expect(Buffer.from(created.body.etag, 'base64').toString()).toMatch(/^\d+$/);
      expect(created.headers.get('etag')).toBe(`"${created.body.etag}"`);
      expect((await client.call('GET', '/devices/d1')).body).toEqual(created.body);
    });
  });

  it('is only created without If-Match, and only updated with it', async () => {
    await withHub({}, async (client) => {
      expect((await put(client, 'd1', {}, '"*"')).status).toBe(404);
      const { body: created } = await put(client, 'd1');
      const again = await put(client, 'd1', { etag: created.etag });
      expect(again.status).toBe(409);
      expect(again.body.Message).toBe("ErrorCode:DeviceAlreadyExists;A device with ID 'd1' is already registered.");
      const stale = await put(client, 'd1', {}, '"AAAA"');
      expect(stale.status).toBe(412);
      expect(stale.body.Message).toBe('ErrorCode:PreconditionFailed;PreconditionFailed, ETag may be invalid.');
      for (const form of [(etag: string) => etag, (etag: string) => `"${etag}"`, () => '*', () => '"*"']) {
        const { body } = await client.call('GET', '/devices/d1');
        const updated = await put(client, 'd1', {}, form(body.etag));
        expect(updated.status).toBe(200);
        expect(updated.body.etag).not.toBe(body.etag);
        expect(updated.body.generationId).toBe(created.generationId);
      }
    });
  });

  it('gets new keys when an update brings none, and keeps the ones it brings', async () => {
    await withHub({}, async (client) => {
      const authentication = { type: 'sas', symmetricKey: { primaryKey: key, secondaryKey: otherKey } };
      const { body: created } = await put(client, 'd1', { authentication });
      expect(created.authentication.symmetricKey).toEqual(authentication.symmetricKey);
      const { body: replaced } = await put(client, 'd1', { status: 'disabled' }, '*');
      expect(replaced.authentication.symmetricKey.primaryKey).not.toBe(key);
      expect(replaced.status).toBe('disabled');
    });
  });

  it('is deleted with If-Match only, together with its modules', async () => {
    await withHub({}, async (client) => {
      await put(client, 'd1');
      await client.call('PUT', '/devices/d1/modules/m1', { body: { deviceId: 'd1', moduleId: 'm1' } });
      expect((await client.call('DELETE', '/devices/d1')).status).toBe(412);
      expect((await client.call('DELETE', '/devices/d1', { headers: { 'If-Match': '"AAAA"' } })).status).toBe(412);
      expect((await client.call('DELETE', '/devices/d1', { headers: { 'If-Match': '*' } })).status).toBe(204);
      expect((await client.call('DELETE', '/devices/d1', { headers: { 'If-Match': '*' } })).status).toBe(404);
      expect((await client.call('GET', '/twins/d1/modules/m1')).status).toBe(404);
      const { body: first } = await put(client, 'd1');
      expect((await client.call('GET', '/devices/d1/modules')).body).toEqual([]);
      expect(first.deviceId).toBe('d1');
    });
  });

  it('is refused when its body breaks a rule', async () => {
    const thumbprint = 'AA'.repeat(20);
    const cases: readonly (readonly [name: string, id: string, body: object])[] = [
      ['an id of 129 characters', 'x'.repeat(129), {}],
      ['an id with a space', 'a b', {}],
      ['one key without the other', 'd1', { authentication: { symmetricKey: { primaryKey: key } } }],
      ['a key that is no base64', 'd1', { authentication: { symmetricKey: { primaryKey: 'ä', secondaryKey: key } } }],
      [
        'a key of 15 bytes',
        'd1',
        { authentication: { symmetricKey: { primaryKey: 'AAAAAAAAAAAAAAAAAAAA', secondaryKey: key } } },
      ],
      ['authentication none', 'd1', { authentication: { type: 'none' } }],
      ['an unknown type', 'd1', { authentication: { type: 'SELF_SIGNED' } }],
      [
        'a thumbprint with colons',
        'd1',
        {
          authentication: {
            type: 'selfSigned',
            x509Thumbprint: { primaryThumbprint: thumbprint.replace(/(..)/g, '$1:') },
          },
        },
      ],
      ['an unknown status', 'd1', { status: 'off' }],
      ['a reason of 129 characters', 'd1', { statusReason: 'x'.repeat(129) }],
      ['another id in the body', 'd1', { deviceId: 'd2' }],
    ];
    await withHub({}, async (client) => {
      for (const [name, id, body] of cases) {
        const answer = await put(client, id, body);
        expect([name, answer.status, answer.headers.get('iothub-errorcode')]).toEqual([name, 400, 'ArgumentInvalid']);
      }
      expect((await client.call('GET', '/devices')).body).toEqual([]);
    });
  });

  it('keeps the case of its thumbprints, and may be selfSigned without any', async () => {
    await withHub({}, async (client) => {
      const x509Thumbprint = { primaryThumbprint: 'aB'.repeat(20), secondaryThumbprint: 'CD'.repeat(32) };
      const { body } = await put(client, 'd1', { authentication: { type: 'selfSigned', x509Thumbprint } });
      expect(body.authentication).toEqual({
        type: 'selfSigned',
        symmetricKey: { primaryKey: null, secondaryKey: null },
        x509Thumbprint,
      });
      expect((await client.call('GET', '/twins/d1')).body.x509Thumbprint).toEqual(x509Thumbprint);
      expect((await put(client, 'd2', { authentication: { type: 'selfSigned' } })).status).toBe(200);
      const { body: third } = await put(client, 'd3', { authentication: { type: 'certificateAuthority' } });
      expect(third.authentication.type).toBe('certificateAuthority');
    });
  });

  it('is counted', async () => {
    await withHub({}, async (client) => {
      await put(client, 'd1');
      await put(client, 'd2', { status: 'disabled' });
      await put(client, 'd3', { capabilities: { iotEdge: true } });
      const statistics = { totalDeviceCount: 3, enabledDeviceCount: 2, disabledDeviceCount: 1 };
      expect((await client.call('GET', '/statistics/devices')).body).toEqual(statistics);
      await put(client, 'd1', { status: 'disabled' }, '*');
      await client.call('DELETE', '/devices/d3', { headers: { 'If-Match': '*' } });
      const after = { totalDeviceCount: 2, enabledDeviceCount: 0, disabledDeviceCount: 2 };
      expect((await client.call('GET', '/statistics/devices')).body).toEqual(after);
      expect((await client.admin('GET', '/state')).body).toMatchObject({ devices: 2, modules: 0 });
      expect((await client.call('GET', '/statistics/service')).body).toEqual({ connectedDeviceCount: 0 });
    });
  });
});

describe('the device list', () => {
  it('holds at most `top` devices', async () => {
    await withHub({}, async (client) => {
      for (const id of ['a', 'b', 'c']) await put(client, id);
      const { body } = await client.call('GET', '/devices', { query: 'top=2&api-version=2021-04-12' });
      expect(body.map((device: { deviceId: string }) => device.deviceId)).toEqual(['a', 'b']);
      expect((await client.call('GET', '/devices', { query: 'top=1001&api-version=2021-04-12' })).status).toBe(400);
    });
  });
});

describe('an edge device', () => {
  it('gets its scope and system modules from the hub', async () => {
    await withHub({}, async (client) => {
      const { body } = await put(client, 'e1', {
        capabilities: { iotEdge: true },
        deviceScope: 'ms-azure-iot-edge://mine',
      });
      expect(body.deviceScope).toBe(`ms-azure-iot-edge://e1-${body.generationId}`);
      expect(body.parentScopes).toBeUndefined();
      const { body: modules } = await client.call('GET', '/devices/e1/modules');
      expect(modules.map((module: object) => module)).toEqual([
        expect.objectContaining({ moduleId: '$edgeAgent', managedBy: 'iotEdge' }),
        expect.objectContaining({ moduleId: '$edgeHub', authentication: expect.objectContaining({ type: 'none' }) }),
      ]);
    });
  });

  it('must repeat its scope on an update, and is detached when parentScopes are omitted', async () => {
    await withHub({}, async (client) => {
      const edge = { capabilities: { iotEdge: true } };
      const { body: parent } = await put(client, 'e1', edge);
      const { body: child } = await put(client, 'e2', { ...edge, parentScopes: [parent.deviceScope] });
      expect(child.parentScopes).toEqual([parent.deviceScope]);
      const changed = await put(client, 'e2', { ...edge, deviceScope: `${child.deviceScope}0` }, '*');
      expect([changed.status, changed.headers.get('iothub-errorcode')]).toEqual([400, 'InvalidDeviceScope']);
      expect((await put(client, 'e2', edge, '*')).status).toBe(400);
      const detached = await put(client, 'e2', { ...edge, deviceScope: child.deviceScope }, '*');
      expect(detached.body.parentScopes).toBeUndefined();
    });
  });

  it('is linked to its leaves by deviceScope alone', async () => {
    await withHub({}, async (client) => {
      const { body: parent } = await put(client, 'e1', { capabilities: { iotEdge: true } });
      const linked = await put(client, 'leaf', { deviceScope: parent.deviceScope });
      expect(linked.body).toMatchObject({ deviceScope: parent.deviceScope, parentScopes: [parent.deviceScope] });
      const ignored = await put(client, 'leaf2', { parentScopes: [parent.deviceScope] });
      expect(ignored.body.deviceScope).toBeUndefined();
      const unknown = await put(client, 'leaf3', { deviceScope: 'ms-azure-iot-edge://nobody-1' });
      expect(unknown.headers.get('iothub-errorcode')).toBe('InvalidDeviceScope');
    });
  });

  it('can neither be below itself nor more than five levels deep', async () => {
    await withHub({}, async (client) => {
      const edge = { capabilities: { iotEdge: true } };
      const scopes: string[] = [];
      for (let level = 0; level < 6; level += 1) {
        const { status, body } = await put(client, `e${level}`, { ...edge, parentScopes: scopes.slice(-1) });
        expect(status).toBe(200);
        scopes.push(body.deviceScope);
      }
      expect((await put(client, 'e6', { ...edge, parentScopes: scopes.slice(-1) })).status).toBe(400);
      const below = { ...edge, deviceScope: scopes[0], parentScopes: [scopes[2]] };
      expect((await put(client, 'e0', below, '*')).status).toBe(400);
    });
  });

  it('has a scope without ticks when it was a leaf before', async () => {
    await withHub({}, async (client) => {
      await put(client, 'd1');
      const { body } = await put(client, 'd1', { capabilities: { iotEdge: true } }, '*');
      expect(body.deviceScope).toBe('ms-azure-iot-edge://d1-');
      expect((await client.call('GET', '/devices/d1/modules')).body).toHaveLength(2);
    });
  });
});
