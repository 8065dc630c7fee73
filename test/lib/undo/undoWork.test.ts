/** The run of an undo, from the request to its report, on a simulated hub. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { ProvisionRun } from '../../../src/lib/provisioning/run/provisionRun.ts';
import { rowsOf } from '../../../src/lib/storage/ndjson.ts';
import { startUndo, startUndoPlan } from '../../../src/lib/undo/startUndo.ts';
import type { UndoResult, UndoRow } from '../../../src/lib/undo/writeUndoPlan.ts';
import type { WorkRun } from '../../../src/lib/work/workRun.ts';
import { type Azurite, startAzurite } from '../../helpers/azurite.ts';
import { runInProcess, workContext } from '../../helpers/inProcessRun.ts';
import { countingStarter, sweepAll } from '../../helpers/provisioningContext.ts';
import { type SimulatedHub, withSimulatedHub } from '../../helpers/simulatedHub.ts';
import { differences, registryState } from '../../scenarios/registryState.ts';

let azurite: Azurite;
beforeAll(async () => {
  azurite = await startAzurite();
});
afterAll(() => azurite.stop());

const onHub = (work: (hub: SimulatedHub) => Promise<void>) => withSimulatedHub(azurite.connectionString, work);

const NEVER = '0'.repeat(20);

/** Runs work to its end. */
async function ended({ context }: SimulatedHub, { runId }: { readonly runId: string }): Promise<WorkRun> {
  const { failures } = await runInProcess(context, runId, async () => undefined);
  expect(failures).toEqual([]);
  return (await context.runs.read(runId)) as unknown as WorkRun;
}

async function undo(hub: SimulatedHub, run: string, more: object = {}): Promise<WorkRun> {
  return ended(hub, await startUndo(workContext(hub.context), run, { confirm: hub.client.hubName, ...more }));
}

async function plan(hub: SimulatedHub, run: string, more: object = {}): Promise<WorkRun> {
  return ended(hub, await startUndoPlan(workContext(hub.context), { run, ...more }));
}

async function toldBy({ context }: SimulatedHub, { result }: WorkRun): Promise<readonly UndoRow[]> {
  const blob = context.storage.container('provision-results').getBlockBlobClient(String(result?.['changes']));
  return Array.fromAsync(rowsOf<UndoRow>(blob));
}

/** An edge device with what a deployment made, a leaf below it, a device with modules, some plain ones, a configuration. */
async function makeFleet({ client }: SimulatedHub, others = 0): Promise<void> {
  const edge = await client.createDevice({ deviceId: 'edge', capabilities: { iotEdge: true } });
  await client.createDevice({ deviceId: 'leaf', deviceScope: edge.deviceScope ?? '' });
  await client.applyConfigurationContent('edge', {
    modulesContent: {
      $edgeAgent: { 'properties.desired': { schemaVersion: '1.1', modules: { opc: { type: 'docker' } } } },
      $edgeHub: { 'properties.desired': { schemaVersion: '1.1' } },
      opc: { 'properties.desired': { poll: 10 } },
    },
  });
  await client.patchTwin({ deviceId: 'edge', moduleId: 'opc' }, '{"tags":{"by":"hand"}}');
  await client.createDevice({ deviceId: 'gone' });
  await client.createModule({ deviceId: 'gone', moduleId: 'valve', managedBy: 'acme' });
  await client.createModule({ deviceId: 'gone', moduleId: 'pump' });
  await client.createDevice({ deviceId: 'plain' });
  await client.patchTwin({ deviceId: 'plain' }, '{"tags":{"site":"faro","n":1.50}}');
  await client.createDevice({ deviceId: 'blocked', status: 'disabled', statusReason: 'stolen' });
  await client.createConfiguration({ ...configuration(1), metricQueries: { all: 'SELECT deviceId FROM devices' } });
  for (let at = 0; at < others; at++) await client.createDevice({ deviceId: `other${at}` });
}

function configuration(priority: number) {
  return {
    id: 'twins',
    schemaVersion: '1.0',
    content: { deviceContent: { 'properties.desired.channel': 'stable' } },
    targetCondition: "tags.site='nowhere'",
    priority,
    labels: { by: 'test' },
  };
}

