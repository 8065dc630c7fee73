import { inspect } from 'node:util';

import { describe, expect, it } from 'vitest';

import { explainHubError, HubError, parseTwin } from '../../../src/lib/registry/index.ts';
import { hubFailure, type Step, TEST_KEY, withScriptedHub } from './scriptedHub.ts';

/** A device as a hub prints it (REST reference, Get Identity). */
const WIRE_DEVICE = {
  deviceId: 'd1',
  generationId: '638000000000000000',
  etag: 'ODAxMjMyNDI2',
  connectionState: 'Disconnected',
  status: 'enabled',
  statusReason: null,
  connectionStateUpdatedTime: '0001-01-01T00:00:00Z',
  statusUpdatedTime: '2026-11-20T10:11:12.1234567Z',
  lastActivityTime: '0001-01-01T00:00:00Z',
  cloudToDeviceMessageCount: 0,
  authentication: {
    symmetricKey: { primaryKey: TEST_KEY, secondaryKey: TEST_KEY },
    x509Thumbprint: { primaryThumbprint: null, secondaryThumbprint: null },
    type: 'sas',
  },
  capabilities: { iotEdge: false },
};
const WIRE_MODULE = {
  moduleId: 'm1',
  managedBy: 'iotEdge',
  deviceId: 'd1',
  generationId: '1',
  etag: 'Mg==',
  connectionState: 'Disconnected',
  connectionStateUpdatedTime: '0001-01-01T00:00:00',
  lastActivityTime: '0001-01-01T00:00:00',
  cloudToDeviceMessageCount: 0,
  authentication: { symmetricKey: { primaryKey: null, secondaryKey: null }, type: 'none' },
};
const WIRE_TWIN = {
  deviceId: 'd1',
  etag: 'AAAAAAAAAAE=',
  deviceEtag: 'ODAxMjMyNDI2',
  status: 'enabled',
  statusUpdateTime: '0001-01-01T00:00:00Z',
  connectionState: 'Disconnected',
  lastActivityTime: '0001-01-01T00:00:00Z',
  cloudToDeviceMessageCount: 0,
  authenticationType: 'sas',
  x509Thumbprint: { primaryThumbprint: null, secondaryThumbprint: null },
  modelId: '',
  version: 3,
  tags: { site: 'x' },
  properties: { desired: { t: 21, $version: 2 }, reported: { $version: 1 } },
  capabilities: { iotEdge: false },
};

