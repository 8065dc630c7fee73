import { describe, expect, it } from 'vitest';
import { withHub } from '../hubClient.ts';

const item = (id: string, more: object = {}) => ({ id, status: 'enabled', ...more });

describe('a bulk call', () => {
  it('applies mixed operations and answers 200 when all go well', async () => {
    await withHub({}, async (client) => {
      await client.call('POST', '/devices', {
        body: [item('d1'), item('d2', { importMode: 'create', tags: { a: 1 } })],
      });
      const body = [
        item('d1', { importMode: 'Delete' }),
        item('d2', { importMode: 'updateTwin', tags: { a: 2 } }),
        item('d3', { importMode: 'CREATE' }),
      ];
      const answer = await client.call('POST', '/devices', { body });
      expect([answer.status, answer.body]).toEqual([200, { isSuccessful: true, errors: [], warnings: [] }]);
      expect((await client.call('GET', '/devices/d1')).status).toBe(404);
      expect((await client.call('GET', '/twins/d2')).body.tags).toEqual({ a: 2 });
      expect((await client.call('GET', '/devices/d3')).status).toBe(200);
    });
  });

  it('answers 400 with a result by item when some fail, and applies the others', async () => {
    await withHub({}, async (client) => {
      await client.call('POST', '/devices', { body: [item('d1')] });
      const body = [
        item('d1', { importMode: 'create' }),
        item('d2', { importMode: 'update' }),
        item('d3', { moduleId: 'm1', importMode: 'create' }),
        item('d4'),
      ];
      const answer = await client.call('POST', '/devices/', { body });
      expect(answer.status).toBe(400);
      expect(answer.headers.get('iothub-errorcode')).toBe('BulkRegistryOperationFailure');
      expect(answer.headers.get('IotHubErrorCode')).toBe('BulkRegistryOperationFailure');
      expect(answer.body.isSuccessful).toBe(false);
      expect(answer.body.errors).toEqual([
        { deviceId: 'd1', errorCode: 'DeviceAlreadyExists', errorStatus: expect.any(String), operation: 'create' },
        { deviceId: 'd2', errorCode: 'DeviceNotFound', errorStatus: expect.any(String), operation: 'update' },
        {
          deviceId: 'd3',
          moduleId: 'm1',
          errorCode: 'DeviceNotFound',
          errorStatus: expect.any(String),
          operation: 'create',
        },
      ]);
      expect((await client.call('GET', '/devices/d4')).status).toBe(200);
    });
  });

  it('links devices by their scopes, under the etag that was read', async () => {
    await withHub({}, async (client) => {
      const edge = { importMode: 'create', capabilities: { iotEdge: true } };
      await client.call('POST', '/devices', { body: [item('top', edge), item('below', edge), item('leaf')] });
      const read = async (id: string) => (await client.call('GET', `/devices/${id}`)).body;
      const [top, below, leaf] = [await read('top'), await read('below'), await read('leaf')];
      const link = (device: typeof top, scopes: object) =>
        item(device.deviceId, {
          importMode: 'updateIfMatchETag',
          eTag: device.etag,
          authentication: device.authentication,
          capabilities: device.capabilities,
          ...scopes,
        });
      const scopes = { deviceScope: below.deviceScope, parentScopes: [top.deviceScope] };
      const answer = await client.call('POST', '/devices', {
        body: [link(below, scopes), link(leaf, { deviceScope: below.deviceScope })],
      });
      expect(answer.status).toBe(200);
      expect(await read('below')).toMatchObject({ ...scopes, authentication: below.authentication });
      expect((await read('leaf')).parentScopes).toEqual([below.deviceScope]);
      const again = await client.call('POST', '/devices', {
        body: [link(below, scopes), link(top, { deviceScope: top.deviceScope, parentScopes: [below.deviceScope] })],
      });
      const errors = again.body.errors as { deviceId: string; errorCode: string }[];
      expect(errors.map(({ deviceId, errorCode }) => [deviceId, errorCode])).toEqual([
        ['below', 'PreconditionFailed'],
        ['top', 'InvalidDeviceScope'],
      ]);
    });
  });

  it('keeps a scope that no edge device owns when it creates a leaf, which no single call and no update may name', async () => {
    await withHub({}, async (client) => {
      const deviceScope = 'ms-azure-iot-edge://nobody-639000000000000000';
      const answer = await client.call('POST', '/devices', {
        body: [item('d1', { importMode: 'create', deviceScope }), item('d2', { deviceScope }), item('d3')],
      });
      expect(answer.status).toBe(200);
      for (const id of ['d1', 'd2']) {
        const { body } = await client.call('GET', `/devices/${id}`);
        expect(body).toMatchObject({ deviceScope, parentScopes: [deviceScope] });
      }
      const single = await client.call('PUT', '/devices/d4', { body: { deviceId: 'd4', deviceScope } });
      expect(single.body.Message).toContain('InvalidDeviceScope');
      const update = await client.call('POST', '/devices', {
        body: [
          item('d3', { importMode: 'update', deviceScope }),
          item('e1', { importMode: 'create', capabilities: { iotEdge: true }, parentScopes: [deviceScope] }),
        ],
      });
      expect(update.body.errors).toMatchObject([
        { deviceId: 'd3', errorCode: 'InvalidDeviceScope' },
        { deviceId: 'e1', errorCode: 'InvalidDeviceScope' },
      ]);
    });
  });

  it('deletes by id alone, and wants the status of everything else', async () => {
    await withHub({}, async (client) => {
      await client.call('POST', '/devices', { body: [item('d1'), item('d2')] });
      const { body: second } = await client.call('GET', '/devices/d2');
      const answer = await client.call('POST', '/devices', {
        body: [
          { id: 'd1', importMode: 'Delete' },
          { id: 'd2', importMode: 'deleteIfMatchETag', eTag: second.etag },
        ],
      });
      expect([answer.status, answer.body]).toEqual([200, { isSuccessful: true, errors: [], warnings: [] }]);
      expect((await client.call('GET', '/devices')).body).toEqual([]);
      for (const importMode of ['create', 'updateTwin']) {
        const refused = await client.call('POST', '/devices', { body: [{ id: 'd3', importMode }] });
        expect([refused.status, refused.body.Message]).toEqual([400, expect.stringContaining("'status'")]);
      }
    });
  });

  it('can name errors by number', async () => {
    await withHub({ bulkErrorCode: 'number' }, async (client) => {
      const answer = await client.call('POST', '/devices', { body: [item('d1', { importMode: 'delete' })] });
      expect(answer.body.errors[0].errorCode).toBe(404001);
    });
  });

  it('is refused as a whole when it is too long, names a device twice, or cannot be read', async () => {
    await withHub({}, async (client) => {
      const cases: readonly (readonly [code: string, status: number, body: unknown])[] = [
        ['TooManyDevices', 413, Array.from({ length: 101 }, (_, index) => item(`d${index}`))],
        ['DeviceDefinedMultipleTimes', 400, [item('d1'), item('d1', { moduleId: 'm1' })]],
        ['ArgumentInvalid', 400, [{ id: 'd1' }]],
        ['ArgumentInvalid', 400, [item('d1', { importMode: 'replace' })]],
        ['ArgumentInvalid', 400, { devices: [item('d1')] }],
      ];
      for (const [code, status, body] of cases) {
        const answer = await client.call('POST', '/devices', { body });
        expect([answer.headers.get('iothub-errorcode'), answer.status]).toEqual([code, status]);
      }
      expect((await client.call('GET', '/devices')).body).toEqual([]);
    });
  });

  it('holds etag modes to the etags of identity and twin, each for itself', async () => {
    await withHub({}, async (client) => {
      await client.call('POST', '/devices', { body: [item('d1', { tags: { a: 1 } })] });
      const { body: device } = await client.call('GET', '/devices/d1');
      const { body: twin } = await client.call('GET', '/twins/d1');
      const change = { status: 'disabled', tags: { a: 2 }, importMode: 'updateIfMatchETag' };
      const mixed = [item('d1', { ...change, eTag: device.etag, twinETag: 'AAAAAAAAAAk=' })];
      const answer = await client.call('POST', '/devices', { body: mixed });
      expect(answer.body.errors[0]).toMatchObject({ errorCode: 'PreconditionFailed' });
      const { body: after } = await client.call('GET', '/twins/d1');
      expect([after.status, after.tags]).toEqual(['disabled', { a: 1 }]);
      const good = item('d1', { importMode: 'deleteIfMatchETag', eTag: `"${after.deviceEtag}"` });
      expect((await client.call('POST', '/devices', { body: [{ ...good, eTag: device.etag }] })).status).toBe(400);
      const twinOnly = item('d1', { importMode: 'updateTwinIfMatchETag', twinETag: twin.etag, tags: { a: 3 } });
      expect((await client.call('POST', '/devices', { body: [twinOnly] })).status).toBe(200);
      expect((await client.call('POST', '/devices', { body: [twinOnly] })).status).toBe(400);
      expect((await client.call('POST', '/devices', { body: [good] })).status).toBe(200);
    });
  });

  const before = { tags: { a: 1, b: { c: 2, d: 3 } }, properties: { desired: { x: 1, y: 2 } } };
  const given = { tags: { a: null, b: { c: 4 } }, properties: { desired: { x: { z: 5 } } } };
  it.each([
    ['replace', 'update', undefined, { b: { c: 4 } }, { x: { z: 5 } }],
    ['replace', 'updateTwin', undefined, { b: { c: 4 } }, { x: { z: 5 } }],
    ['replace', 'createOrUpdate', 'm1', { b: { c: 4 } }, { x: { z: 5 } }],
    ['merge', 'update', undefined, { b: { c: 4, d: 3 } }, { x: { z: 5 }, y: 2 }],
    ['merge', 'updateTwin', 'm1', { b: { c: 4, d: 3 } }, { x: { z: 5 }, y: 2 }],
    ['merge', 'createOrUpdate', undefined, { b: { c: 4, d: 3 } }, { x: { z: 5 }, y: 2 }],
  ] as const)(
    'with importTwin %s has %s leave this of an existing twin',
    async (importTwin, importMode, moduleId, tags, desired) => {
      await withHub({ importTwin }, async (client) => {
        const identity = { ...item('d1'), ...(moduleId === undefined ? {} : { moduleId }) };
        await client.call('POST', '/devices', { body: [item('d1', { importMode: 'create', ...before })] });
        if (moduleId !== undefined) {
          await client.call('POST', '/devices', { body: [{ ...identity, importMode: 'create', ...before }] });
        }
        const answer = await client.call('POST', '/devices', { body: [{ ...identity, importMode, ...given }] });
        expect(answer.status).toBe(200);
        const path = moduleId === undefined ? '/twins/d1' : `/twins/d1/modules/${moduleId}`;
        const twin = (await client.call('GET', path)).body;
        const { $metadata: _metadata, $version: _version, ...written } = twin.properties.desired;
        expect([twin.tags, written]).toEqual([tags, desired]);
        // What a line leaves out stays.
        await client.call('POST', '/devices', { body: [{ ...identity, importMode, tags: { e: 1 } }] });
        expect((await client.call('GET', path)).body.properties.desired).toMatchObject(desired);
      });
    },
  );
});
