/** Runs of a simulated hub that are undone: the registry is then as it was before, by plain REST. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { RegistryClient } from '../../../src/lib/registry/index.ts';
import { type Azurite, startAzurite } from '../../helpers/azurite.ts';
import { type SimulatedHub, withSimulatedHub } from '../../helpers/simulatedHub.ts';
import { differences, type RegistryState, registryState } from '../../scenarios/registryState.ts';
import { undoRun } from './undoRun.ts';

let azurite: Azurite;
beforeAll(async () => {
  azurite = await startAzurite();
});
afterAll(() => azurite.stop());

const onHub = <Result>(work: (hub: SimulatedHub) => Promise<Result>) =>
  withSimulatedHub(azurite.connectionString, work);

const key = (name: string) => Buffer.from(name.padEnd(32, '.')).toString('base64');
const sas = (name: string) => ({
  type: 'sas' as const,
  symmetricKey: { primaryKey: key(name), secondaryKey: key(`${name}2`) },
});

/** A fleet: edge devices in two levels with leaves and modules, plain devices with modules, one of them blocked. */
async function makeFleet(client: RegistryClient, others = 0): Promise<void> {
  const edge = { capabilities: { iotEdge: true } };
  const make = async (
    deviceId: string,
    fields: object = {},
    tags: Readonly<Record<string, unknown>> = { site: 'north', by: deviceId },
  ) => {
    const device = await client.createDevice({ deviceId, authentication: sas(deviceId), ...fields });
    await client.updateTwin({
      deviceId,
      tags,
      desired: { rate: 5, deep: { a: [1, 'two'] } },
    });
    return device;
  };
  const top = await make('top', edge);
  const middle = await make('middle', { ...edge, parentScopes: [top.deviceScope ?? ''] });
  await make('leaf', { deviceScope: middle.deviceScope ?? '' });
  await make('leaf2', { deviceScope: top.deviceScope ?? '' });
  await client.applyConfigurationContent('top', {
    modulesContent: {
      $edgeAgent: { 'properties.desired': { schemaVersion: '1.1', modules: { opc: { version: '1.0' } } } },
      $edgeHub: { 'properties.desired': { routes: { up: 'FROM /* INTO $upstream' } } },
      opc: { 'properties.desired': { poll: 10 } },
    },
  });
  for (const deviceId of ['plain', 'kept', 'blocked', 'odd*(x)', 'gone']) await make(deviceId);
  await client.createModule({ deviceId: 'gone', moduleId: 'valve', authentication: sas('valve'), managedBy: 'acme' });
  await client.createModule({ deviceId: 'gone', moduleId: 'pump', authentication: sas('pump') });
  await client.updateTwin({
    deviceId: 'gone',
    moduleId: 'valve',
    tags: { v: 1 },
    desired: { open: true },
  });
  await client.createModule({ deviceId: 'plain', moduleId: 'valve', authentication: sas('plain valve') });
  const blocked = await client.getDevice('blocked');
  if (blocked !== undefined) await client.updateDevice({ ...blocked, status: 'disabled', statusReason: 'stolen' });
  for (let at = 0; at < others; at++) await make(`other${at}`);
}

/** A bad drop: wrong tags, deletes with modules and edge parents among them, devices disabled and given new keys. */
const BAD: readonly object[] = [
  { id: 'plain', importMode: 'update', tags: { wrong: 1 }, properties: { desired: { rate: 9 } } },
  { id: 'plain', moduleId: 'valve', importMode: 'update', authentication: sas('wrong'), tags: { wrong: 1 } },
  { id: 'odd*(x)', status: 'disabled', statusReason: 'by mistake', authentication: sas('new') },
  { id: 'blocked', status: 'enabled', statusReason: '', tags: { wrong: 1 } },
  {
    id: 'kept',
    importMode: 'updateTwin',
    tags: { site: null, wrong: 1 },
    properties: { desired: { deep: { a: 'x' } } },
  },
  { id: 'gone', importMode: 'delete' },
  { id: 'top', importMode: 'delete' },
  { id: 'leaf', importMode: 'update', parent: null },
  { id: 'made', importMode: 'create', tags: { v: 1 } },
  { id: 'made', moduleId: 'valve', importMode: 'create' },
  { id: 'made2', capabilities: { iotEdge: true } },
  { id: 'made3', importMode: 'create', parent: 'made2' },
  { id: 'never', importMode: 'delete' },
];