describe('devices', () => {
  it('are read in our words: bare ETag, and nothing for what is null or never happened', async () => {
    await withScriptedHub([{ body: { ...WIRE_DEVICE, etag: '"ODAxMjMyNDI2"' } }], async ({ client }) => {
      expect(await client.getDevice('d1')).toEqual({
        deviceId: 'd1',
        etag: 'ODAxMjMyNDI2',
        status: 'enabled',
        statusUpdatedTime: '2026-11-20T10:11:12.1234567Z',
        authentication: { type: 'sas', symmetricKey: { primaryKey: TEST_KEY, secondaryKey: TEST_KEY } },
        capabilities: { iotEdge: false },
        generationId: '638000000000000000',
        connectionState: 'Disconnected',
        cloudToDeviceMessageCount: 0,
      });
    });
  });

  it('are created without If-Match', async () => {
    await withScriptedHub([{ body: WIRE_DEVICE }], async ({ client, only }) => {
      const device = await client.createDevice({
        deviceId: 'd1',
        status: 'disabled',
        statusReason: 'later',
        authentication: { type: 'selfSigned', x509Thumbprint: { primaryThumbprint: 'AB12' } },
        capabilities: { iotEdge: true },
      });
      expect(device.etag).toBe('ODAxMjMyNDI2');
      const { method, headers, body } = only();
      expect([method, headers['if-match'], headers['content-type']]).toEqual([
        'PUT',
        undefined,
        'application/json; charset=utf-8',
      ]);
      expect(body).toEqual({
        deviceId: 'd1',
        status: 'disabled',
        statusReason: 'later',
        authentication: { type: 'selfSigned', x509Thumbprint: { primaryThumbprint: 'AB12' } },
        capabilities: { iotEdge: true },
      });
    });
  });

  it('are overwritten by an update unless onlyIfUnchanged compares the ETag', async () => {
    await withScriptedHub([{ body: WIRE_DEVICE }, { body: WIRE_DEVICE }], async ({ client, requests }) => {
      await client.updateDevice({ deviceId: 'd1', etag: 'ODAxMjMyNDI2' });
      await client.updateDevice({ deviceId: 'd1', etag: 'ODAxMjMyNDI2' }, { onlyIfUnchanged: true });
      expect(requests.map(({ headers }) => headers['if-match'])).toEqual(['"*"', '"ODAxMjMyNDI2"']);
    });
  });

  it('are deleted whatever their ETag unless onlyIfUnchanged compares it', async () => {
    await withScriptedHub([{ status: 204 }, { status: 204 }], async ({ client, requests }) => {
      await client.deleteDevice({ deviceId: 'd1', etag: 'MQ==' });
      await client.deleteDevice({ deviceId: 'd1', etag: '"MQ=="' }, { onlyIfUnchanged: true });
      expect(requests.map(({ method, headers }) => [method, headers['if-match']])).toEqual([
        ['DELETE', '"*"'],
        ['DELETE', '"MQ=="'],
      ]);
    });
  });

  it.each([undefined, '', '*'])(
    'are not written with onlyIfUnchanged and the ETag %j, which would compare nothing',
    async (etag) => {
      const given = etag === undefined ? {} : { etag };
      await withScriptedHub([], async ({ client }) => {
        const options = { onlyIfUnchanged: true };
        const refused = { code: 'etagMissing', name: 'RefusedInputError' };
        await expect(client.updateDevice({ deviceId: 'd1', ...given }, options)).rejects.toMatchObject(refused);
        await expect(client.deleteDevice({ deviceId: 'd1', ...given }, options)).rejects.toMatchObject(refused);
        await expect(client.updateTwin({ deviceId: 'd1', ...given }, options)).rejects.toMatchObject(refused);
      });
    },
  );

  it('can be written back as they were read', async () => {
    const edge = {
      ...WIRE_DEVICE,
      capabilities: { iotEdge: true },
      deviceScope: 'ms-azure-iot-edge://d1-638',
      parentScopes: ['p'],
    };
    await withScriptedHub([{ body: edge }, { body: edge }], async ({ client, requests }) => {
      const device = await client.getDevice('d1');
      await client.updateDevice({ ...device, deviceId: 'd1', status: 'disabled' }, { onlyIfUnchanged: true });
      expect(requests[1]?.body).toEqual({
        deviceId: 'd1',
        etag: 'ODAxMjMyNDI2',
        status: 'disabled',
        authentication: { type: 'sas', symmetricKey: { primaryKey: TEST_KEY, secondaryKey: TEST_KEY } },
        capabilities: { iotEdge: true },
        deviceScope: 'ms-azure-iot-edge://d1-638',
        parentScopes: ['p'],
      });
    });
  });

  it('are listed up to a number', async () => {
    await withScriptedHub([{ body: [WIRE_DEVICE] }, { body: [] }], async ({ client, requests }) => {
      expect((await client.listDevices({ top: 5 })).map(({ deviceId }) => deviceId)).toEqual(['d1']);
      expect(await client.listDevices()).toEqual([]);
      expect(requests.map(({ query }) => query.get('top'))).toEqual(['5', null]);
    });
  });

  it('with a status that is unknown are no devices', async () => {
    await withScriptedHub([{ body: { ...WIRE_DEVICE, status: 'asleep' } }], async ({ client }) => {
      await expect(client.getDevice('d1')).rejects.toMatchObject({ code: 'InvalidReply' });
    });
  });
});

