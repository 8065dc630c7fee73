import type { ReceivedEventData } from '@azure/event-hubs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { emitEvents } from '../../../../local/hub/events/emitEvents.ts';
import type { EventLog } from '../../../../local/hub/events/eventLog.ts';
import { defaultSettings } from '../../../../local/hub/hubOptions.ts';
import { createDevice } from '../../../../local/hub/identity/identityRules.ts';
import { type RunningHub, startHub } from '../../../../local/hub/index.ts';
import { openDatabase } from '../../../../local/hub/registry/database.ts';
import { createIdentityStore } from '../../../../local/hub/registry/identityStore.ts';
import { type Azurite, startAzurite } from '../../../helpers/azurite.ts';
import { type EventReader, readEvents, withReader } from '../eventReader.ts';
import { type CallOptions, createClient, type HubClient } from '../hubClient.ts';
import { createContainer, importLines } from '../jobs/jobFixture.ts';

let azurite: Azurite;
let hub: RunningHub;
let client: HubClient;
let reader: EventReader;

beforeAll(async () => {
  azurite = await startAzurite();
  hub = await startHub({ name: 'plant', lifecycleEvents: true, twinEvents: true, jobEnqueueMs: 0 });
  client = createClient(hub);
  reader = readEvents(hub);
});

afterAll(async () => {
  await reader.close();
  await hub.close();
  await azurite.stop();
});

const ANY = { 'If-Match': '*' };
const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z$/);
const unwritten = { $metadata: { $lastUpdated: '0001-01-01T00:00:00Z' }, $version: 1 };

async function call(method: string, path: string, options?: CallOptions) {
  const { status, body } = await client.call(method, path, options);
  expect([method, path, status < 300, body?.Message]).toEqual([method, path, true, undefined]);
}
const putDevice = (deviceId: string, more: object = {}) =>
  call('PUT', `/devices/${deviceId}`, { body: { deviceId, ...more } });
const rawEventsOf = async (deviceId: string) =>
  (await reader.all()).filter(({ properties }) => properties?.deviceId === deviceId);
const eventsOf = async (deviceId: string) => (await rawEventsOf(deviceId)).map(shortOf);

/** An event without what only clients of Event Hubs look at. */
function shortOf({ properties = {}, body }: ReceivedEventData) {
  const { opType, moduleId } = properties;
  return { opType, deviceId: properties.deviceId, ...(moduleId !== undefined && { moduleId }), body };
}
const kindsOf = async (deviceId: string) =>
  (await eventsOf(deviceId)).map(({ opType, moduleId }) => (moduleId === undefined ? opType : [opType, moduleId]));

describe('an event', () => {
  it('carries the properties and annotations that are documented', async () => {
    const from = Date.now();
    await putDevice('p1');
    await call('PUT', '/devices/p1/modules/m1', { body: { deviceId: 'p1', moduleId: 'm1' } });
    await call('PATCH', '/twins/p1/modules/m1', { body: { tags: { a: 1 } } });
    const [device, module, twin] = await rawEventsOf('p1');
    expect(device?.properties).toEqual({
      hubName: 'plant',
      deviceId: 'p1',
      operationTimestamp: time,
      opType: 'createDeviceIdentity',
      'iothub-message-schema': 'deviceLifecycleNotification',
    });
    expect(device?.systemProperties).toEqual({
      'iothub-connection-device-id': 'p1',
      'iothub-enqueuedtime': device?.enqueuedTimeUtc.getTime(),
      'iothub-message-source': 'deviceLifecycleEvents',
      contentType: 'application/json',
      contentEncoding: 'utf-8',
      correlationId: expect.stringMatching(/^[0-9a-f]+$/),
      userId: { ...Buffer.from('plant') },
    });
    expect(device?.partitionKey).toBe('p1');
    expect(device?.enqueuedTimeUtc.getTime()).toBeGreaterThanOrEqual(from);
    expect(device?.enqueuedTimeUtc.getTime()).toBeLessThanOrEqual(Date.now());
    expect(device?.getRawAmqpMessage().bodyType).toBe('data');
    expect([module?.properties?.moduleId, module?.systemProperties?.['iothub-connection-module-id']]).toEqual([
      'm1',
      'm1',
    ]);
    expect(module?.properties?.opType).toBe('createDeviceIdentity');
    expect(twin?.properties).toMatchObject({
      moduleId: 'm1',
      opType: 'updateTwin',
      'iothub-message-schema': 'twinChangeNotification',
    });
    expect(twin?.systemProperties?.['iothub-message-source']).toBe('twinChangeEvents');
  });
});

