import { afterAll, beforeAll, expect, it } from 'vitest';

import { type RunningHub, startHub } from '../../local/hub/index.ts';
import { demandRest, type HubRest, hubRest } from '../helpers/hubRest.ts';
import { differences, type RegistryState, registryState } from './registryState.ts';

let hub: RunningHub;
let rest: HubRest;

beforeAll(async () => {
  hub = await startHub({ jobEnqueueMs: 0 });
  rest = hubRest(hub.connectionString);
});

afterAll(() => hub.close());

const put = <T>(path: string, body: object, headers?: Record<string, string>) =>
  demandRest<T>(rest, 'PUT', path, body, headers);

it('a registry is read whole, and each thing that changes in it is named by its path', async () => {
  const { deviceScope } = await put<{ deviceScope: string }>('/devices/gateway', {
    deviceId: 'gateway',
    capabilities: { iotEdge: true },
  });
  await put('/devices/leaf', { deviceId: 'leaf', deviceScope, status: 'disabled', statusReason: 'lost' });
  await put('/devices/gateway/modules/filter', { deviceId: 'gateway', moduleId: 'filter', managedBy: 'owner' });
  await demandRest(rest, 'PATCH', '/twins/leaf', { tags: { site: 'x' }, properties: { desired: { rate: 1.5 } } });
  await put('/configurations/night', {
    id: 'night',
    targetCondition: "tags.site='x'",
    priority: 3,
    content: { deviceContent: { 'properties.desired.night': { on: true } } },
  });

  const before = await registryState(rest);
  expect(Object.keys(before.devices)).toEqual(['gateway', 'leaf']);
  expect(before.devices['leaf']).toMatchObject({ status: 'disabled', statusReason: 'lost', parent: 'gateway' });
  expect(before.devices['leaf']?.authentication.keys).toHaveLength(2);
  expect(Object.keys(before.modules)).toEqual(['gateway / $edgeAgent', 'gateway / $edgeHub', 'gateway / filter']);
  expect(before.modules['gateway / filter']?.managedBy).toBe('owner');
  expect(before.configurations['night']).toMatchObject({ priority: 3, metrics: {} });
  expect(differences(before, await registryState(rest))).toEqual([]);

  await put('/devices/leaf', { deviceId: 'leaf' }, { 'if-match': '"*"' });
  await put('/devices/gateway/modules/filter', { deviceId: 'gateway', moduleId: 'filter' }, { 'if-match': '"*"' });
  await demandRest(rest, 'PATCH', '/twins/leaf', { tags: { site: 'y' } });
  await demandRest(rest, 'DELETE', '/configurations/night');
  const paths = differences(before, await registryState(rest)).map((difference) => difference.split(':')[0]);
  expect(paths).toEqual([
    'devices.leaf.status',
    'devices.leaf.statusReason',
    'devices.leaf.authentication.keys',
    'devices.leaf.parent',
    'devices.leaf.tags.site',
    // The configuration's, which targeted the tag of before.
    'devices.leaf.desired.night',
    'modules.gateway / filter.managedBy',
    'modules.gateway / filter.authentication.keys',
    'configurations.night',
  ]);
});

it('key order and the spelling of numbers are no differences; what is missing on one side is one', () => {
  const state = (tags: object): RegistryState => ({
    devices: {
      one: {
        status: 'enabled',
        statusReason: '',
        authentication: { type: 'sas', keys: null, thumbprints: null },
        iotEdge: false,
        parent: null,
        tags,
        desired: {},
      },
    },
    modules: {},
    configurations: {},
  });
  const before = state(JSON.parse('{"a":1.0,"b":[1,{"c":1e3}]}') as object);
  expect(differences(before, state({ b: [1, { c: 1000 }], a: 1 }))).toEqual([]);
  expect(differences(before, state({ a: 1 }))).toEqual(['devices.one.tags.b: [1,{"c":1000}] → nothing']);
});