describe('modules', () => {
  it('are read, and undefined when they or their device are missing', async () => {
    await withScriptedHub(
      [{ body: WIRE_MODULE }, hubFailure(404, 'ModuleNotFound', 'x'), hubFailure(404, 'DeviceNotFound', 'x')],
      async ({ client, requests }) => {
        expect(await client.getModule('d1', 'm1')).toEqual({
          deviceId: 'd1',
          moduleId: 'm1',
          managedBy: 'iotEdge',
          etag: 'Mg==',
          generationId: '1',
          connectionState: 'Disconnected',
          cloudToDeviceMessageCount: 0,
          authentication: { type: 'none' },
        });
        expect(await client.getModule('d1', 'm1')).toBeUndefined();
        expect(await client.getModule('d1', 'm1')).toBeUndefined();
        expect(requests[0]?.path).toBe('/devices/d1/modules/m1');
      },
    );
  });

  it('are created, updated, listed and deleted', async () => {
    const steps: Step[] = [
      { status: 201, body: WIRE_MODULE },
      { body: WIRE_MODULE },
      { body: [WIRE_MODULE] },
      { status: 204 },
    ];
    await withScriptedHub(steps, async ({ client, requests }) => {
      const module = await client.createModule({ deviceId: 'd1', moduleId: 'm1', managedBy: 'iotEdge' });
      await client.updateModule(module, { onlyIfUnchanged: true });
      expect(await client.listModules('d1')).toEqual([module]);
      await client.deleteModule(module);
      expect(requests.map(({ method, path, headers }) => [method, path, headers['if-match']])).toEqual([
        ['PUT', '/devices/d1/modules/m1', undefined],
        ['PUT', '/devices/d1/modules/m1', '"Mg=="'],
        ['GET', '/devices/d1/modules', undefined],
        ['DELETE', '/devices/d1/modules/m1', '"*"'],
      ]);
      expect(requests[1]?.body).toEqual({
        deviceId: 'd1',
        moduleId: 'm1',
        managedBy: 'iotEdge',
        etag: 'Mg==',
        authentication: { type: 'none' },
      });
    });
  });
});