describe('a device', () => {
  it('is told of when it is made, and with its last twin when it is deleted', async () => {
    await putDevice('a1');
    await call('PATCH', '/twins/a1', { body: { tags: { site: 'x' }, properties: { desired: { t: 21 } } } });
    await call('DELETE', '/devices/a1', { headers: ANY });
    const [made, , gone] = await eventsOf('a1');
    expect(made).toEqual({
      opType: 'createDeviceIdentity',
      deviceId: 'a1',
      body: {
        deviceId: 'a1',
        etag: 'AAAAAAAAAAE=',
        version: 2,
        properties: { desired: unwritten, reported: unwritten },
      },
    });
    const stamp = { $lastUpdated: time, $lastUpdatedVersion: 2 };
    expect(gone).toEqual({
      opType: 'deleteDeviceIdentity',
      deviceId: 'a1',
      body: {
        deviceId: 'a1',
        etag: 'AAAAAAAAAAI=',
        version: 3,
        tags: { site: 'x' },
        properties: {
          desired: { t: 21, $metadata: { ...stamp, t: stamp }, $version: 2 },
          reported: unwritten,
        },
      },
    });
  });

  it('is not told of when its status, keys or scope change, nor are these in any event', async () => {
    await putDevice('a2', { capabilities: { iotEdge: true } });
    const { body: edge } = await client.call('GET', '/devices/a2');
    await putDevice('a3', { statusReason: 'spare part' });
    const before = (await kindsOf('a3')).length;
    const symmetricKey = {
      primaryKey: Buffer.alloc(32, 1).toString('base64'),
      secondaryKey: Buffer.alloc(32, 2).toString('base64'),
    };
    const update = (more: object) => call('PUT', '/devices/a3', { body: { deviceId: 'a3', ...more }, headers: ANY });
    await update({ status: 'disabled', statusReason: 'stolen' });
    await update({ authentication: { type: 'sas', symmetricKey } });
    await update({ deviceScope: edge.deviceScope });
    await call('DELETE', '/devices/a3', { headers: ANY });
    const events = await eventsOf('a3');
    expect(events.slice(before).map(({ opType }) => opType)).toEqual(['deleteDeviceIdentity']);
    const text = JSON.stringify(events);
    for (const secret of [symmetricKey.primaryKey, 'primaryKey', 'spare part', 'stolen', 'status', 'edge://']) {
      expect(text).not.toContain(secret);
    }
  });

  it('of the edge comes with its modules, which go without a word when it does', async () => {
    await putDevice('a4', { capabilities: { iotEdge: true } });
    await call('PUT', '/devices/a4/modules/m1', { body: { deviceId: 'a4', moduleId: 'm1' } });
    await call('DELETE', '/devices/a4/modules/m1', { headers: ANY });
    await call('DELETE', '/devices/a4', { headers: ANY });
    expect(await kindsOf('a4')).toEqual([
      'createDeviceIdentity',
      ['createDeviceIdentity', '$edgeAgent'],
      ['createDeviceIdentity', '$edgeHub'],
      ['createDeviceIdentity', 'm1'],
      ['deleteDeviceIdentity', 'm1'],
      'deleteDeviceIdentity',
    ]);
  });
});