const BAD: readonly object[] = [
  { id: 'edge', importMode: 'delete' },
  { id: 'gone', importMode: 'delete' },
  { id: 'plain', importMode: 'update', tags: { wrong: 1 } },
  { id: 'blocked', status: 'enabled', statusReason: '' },
  { id: 'made', importMode: 'create' },
  { id: 'made', moduleId: 'm', importMode: 'create' },
];

const dropBad = (hub: SimulatedHub, others = 0): Promise<ProvisionRun> => {
  const more = Array.from({ length: others }, (_, at) => ({ id: `other${at}`, tags: { wrong: at } }));
  return hub.provision([...BAD, ...more], { confirm: hub.client.hubName }, [configuration(5)]);
};

describe('the undo of a bad drop', () => {
  it.each([
    ['few lines, of which the hub is read one by one', 0],
    ['many lines, for which the hub is exported', 210],
  ])('of %s brings back what was there', async (_what, others) => {
    await onHub(async (hub) => {
      await makeFleet(hub, others);
      const before = await registryState(hub.rest);
      const run = await dropBad(hub, others);
      const bad = await registryState(hub.rest);

      const counts = { delete: 2, change: 3 + others, foreign: 0, configurations: { change: 1, foreign: 0 } };
      const planned = await plan(hub, run.runId);
      expect(planned).toMatchObject({ kind: 'plan', state: 'completed', result: counts });
      expect(differences(bad, await registryState(hub.rest))).toEqual([]);

      const undone = await undo(hub, run.runId);
      expect(undone.error).toBeUndefined();
      expect(undone).toMatchObject({
        kind: 'undo',
        state: 'completed',
        reads: [run.runId],
        result: { ...counts, run: run.runId, force: false },
        outcomes: { failed: 0, unconfirmed: 0 },
      });
      expect(Object.keys(undone.jobs)).toEqual(others === 0 ? [] : ['export']);
      const { notes = [] } = undone.result as { readonly notes?: readonly { readonly code: string }[] };
      expect(notes.map(({ code }) => code)).toEqual(['recreated', 'keysUnknown']);
      expect(differences(before, await registryState(hub.rest))).toEqual([]);

      const again = await undo(hub, run.runId);
      expect(again).toMatchObject({ state: 'completed', result: { create: 0, change: 0, delete: 0 } });
      expect(again.appliedBy).toBeUndefined();
    });
  });

  it('can be undone', async () => {
    await onHub(async (hub) => {
      await makeFleet(hub);
      const run = await dropBad(hub);
      const bad = await registryState(hub.rest);
      const undone = await undo(hub, run.runId);
      const redone = await undo(hub, undone.runId);
      expect(redone).toMatchObject({ state: 'completed', request: { run: undone.runId, of: undone.appliedBy } });
      const told = (redone.result as unknown as UndoResult).notes.find(({ code }) => code === 'restStays');
      expect(told?.message).toMatch(/edge modules of 1 device, managedBy of \d modules?, 1 configuration\./);
      expect((undone.result as unknown as UndoResult).notes.map(({ code }) => code)).not.toContain('restStays');
      const { configurations: _configurations, ...now } = await registryState(hub.rest);
      expect(differences({ ...bad, configurations: {} }, { ...now, configurations: {} })).toEqual([]);
    });
  });
});

describe('what somebody else has changed', () => {
  it('is named and left alone, and put back with force', async () => {
    await onHub(async (hub) => {
      const { client } = hub;
      await makeFleet(hub);
      const before = await registryState(hub.rest);
      const run = await dropBad(hub);
      await client.patchTwin({ deviceId: 'plain' }, '{"tags":{"theirs":true}}');
      const there = await client.getConfiguration('twins');
      if (there !== undefined) await client.updateConfiguration({ ...there, priority: 9 });

      const undone = await undo(hub, run.runId);
      expect(undone).toMatchObject({
        state: 'completedWithFailures',
        result: { foreign: 1, configurations: { change: 0, foreign: 1 } },
      });
      expect(await toldBy(hub, undone)).toEqual(
        expect.arrayContaining([
          { id: 'plain', change: 'foreign', fields: ['tags.theirs'] },
          { id: 'made', change: 'deleted', fields: [] },
          { configuration: 'twins', change: 'foreign', fields: ['priority'] },
        ]),
      );
      expect(await client.getDevice('made')).toBeUndefined();
      expect((await client.getTwin({ deviceId: 'plain' }))?.tags).toEqual({ wrong: 1, theirs: true });

      expect(await undo(hub, run.runId, { force: true })).toMatchObject({
        state: 'completed',
        result: { force: true },
      });
      expect(differences(before, await registryState(hub.rest))).toEqual([]);
    });
  });
});