describe('twins', () => {
  it('are read for devices and modules, and undefined when there is none', async () => {
    const steps: Step[] = [
      { body: WIRE_TWIN },
      { body: { ...WIRE_TWIN, moduleId: 'm1' } },
      hubFailure(404, 'DeviceNotFound', 'x'),
    ];
    await withScriptedHub(steps, async ({ client, requests }) => {
      expect(await client.getTwin({ deviceId: 'd1' })).toEqual({
        deviceId: 'd1',
        etag: 'AAAAAAAAAAE=',
        deviceEtag: 'ODAxMjMyNDI2',
        version: 3,
        status: 'enabled',
        connectionState: 'Disconnected',
        authenticationType: 'sas',
        tags: { site: 'x' },
        properties: { desired: { t: 21, $version: 2 }, reported: { $version: 1 } },
        capabilities: { iotEdge: false },
        written: { tags: '{"site":"x"}', desired: '{"t":21,"$version":2}' },
      });
      expect((await client.getTwin({ deviceId: 'd1', moduleId: 'm1' }))?.moduleId).toBe('m1');
      expect(await client.getTwin({ deviceId: 'd1', moduleId: 'm2' })).toBeUndefined();
      expect(requests.map(({ path }) => path)).toEqual(['/twins/d1', '/twins/d1/modules/m1', '/twins/d1/modules/m2']);
    });
  });

  it('are merged by PATCH, with null to remove, whatever their ETag', async () => {
    await withScriptedHub([{ body: WIRE_TWIN }], async ({ client, only }) => {
      await client.updateTwin({ deviceId: 'd1', etag: 'AAAAAAAAAAE=', tags: { site: null }, desired: { t: 1 } });
      expect(only()).toMatchObject({
        method: 'PATCH',
        body: { tags: { site: null }, properties: { desired: { t: 1 } } },
      });
      expect(only().headers['if-match']).toBe('"*"');
    });
  });

  it('are patched, and read, as they are written', async () => {
    const text = '{"tags":{"n":1.0,"10":"x","2":null},"properties":{"desired":{"t":2.50}}}';
    const reply =
      '{"deviceId":"d1","moduleId":"m1","etag":"AAAAAAAAAAE=","tags":{"n":1.0,"10":"x"},"properties":{"desired":{"t":2.50},"reported":{}}}';
    await withScriptedHub([{ body: reply }, { body: reply }], async ({ client, requests }) => {
      await client.patchTwin({ deviceId: 'd1', moduleId: 'm1' }, text);
      expect(requests[0]).toMatchObject({ method: 'PATCH', path: '/twins/d1/modules/m1', text });
      expect((await client.getTwin({ deviceId: 'd1', moduleId: 'm1' }))?.written).toEqual({
        tags: '{"n":1.0,"10":"x"}',
        desired: '{"t":2.50}',
      });
    });
  });

  it('keep the parts that a PATCH does not name', async () => {
    await withScriptedHub([{ body: WIRE_TWIN }, { body: WIRE_TWIN }], async ({ client, requests }) => {
      await client.updateTwin({ deviceId: 'd1', tags: { a: 1 } });
      await client.updateTwin({ deviceId: 'd1', desired: { a: 1 } });
      expect(requests.map(({ body }) => body)).toEqual([{ tags: { a: 1 } }, { properties: { desired: { a: 1 } } }]);
    });
  });

  it('are replaced by PUT, in full, and compared with onlyIfUnchanged', async () => {
    await withScriptedHub([{ body: WIRE_TWIN }], async ({ client, only }) => {
      await client.replaceTwin(
        { deviceId: 'd1', moduleId: 'm1', etag: 'AAAAAAAAAAE=', tags: { a: 1 } },
        { onlyIfUnchanged: true },
      );
      expect(only()).toMatchObject({ method: 'PUT', path: '/twins/d1/modules/m1' });
      expect(only().body).toEqual({ deviceId: 'd1', moduleId: 'm1', tags: { a: 1 }, properties: { desired: {} } });
      expect(only().headers['if-match']).toBe('"AAAAAAAAAAE="');
    });
  });

  it('are read out of query rows', () => {
    expect(parseTwin(WIRE_TWIN)?.deviceId).toBe('d1');
    expect(parseTwin({ n: 3 })).toBeUndefined();
    expect(parseTwin('x')).toBeUndefined();
  });
});