async function expectSame(hub: SimulatedHub, before: RegistryState): Promise<void> {
  expect(differences(before, await registryState(hub.rest))).toEqual([]);
}

describe('a bad drop', () => {
  it.each([
    ['few lines, whose pre-image was read one by one', 0],
    ['many lines, whose pre-image is an export', 230],
  ])('of %s is undone, and the undo, too', async (_what, others) => {
    await onHub(async (hub) => {
      await makeFleet(hub.client, others);
      const before = await registryState(hub.rest);
      const more = Array.from({ length: others }, (_, at) => ({
        id: `other${at}`,
        importMode: 'updateTwin',
        tags: { site: at },
      }));
      const run = await hub.provision([...BAD, ...more], { confirm: hub.client.hubName });
      expect(run).toMatchObject({ state: 'completed', outcomes: { unchanged: 1 } });
      const after = await registryState(hub.rest);
      expect(differences(before, after).length).toBeGreaterThan(20);

      const undone = await undoRun(hub, run.runId);
      expect(undone.told.filter((detail) => detail.do === 'foreign')).toEqual([]);
      expect(undone).toMatchObject({
        way: others === 0 ? 'single' : 'export',
        run: { state: 'completed' },
        // gone with two modules; top with two system modules and one of a deployment.
        counts: { remove: 4, recreate: 7, foreign: 0, systemModules: 3, unknownKeys: 4 },
      });
      // An export does not say who managed the modules that were deleted.
      const known = others === 0 ? before : withoutManager(before, 'gone / valve');
      await expectSame(hub, known);
      expect(await undoRun(hub, run.runId)).toMatchObject({ run: undefined });

      // Undone once more: as the drop had left it, but for what the hub makes anew.
      const again = await undoRun(hub, undone.run?.runId ?? '');
      expect(again.counts.foreign).toBe(0);
      expect(differences(linksAside(after), linksAside(await registryState(hub.rest)))).toEqual([]);
    });
  });

  it('of which nobody knows what became is compared line by line', async () => {
    await onHub(async (hub) => {
      await makeFleet(hub.client);
      const before = await registryState(hub.rest);
      await hub.setFaults([{ operation: 'importLine', code: 'ServerError', ids: ['plain', 'gone', 'made'] }]);
      const run = await hub.provision(BAD, { retryminutes: '0', confirm: hub.client.hubName });
      await hub.setFaults([]);
      expect((await undoRun(hub, run.runId)).counts.foreign).toBe(0);
      await expectSame(hub, before);
    });
  });
});