describe('a twin', () => {
  it('that is patched is told by its changed parts, with null for what goes', async () => {
    await putDevice('t1');
    await call('PATCH', '/twins/t1', {
      body: { tags: { site: 'x', at: { hall: 1 } }, properties: { desired: { t: 21, o: { p: 1, q: 2 } } } },
    });
    await call('PATCH', '/twins/t1', { body: { tags: { at: { hall: null } } } });
    await call('PATCH', '/twins/t1', { body: { properties: { desired: { t: null, o: { p: 3 } } } } });
    const [, both, tags, desired] = (await eventsOf('t1')).map(({ opType, body }) => [opType, body]);
    const stamp = (version: number) => ({ $lastUpdated: time, $lastUpdatedVersion: version });
    expect(both).toEqual([
      'updateTwin',
      {
        version: 3,
        tags: { site: 'x', at: { hall: 1 } },
        properties: {
          desired: {
            t: 21,
            o: { p: 1, q: 2 },
            $metadata: { ...stamp(2), t: stamp(2), o: { ...stamp(2), p: stamp(2), q: stamp(2) } },
            $version: 2,
          },
        },
      },
    ]);
    expect(tags).toEqual(['updateTwin', { version: 4, tags: { at: { hall: null } } }]);
    expect(desired).toEqual([
      'updateTwin',
      {
        version: 5,
        properties: {
          desired: {
            t: null,
            o: { p: 3 },
            $metadata: { ...stamp(3), o: { ...stamp(3), p: stamp(3) } },
            $version: 3,
          },
        },
      },
    ]);
  });

  it('that is replaced is told as a whole', async () => {
    await putDevice('t2');
    await call('PATCH', '/twins/t2', { body: { tags: { site: 'x' } } });
    await call('PUT', '/twins/t2', { body: { properties: { desired: { big: { deep: [1, 'ü'] } } } } });
    const event = (await eventsOf('t2')).at(-1);
    const stamp = { $lastUpdated: time, $lastUpdatedVersion: 2 };
    expect(event).toEqual({
      opType: 'replaceTwin',
      deviceId: 't2',
      body: {
        deviceId: 't2',
        etag: 'AAAAAAAAAAM=',
        version: 4,
        tags: {},
        properties: {
          desired: {
            big: { deep: [1, 'ü'] },
            $metadata: { ...stamp, big: { ...stamp, deep: stamp } },
            $version: 2,
          },
          reported: unwritten,
        },
      },
    });
  });

  it('of a module is changed by content that is applied to its device, and by configurations', async () => {
    await putDevice('t3', { capabilities: { iotEdge: true } });
    await putDevice('t4');
    const content = (value: number) => ({
      modulesContent: { $edgeAgent: {}, m1: { 'properties.desired': { a: value, b: { c: 1 } } } },
    });
    await call('POST', '/devices/t3/applyConfigurationContent', { body: content(1) });
    await call('POST', '/devices/t3/applyConfigurationContent', { body: content(2) });
    const configuration = {
      id: 'site-x',
      content: { deviceContent: { 'properties.desired.mode': 'auto' } },
      targetCondition: "tags.site = 'x'",
      priority: 1,
    };
    await call('PUT', '/configurations/site-x', { body: configuration });
    await call('PATCH', '/twins/t4', { body: { tags: { site: 'x' } } });
    await call('PATCH', '/twins/t4', { body: { tags: { site: null } } });
    await call('DELETE', '/configurations/site-x', { headers: ANY });
    const edge = (await eventsOf('t3')).filter(({ moduleId }) => moduleId === 'm1');
    expect(edge.map(({ opType, body }) => [opType, body.version, body.properties.desired])).toEqual([
      ['createDeviceIdentity', 2, unwritten],
      ['updateTwin', 3, expect.objectContaining({ a: 1, b: { c: 1 }, $version: 2 })],
      ['updateTwin', 4, { a: 2, $metadata: expect.objectContaining({ $lastUpdatedVersion: 3 }), $version: 3 }],
    ]);
    const leaf = (await eventsOf('t4')).slice(1);
    expect(leaf.map(({ opType, body }) => [opType, body.version, body.tags, body.properties?.desired.mode])).toEqual([
      ['updateTwin', 3, { site: 'x' }, undefined],
      ['updateTwin', 4, undefined, 'auto'],
      ['updateTwin', 5, { site: null }, undefined],
      ['updateTwin', 6, undefined, null],
    ]);
  });
});