describe('bulk', () => {
  const partial = (error: object) => ({
    isSuccessful: false,
    errors: [error],
    warnings: [{ deviceId: 'd2', warningCode: 'DeviceRegisteredWithoutTwin', warningStatus: 'x' }],
  });

  it('sends items that are text as they are written', async () => {
    await withScriptedHub([{ body: { isSuccessful: true, errors: [], warnings: [] } }], async ({ client, only }) => {
      const text = '{"id":"d1","tags":{"n":1.0,"10":"x","2":"y"}}';
      await client.bulk([text, { id: 'd2' }]);
      expect(only().text).toBe(`[${text},{"id":"d2"}]`);
    });
  });

  it('sends the bare list of items', async () => {
    await withScriptedHub([{ body: { isSuccessful: true, errors: [], warnings: [] } }], async ({ client, only }) => {
      const items = [
        { id: 'd1', importMode: 'create', status: 'enabled' },
        { id: 'd2', importMode: 'delete', status: 'enabled' },
      ];
      expect(await client.bulk(items)).toEqual({ isSuccessful: true, errors: [], warnings: [] });
      expect(only()).toMatchObject({ method: 'POST', path: '/devices', body: items });
    });
  });

  it.each([
    ['a name', 'DeviceAlreadyExists', { code: 409001, name: 'DeviceAlreadyExists' }],
    ['a number', 409001, { code: 409001, name: 'DeviceAlreadyExists' }],
    ['a number as text', '409001', { code: 409001, name: 'DeviceAlreadyExists' }],
    ['a name without a number', 'DeviceLocked', { code: undefined, name: 'DeviceLocked' }],
    ['an unknown number', 409999, { code: 409999, name: 'Error409999' }],
    ['nothing', undefined, { code: undefined, name: 'Unknown' }],
  ])('takes a 400 with a result for a result, its error code being %s', async (_, errorCode, expected) => {
    const body = partial({
      deviceId: 'd1',
      moduleId: 'm1',
      errorCode,
      errorStatus: 'ErrorCode:DeviceAlreadyExists;x',
      operation: 'create',
    });
    await withScriptedHub(
      [{ status: 400, headers: { 'iothub-errorcode': 'BulkRegistryOperationFailure' }, body }],
      async ({ client }) => {
        const result = await client.bulk([{ id: 'd1' }, { id: 'd2' }]);
        expect(result.isSuccessful).toBe(false);
        expect(result.errors).toMatchObject([{ deviceId: 'd1', moduleId: 'm1', operation: 'create', error: expected }]);
        expect(result.warnings).toEqual([{ deviceId: 'd2', name: 'DeviceRegisteredWithoutTwin' }]);
      },
    );
  });

  it('keeps nothing of a quoted line', async () => {
    const errorStatus = `Invalid device format in line: {"id":"d1","primaryKey":"${TEST_KEY}"}. Path 'authentication.type', line 1, position 2.`;
    await withScriptedHub([{ status: 400, body: partial({ errorCode: 400012, errorStatus }) }], async ({ client }) => {
      const result = await client.bulk([{ id: 'd1' }]);
      expect(result.errors[0]?.detail).toEqual({
        code: 400012,
        path: 'authentication.type',
        text: `${explainHubError(400012).sentence} Field: authentication.type.`,
      });
      expect(inspect(result, { depth: 9 })).not.toContain(TEST_KEY.slice(0, 10));
    });
  });

  it('takes a 400 without a result for an error', async () => {
    await withScriptedHub([hubFailure(400, 'DeviceDefinedMultipleTimes', 'x')], async ({ client }) => {
      await expect(client.bulk([{ id: 'd1' }, { id: 'd1' }])).rejects.toMatchObject({
        name: 'HubError',
        code: 'DeviceDefinedMultipleTimes',
        kind: 'badRequest',
      });
    });
  });

  it('takes a success without a result for an error', async () => {
    await withScriptedHub([{ body: [] }], async ({ client }) => {
      await expect(client.bulk([{ id: 'd1' }])).rejects.toMatchObject({ code: 'InvalidReply', outcomeUnknown: true });
    });
  });

  it('is not sent with more than 100 items, nor with none', async () => {
    await withScriptedHub([], async ({ client }) => {
      const items = Array.from({ length: 101 }, (_, index) => ({ id: `d${index}` }));
      await expect(client.bulk(items)).rejects.toMatchObject({ code: 'bulkTooLarge' });
      expect(await client.bulk([])).toEqual({ isSuccessful: true, errors: [], warnings: [] });
    });
  });
});