describe('an undo is refused, and there is no run', () => {
  const refusal = async (hub: SimulatedHub, run: string, body: unknown) => {
    const known = await hub.context.runs.survey();
    const error: unknown = await startUndo(workContext(hub.context), run, body).catch((thrown: unknown) => thrown);
    expect((await hub.context.runs.survey()).records.length).toBe(known.records.length);
    return error;
  };

  it('without the name of the hub, of a run that is not there or has done nothing, and by what is no request', async () => {
    await onHub(async (hub) => {
      const confirm = hub.client.hubName;
      const run = await hub.provision([{ id: 'a', importMode: 'create' }]);
      const dry = await hub.provision([{ id: 'b', importMode: 'create' }], { dryrun: 'true' });
      const refused = await hub.provision([], {});
      expect(await refusal(hub, run.runId, {})).toMatchObject({ code: 'notConfirmed', confirm });
      expect(await refusal(hub, run.runId, { confirm: 'another' })).toMatchObject({ code: 'notConfirmed', confirm });
      expect(await refusal(hub, NEVER, { confirm })).toMatchObject({ code: 'undoUnknownRun' });
      expect(await refusal(hub, dry.runId, { confirm })).toMatchObject({ code: 'undoNothing' });
      expect(await refusal(hub, refused.runId, { confirm })).toMatchObject({ code: 'undoNothing' });
      expect(await refusal(hub, run.runId, { confirm, mode: 'x' })).toMatchObject({ code: 'requestInvalid' });
      expect(await refusal(hub, run.runId, undefined)).toMatchObject({ code: 'requestInvalid' });
      await expect(startUndoPlan(workContext(hub.context), { run: 'x' })).rejects.toMatchObject({
        code: 'requestInvalid',
      });
      expect(await hub.client.getDevice('a')).toBeDefined();
    });
  });

  it('while the run is undone already', async () => {
    await onHub(async (hub) => {
      const run = await hub.provision([{ id: 'a', importMode: 'create' }]);
      const body = { confirm: hub.client.hubName };
      const first = await startUndo(workContext(hub.context), run.runId, body);
      expect(await refusal(hub, run.runId, body)).toMatchObject({ code: 'hubBeingChanged' });
      // One that got past this ends by itself.
      const second = await workContext(hub.context).start({ ...first, kind: 'undo', reads: [run.runId] });
      expect(await ended(hub, second)).toMatchObject({ state: 'refused', error: { code: 'hubBeingChanged' } });
      expect(await ended(hub, first)).toMatchObject({ state: 'completed' });
      expect(await hub.client.getDevice('a')).toBeUndefined();
      expect(await undo(hub, run.runId)).toMatchObject({ state: 'completed' });
    });
  });
});

it('what it is undone from is kept as long as the undo goes on', async () => {
  await onHub(async (hub) => {
    const { context } = hub;
    await makeFleet(hub);
    const run = await dropBad(hub);
    const undoing = await startUndo(workContext(context), run.runId, { confirm: hub.client.hubName });
    const staging = context.storage.runContainer(run.runId);
    const long = (context.settings.undoDays + 1) * 24 * 60 * 60 * 1_000;
    context.advance(long);
    const starter = countingStarter();
    starter.live.add(undoing.runId);
    await sweepAll(context, starter);
    expect(await staging.exists()).toBe(true);
    // Storage goes by the time of the day.
    context.advance(-long);
    const done = await ended(hub, undoing);
    expect(done.error).toBeUndefined();
    expect(done.state).toBe('completed');
    context.advance(long);
    await sweepAll(context, starter);
    expect(await staging.exists()).toBe(false);
    await expect(startUndo(workContext(context), run.runId, {})).rejects.toMatchObject({ code: 'undoGone' });
  });
});