describe('an event that cannot be written', () => {
  it('takes its change back', () => {
    const database = openDatabase(undefined);
    const store = createIdentityStore(database);
    const append = () => {
      throw new Error('The disk is full.');
    };
    emitEvents(store, { append } as unknown as EventLog, { lifecycleEvents: true, twinEvents: true, jobEvents: false });
    const input = {
      deviceId: 'd1',
      status: 'enabled',
      statusReason: null,
      authentication: undefined,
      iotEdge: false,
      deviceScope: undefined,
      parentScopes: [],
    } as const;
    const context = { store, settings: defaultSettings(), nowMs: 0, caller: 'single' } as const;
    expect(() => createDevice(context, input, {})).toThrow('The disk is full.');
    expect([store.find('d1'), store.counts().devices]).toEqual([undefined, 0]);
    database.close();
  });
});

describe('a bulk call', () => {
  it('is told of item by item, whatever becomes of the others', async () => {
    await putDevice('b1');
    const { status } = await client.call('POST', '/devices', {
      body: [
        { id: 'b1', importMode: 'create', status: 'enabled' },
        { id: 'b2', importMode: 'create', status: 'enabled', tags: { s: 1 }, properties: { desired: { d: 1 } } },
        { id: 'b3', importMode: 'update', status: 'enabled' },
      ],
    });
    expect(status).toBe(400);
    await call('POST', '/devices', {
      body: [
        { id: 'b1', importMode: 'update', status: 'disabled' },
        { id: 'b2', importMode: 'updateTwin', status: 'enabled', tags: { s: 2 } },
      ],
    });
    await call('POST', '/devices', { body: [{ id: 'b2', importMode: 'delete' }] });
    expect([await kindsOf('b1'), await kindsOf('b3')]).toEqual([['createDeviceIdentity'], []]);
    const events = await eventsOf('b2');
    expect(events.map(({ opType, body }) => [opType, body.version, body.tags])).toEqual([
      ['createDeviceIdentity', 2, { s: 1 }],
      ['replaceTwin', 3, { s: 2 }],
      ['deleteDeviceIdentity', 3, { s: 2 }],
    ]);
    expect(events[1]?.body.properties.desired).toMatchObject({ d: 1, $version: 1 });
  });
});

describe('an import job', () => {
  const lines = [
    { id: 'j1', importMode: 'create', status: 'enabled', tags: { n: 1 } },
    { id: 'j1', importMode: 'updateTwin', status: 'enabled', properties: { desired: { d: 1 } } },
    { id: 'j1', importMode: 'delete', status: 'enabled' },
  ];

  it('is told of only with the option for it', async () => {
    const container = await createContainer(azurite.connectionString);
    expect(await importLines(client, container, lines)).toEqual([]);
    expect(await eventsOf('j1')).toEqual([]);
    await client.admin('PATCH', '/options', { jobEvents: true });
    expect(await importLines(client, container, lines)).toEqual([]);
    await client.admin('PATCH', '/options', { jobEvents: false });
    expect(await kindsOf('j1')).toEqual(['createDeviceIdentity', 'replaceTwin', 'deleteDeviceIdentity']);
  });

  it('merges by option, and then tells the changed parts', async () => {
    const container = await createContainer(azurite.connectionString);
    await putDevice('j2');
    await client.admin('PATCH', '/options', { jobEvents: true, importTwin: 'merge' });
    await importLines(client, container, [{ id: 'j2', importMode: 'updateTwin', status: 'enabled', tags: { a: 1 } }]);
    await client.admin('PATCH', '/options', { jobEvents: false, importTwin: 'replace' });
    expect((await eventsOf('j2')).at(-1)).toMatchObject({ opType: 'updateTwin', body: { version: 3, tags: { a: 1 } } });
  });
});

describe('without a route', () => {
  it.each([
    ['for either', {}, []],
    ['for twins', { lifecycleEvents: true }, ['createDeviceIdentity', 'deleteDeviceIdentity']],
    ['for the lifecycle', { twinEvents: true }, ['updateTwin']],
  ])('%s nothing of it is told', async (_, options, kinds) => {
    const other = await startHub(options);
    try {
      const { call: callOther } = createClient(other);
      await callOther('PUT', '/devices/d1', { body: { deviceId: 'd1' } });
      await callOther('PATCH', '/twins/d1', { body: { tags: { a: 1 } } });
      await callOther('DELETE', '/devices/d1', { headers: ANY });
      const events = await withReader(other, {}, ({ all }) => all());
      expect(events.map(({ properties }) => properties?.opType)).toEqual(kinds);
    } finally {
      await other.close();
    }
  });
});