describe('queries', () => {
  const pages: Step[] = [
    {
      body: [{ deviceId: 'd1' }, { deviceId: 'd2' }],
      headers: { 'x-ms-item-type': 'Twin', 'x-ms-continuation': 'more+/=' },
    },
    { body: [{ deviceId: 'd3' }], headers: { 'x-ms-item-type': 'Twin' } },
  ];

  it('give their rows one by one over all pages', async () => {
    await withScriptedHub(pages, async ({ client, requests }) => {
      const ids: unknown[] = [];
      for await (const row of client.query('SELECT * FROM devices')) {
        ids.push(row.deviceId);
      }
      expect(ids).toEqual(['d1', 'd2', 'd3']);
      expect(requests.map(({ method, path, body }) => [method, path, body])).toEqual([
        ['POST', '/devices/query', { query: 'SELECT * FROM devices' }],
        ['POST', '/devices/query', { query: 'SELECT * FROM devices' }],
      ]);
      expect(requests.map(({ headers }) => headers['x-ms-continuation'])).toEqual([undefined, 'more+/=']);
    });
  });

  it('give pages of a size, with what is needed to go on later', async () => {
    await withScriptedHub([...pages, pages[1] as Step], async ({ client, requests }) => {
      const query = client.query('SELECT * FROM devices');
      const sizes: number[] = [];
      let continuation: string | undefined;
      for await (const page of query.byPage({ maxItems: 2 })) {
        sizes.push(page.items.length);
        expect(page.itemType).toBe('Twin');
        continuation ??= page.continuation;
      }
      expect(sizes).toEqual([2, 1]);
      expect(requests.map(({ headers }) => headers['x-ms-max-item-count'])).toEqual(['2', '2']);
      expect(continuation).toBe('more+/=');
      for await (const page of query.byPage({ maxItems: 2, continuation: 'more+/=' })) {
        expect(page.items).toEqual([{ deviceId: 'd3' }]);
      }
      expect(requests[2]?.headers['x-ms-continuation']).toBe('more+/=');
    });
  });

  it('ask for no further page than is read', async () => {
    await withScriptedHub([pages[0] as Step], async ({ client }) => {
      for await (const row of client.query('SELECT * FROM devices')) {
        expect(row.deviceId).toBe('d1');
        break;
      }
    });
  });

  it('longer than a hub takes are refused before they are sent', async () => {
    await withScriptedHub([], async ({ client }) => {
      expect(() => client.query(`SELECT * FROM devices WHERE deviceId = '${'x'.repeat(8200)}'`)).toThrow(
        /at most 8192/,
      );
    });
  });

  it('count devices', async () => {
    await withScriptedHub([{ body: [{ n: 12 }] }, { body: [] }], async ({ client, requests }) => {
      expect(await client.countDevices()).toBe(12);
      await expect(client.countDevices()).rejects.toMatchObject({ code: 'InvalidReply' });
      expect(requests[0]?.body).toEqual({ query: 'SELECT COUNT() AS n FROM devices' });
    });
  });

  it('are complemented by statistics', async () => {
    const steps: Step[] = [
      { body: { totalDeviceCount: 3, enabledDeviceCount: 2, disabledDeviceCount: 1 } },
      { body: { connectedDeviceCount: 1 } },
      { body: {} },
    ];
    await withScriptedHub(steps, async ({ client, requests }) => {
      expect(await client.getRegistryStatistics()).toEqual({
        totalDeviceCount: 3,
        enabledDeviceCount: 2,
        disabledDeviceCount: 1,
      });
      expect(await client.getServiceStatistics()).toEqual({ connectedDeviceCount: 1 });
      await expect(client.getServiceStatistics()).rejects.toMatchObject({ code: 'InvalidReply' });
      expect(requests.map(({ path }) => path)).toEqual([
        '/statistics/devices',
        '/statistics/service',
        '/statistics/service',
      ]);
    });
  });
});