describe('what somebody else has changed since', () => {
  it('is left alone, and put back with force', async () => {
    await onHub(async (hub) => {
      const { client } = hub;
      await makeFleet(client);
      const before = await registryState(hub.rest);
      const run = await hub.provision(BAD, { confirm: client.hubName });
      await client.updateTwin({ deviceId: 'plain', tags: { theirs: true } });
      await client.createModule({ deviceId: 'made', moduleId: 'theirs' });
      await client.createDevice({ deviceId: 'gone', authentication: sas('theirs') });
      const odd = await client.getDevice('odd*(x)');
      await client.deleteDevice({ deviceId: odd?.deviceId ?? '' });
      const { deviceScope = '' } = (await client.getDevice('made2')) ?? {};
      await client.createDevice({ deviceId: 'theirs', deviceScope });

      const first = await undoRun(hub, run.runId);
      expect(
        first.told
          .filter((detail) => detail.do === 'foreign')
          .map(({ id, moduleId, fields }) => [id, moduleId, fields]),
      ).toEqual(
        expect.arrayContaining([
          ['plain', undefined, ['tags.theirs']],
          ['made', undefined, ['modules']],
          ['made2', undefined, ['children']],
          ['odd*(x)', undefined, ['deleted']],
          ['gone', undefined, expect.arrayContaining(['authentication.symmetricKey.primaryKey', 'tags.site'])],
        ]),
      );
      expect(first.counts.foreign).toBe(5);
      expect((await client.getTwin({ deviceId: 'plain' }))?.tags).toMatchObject({ theirs: true, wrong: 1 });
      // What is nobody's is put back all the same.
      expect(await client.getDevice('top')).toMatchObject({ capabilities: { iotEdge: true } });

      const forced = await undoRun(hub, run.runId, { force: true });
      expect(forced.counts.foreign).toBe(0);
      await client.deleteDevice({ deviceId: 'theirs' });
      await expectSame(hub, before);
    });
  });

  it('between the plan and its import is not written over', async () => {
    await onHub(async (hub) => {
      const { client } = hub;
      await makeFleet(client);
      const run = await hub.provision([
        { id: 'kept', importMode: 'update', tags: { wrong: 1 } },
        { id: 'made', importMode: 'create' },
      ]);
      const block = async () => {
        for (const id of ['kept', 'made']) {
          const device = await client.getDevice(id);
          if (device !== undefined)
            await client.updateDevice({ ...device, status: 'disabled', statusReason: 'theirs' });
        }
      };
      const undone = await undoRun(hub, run.runId, { beforeApply: block });
      expect(undone).toMatchObject({ counts: { restore: 1, remove: 1 }, run: { outcomes: { failed: 2 } } });
      for (const id of ['kept', 'made']) {
        expect(await client.getDevice(id)).toMatchObject({ status: 'disabled', statusReason: 'theirs' });
      }
      expect((await client.getTwin({ deviceId: 'kept' }))?.tags).toEqual({ wrong: 1 });
    });
  });
});

it('configurations that a run has changed go back, but for those that somebody else has changed', async () => {
  await onHub(async (hub) => {
    const { client } = hub;
    const content = { deviceContent: { 'properties.desired.a': { b: 1 } } };
    const line = (id: string, priority: number) => ({
      id,
      schemaVersion: '1.0',
      content,
      targetCondition: "tags.v='1'",
      priority,
      labels: { by: 'test' },
    });
    for (const id of ['known', 'theirs']) {
      await client.createConfiguration({ ...line(id, 1), metricQueries: { all: 'SELECT deviceId FROM devices' } });
    }
    const before = await registryState(hub.rest);
    const run = await hub.provision([{ id: 'd1', importMode: 'create' }], undefined, [
      line('known', 5),
      line('theirs', 5),
      line('made', 5),
    ]);
    const theirs = await client.getConfiguration('theirs');
    if (theirs !== undefined) await client.updateConfiguration({ ...theirs, priority: 7 });
    await undoRun(hub, run.runId);
    const undone = await registryState(hub.rest);
    expect(Object.keys(undone.configurations).sort()).toEqual(['known', 'theirs']);
    expect(undone.configurations['theirs']).toMatchObject({ priority: 7 });
    await undoRun(hub, run.runId, { force: true });
    await expectSame(hub, before);
  });
});

it('no key is in the details of an undo', async () => {
  await onHub(async (hub) => {
    await makeFleet(hub.client);
    const run = await hub.provision(BAD, { confirm: hub.client.hubName });
    const { text } = await undoRun(hub, run.runId);
    expect(text).toContain('"do":"recreate"');
    for (const name of ['plain', 'gone', 'valve', 'wrong', 'new']) expect(text).not.toContain(key(name).slice(0, 12));
    expect(text).not.toMatch(/[A-Za-z0-9+/]{40}/);
  });
});

function withoutManager(state: RegistryState, module: string): RegistryState {
  const known = state.modules[module];
  if (known === undefined) return state;
  return { ...state, modules: { ...state.modules, [module]: { ...known, managedBy: null } } };
}

/** Who was below a deleted edge device has no parent, or one that is not there any more. */
function linksAside(state: RegistryState): RegistryState {
  const devices = Object.entries(state.devices).map(([id, device]) => [
    id,
    { ...device, parent: device.parent?.startsWith('nobody') ? null : device.parent },
  ]);
  return { ...state, devices: Object.fromEntries(devices) };
}