describe('jobs', () => {
  const uri = `https://a.blob.core.windows.net/c?sv=1&sig=${encodeURIComponent(TEST_KEY)}`;
  const live = {
    jobId: 'j1',
    type: 'import',
    status: 'enqueued',
    progress: 0,
    outputBlobContainerUri: '',
    failureReason: null,
  };

  it('import with the names of the wire, and show what the hub shows', async () => {
    await withScriptedHub([{ body: live }], async ({ client, only }) => {
      const job = await client.createImportJob({
        inputBlobContainerUri: uri,
        inputBlobName: 'in.txt',
        outputBlobContainerUri: uri,
        storageAuthenticationType: 'identityBased',
        identity: { userAssignedIdentity: '/subscriptions/1' },
      });
      expect(job).toEqual({ jobId: 'j1', type: 'import', status: 'enqueued', progress: 0 });
      expect(only()).toMatchObject({ method: 'POST', path: '/jobs/create' });
      expect(only().body).toEqual({
        type: 'import',
        inputBlobContainerUri: uri,
        inputBlobName: 'in.txt',
        outputBlobContainerUri: uri,
        storageAuthenticationType: 'identityBased',
        identity: { userAssignedIdentity: '/subscriptions/1' },
      });
    });
  });

  it('export with or without keys and configurations', async () => {
    await withScriptedHub([{ body: { ...live, type: 'export' } }], async ({ client, only }) => {
      await client.createExportJob({
        outputBlobContainerUri: uri,
        outputBlobName: 'out.txt',
        excludeKeys: true,
        includeConfigurations: true,
        configurationsBlobName: 'c.txt',
      });
      expect(only().body).toEqual({
        type: 'export',
        outputBlobContainerUri: uri,
        outputBlobName: 'out.txt',
        excludeKeysInExport: true,
        includeConfigurations: true,
        configurationsBlobName: 'c.txt',
      });
    });
  });

  it('tell a busy hub from a forbidden one by its code', async () => {
    await withScriptedHub(
      [hubFailure(403, 'JobQuotaExceeded', 'Error: 403'), hubFailure(403, 'GenericForbidden', 'x')],
      async ({ client }) => {
        const create = () => client.createExportJob({ outputBlobContainerUri: uri });
        await expect(create()).rejects.toMatchObject({ kind: 'busyJob', code: 'JobQuotaExceeded', retryable: true });
        await expect(create()).rejects.toMatchObject({ kind: 'forbidden', retryable: false });
      },
    );
  });

  it('are read, and undefined when the hub does not know them', async () => {
    const echoed = {
      ...live,
      status: 'completed',
      progress: 100,
      startTimeUtc: '2026-11-20T10:11:12.1234567Z',
      endTimeUtc: '0001-01-01T00:00:00Z',
      inputBlobName: 'in.txt',
      inputBlobContainerUri: uri,
      outputBlobContainerUri: uri,
      failureReason: `cannot read ${uri}`,
    };
    await withScriptedHub(
      [{ body: echoed }, hubFailure(404, 'JobNotFound', 'x'), { status: 404 }],
      async ({ client }) => {
        const job = await client.getJob('j1');
        expect(job).toEqual({
          jobId: 'j1',
          type: 'import',
          status: 'completed',
          progress: 100,
          startTimeUtc: '2026-11-20T10:11:12.1234567Z',
          inputBlobName: 'in.txt',
          inputBlobContainerUri: 'https://a.blob.core.windows.net/c',
          outputBlobContainerUri: 'https://a.blob.core.windows.net/c',
          failureReason: 'cannot read https://a.blob.core.windows.net/c?sv=1&sig=[redacted]',
        });
        expect(await client.getJob('j2')).toBeUndefined();
        await expect(client.getJob('j3')).rejects.toBeInstanceOf(HubError);
      },
    );
  });

  it('are listed', async () => {
    await withScriptedHub(
      [{ body: [live, { ...live, jobId: 'j2', type: 'scheduleUpdateTwin' }] }],
      async ({ client, only }) => {
        expect((await client.listJobs()).map(({ jobId, type }) => [jobId, type])).toEqual([
          ['j1', 'import'],
          ['j2', 'scheduleUpdateTwin'],
        ]);
        expect(only().path).toBe('/jobs');
      },
    );
  });

  it('are cancelled, whether the hub shows the job or nothing', async () => {
    const steps: Step[] = [{ body: { ...live, status: 'cancelled' } }, { status: 204 }, { status: 500 }];
    await withScriptedHub(steps, async ({ client, requests }) => {
      expect((await client.cancelJob('j1'))?.status).toBe('cancelled');
      expect(await client.cancelJob('j1')).toBeUndefined();
      await expect(client.cancelJob('old')).rejects.toMatchObject({ kind: 'server', status: 500 });
      expect(requests[0]).toMatchObject({ method: 'DELETE', path: '/jobs/j1' });
    });
  });
});

describe('configurations', () => {
  const wire = {
    id: 'c1',
    schemaVersion: '1.0',
    labels: { owner: 'me' },
    content: { deviceContent: { 'properties.desired.t': 1 }, moduleContent: {}, modulesContent: {} },
    targetCondition: "tags.site='x'",
    createdTimeUtc: '2026-11-20T10:11:12.1234567Z',
    lastUpdatedTimeUtc: '0001-01-01T00:00:00',
    priority: 10,
    systemMetrics: { results: { targetedCount: 2, appliedCount: 1 }, queries: { targetedCount: 'select' } },
    metrics: { results: { mine: 3 }, queries: { mine: 'SELECT deviceId FROM devices' } },
    etag: 'MQ==',
  };
  const ours = {
    id: 'c1',
    etag: 'MQ==',
    schemaVersion: '1.0',
    labels: { owner: 'me' },
    content: { deviceContent: { 'properties.desired.t': 1 } },
    targetCondition: "tags.site='x'",
    priority: 10,
    metricQueries: { mine: 'SELECT deviceId FROM devices' },
    metricResults: { mine: 3 },
    systemMetricResults: { targetedCount: 2, appliedCount: 1 },
    createdTimeUtc: '2026-11-20T10:11:12.1234567Z',
  };

  it('are read and listed, empty kinds of content being none', async () => {
    await withScriptedHub(
      [{ body: wire }, hubFailure(404, 'ConfigurationNotFound', 'x'), { body: [wire] }],
      async ({ client, requests }) => {
        expect(await client.getConfiguration('c1')).toEqual(ours);
        expect(await client.getConfiguration('c2')).toBeUndefined();
        expect(await client.listConfigurations({ top: 20 })).toEqual([ours]);
        expect(requests[2]?.query.get('top')).toBe('20');
      },
    );
  });

  it('are created, written back with their quoted ETag, and deleted', async () => {
    await withScriptedHub([{ body: wire }, { body: wire }, { status: 204 }], async ({ client, requests }) => {
      const configuration = await client.createConfiguration({ id: 'c1', content: {} });
      await client.updateConfiguration(configuration, { onlyIfUnchanged: true });
      await client.deleteConfiguration(configuration);
      expect(requests.map(({ method, headers }) => [method, headers['if-match']])).toEqual([
        ['PUT', undefined],
        ['PUT', '"MQ=="'],
        ['DELETE', '"*"'],
      ]);
      expect(requests[1]?.body).toEqual({
        id: 'c1',
        etag: 'MQ==',
        schemaVersion: '1.0',
        labels: { owner: 'me' },
        content: { deviceContent: { 'properties.desired.t': 1 } },
        targetCondition: "tags.site='x'",
        priority: 10,
        metrics: { queries: { mine: 'SELECT deviceId FROM devices' } },
      });
    });
  });

  it('are applied to one edge device', async () => {
    await withScriptedHub(
      [{ status: 204 }, hubFailure(400, 'ArgumentInvalid', 'Not an Azure IoT Edge device')],
      async ({ client, requests }) => {
        const content = { modulesContent: { $edgeAgent: { 'properties.desired': {} } } };
        await client.applyConfigurationContent('e1', content);
        expect(requests[0]).toMatchObject({
          method: 'POST',
          path: '/devices/e1/applyConfigurationContent',
          body: content,
        });
        await expect(client.applyConfigurationContent('d1', content)).rejects.toThrow(/Not an Azure IoT Edge device/);
      },
    );
  });
});
