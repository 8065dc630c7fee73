import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { type RunningHub, startHub } from '../../../local/hub/index.ts';
import { listBackups, openBackup } from '../../../src/lib/backup/catalogue.ts';
import { createRegistryClient, parseHubConnection, type RegistryClient } from '../../../src/lib/registry/index.ts';
import { startWork } from '../../../src/lib/work/startWork.ts';
import type { WorkKind, WorkRun } from '../../../src/lib/work/workRun.ts';
import { startAzurite } from '../../helpers/azurite.ts';
import { hubRest } from '../../helpers/hubRest.ts';
import { runInProcess, workContext } from '../../helpers/inProcessRun.ts';
import { countingStarter, type TestContext, testContext } from '../../helpers/provisioningContext.ts';
import { readReport } from '../../helpers/readReport.ts';
import { differences, type RegistryState, registryState } from '../../scenarios/registryState.ts';
import { fileOf, putBackup } from '../backup/sampleBackup.ts';

let simulator: RunningHub;
let data: string;
let hub: RegistryClient;
let context: TestContext;

beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), 'restore-'));
  simulator = await startHub({ data: join(data, 'hub'), jobEnqueueMs: 0 });
  hub = createRegistryClient(parseHubConnection(simulator.connectionString), { retryDelayMs: 5 });
});
afterAll(async () => {
  await simulator.close();
  await rm(data, { recursive: true, force: true });
});
beforeEach(async () => {
  const azurite = await startAzurite();
  await fetch(`${simulator.adminUrl}/reset`, { method: 'POST' });
  await fetch(`${simulator.adminUrl}/faults`, { method: 'DELETE' });
  context = testContext(azurite.connectionString, { hub, environment: { HUB_TIER: 'S3' } });
});

const state = (): Promise<RegistryState> => registryState(hubRest(simulator.connectionString));

async function work(kind: WorkKind, request: Readonly<Record<string, unknown>>): Promise<WorkRun> {
  const { runId } = await startWork(workContext(context), countingStarter(), { kind, hub: 'default', request });
  const { failures } = await runInProcess(context, runId, async () => undefined);
  expect(failures).toEqual([]);
  return (await context.runs.read(runId)) as unknown as WorkRun;
}

/** As after the orchestration of a run was lost when it had just come to a stage. */
async function workAgain(
  kind: WorkKind,
  request: Readonly<Record<string, unknown>>,
  lostAt: (record: WorkRun) => boolean,
  meanwhile: () => Promise<unknown> = async () => undefined,
): Promise<WorkRun> {
  const { runId } = await startWork(workContext(context), countingStarter(), { kind, hub: 'default', request });
  const read = async () => (await context.runs.read(runId)) as unknown as WorkRun;
  const lost = new Error('lost');
  await expect(
    runInProcess(context, runId, async (_, input) => {
      if (input['runId'] === runId && lostAt(await read())) throw lost;
    }),
  ).resolves.toMatchObject({ output: { state: 'failed' } });
  expect((await read()).state).toBe('running');
  await meanwhile();
  const { failures } = await runInProcess(context, runId, async () => undefined);
  expect(failures).toEqual([]);
  return read();
}

/** With as many bytes. */
async function writeOver(backup: string): Promise<void> {
  const blob = context.storage.container('registry-backups').getBlockBlobClient(`${backup}/devices.txt`);
  const text = (await blob.downloadToBuffer()).toString().replace('"cert"', '"cart"');
  await blob.upload(text, Buffer.byteLength(text));
}

async function backUp(): Promise<string> {
  const { state: ended, result } = await work('backup', {});
  expect(ended).toBe('completed');
  return String(result?.['backup']);
}

/** A gateway below another, a leaf, what a deployment made, modules of all kinds, configurations. */
async function makeFleet(): Promise<void> {
  const up = await hub.createDevice({ deviceId: 'edge-up', capabilities: { iotEdge: true } });
  const down = await hub.createDevice({
    deviceId: 'edge-down',
    capabilities: { iotEdge: true },
    parentScopes: [up.deviceScope ?? ''],
  });
  await hub.createDevice({
    deviceId: 'leaf',
    deviceScope: down.deviceScope ?? '',
    status: 'disabled',
    statusReason: 'lost',
  });
  await hub.createDevice({
    deviceId: 'cert',
    authentication: {
      type: 'selfSigned',
      x509Thumbprint: { primaryThumbprint: 'A'.repeat(40), secondaryThumbprint: 'b'.repeat(40) },
    },
  });
  await hub.createDevice({ deviceId: 'pump' });
  await hub.patchTwin(
    { deviceId: 'pump' },
    '{"tags":{"site":"faro","n":1.50,"ö":{"a":[1,{}]}},"properties":{"desired":{"interval":30}}}',
  );
  await hub.createModule({ deviceId: 'pump', moduleId: 'meter' });
  await hub.createModule({ deviceId: 'pump', moduleId: 'managed', managedBy: 'somebody' });
  await hub.patchTwin({ deviceId: 'pump', moduleId: 'meter' }, '{"tags":{"m":1}}');
  await hub.applyConfigurationContent('edge-down', {
    modulesContent: {
      $edgeAgent: { 'properties.desired': { schemaVersion: '1.1', modules: { fw: { type: 'docker' } } } },
      $edgeHub: { 'properties.desired': { schemaVersion: '1.1' } },
      fw: { 'properties.desired': { level: 3 } },
    },
  });
  await hub.patchTwin({ deviceId: 'edge-down', moduleId: 'fw' }, '{"tags":{"by":"hand"}}');
  await hub.createConfiguration({
    id: 'twins',
    content: { deviceContent: { 'properties.desired.channel': 'stable' } },
    targetCondition: "tags.site='nowhere'",
    priority: 4,
    labels: { team: 'a' },
  });
}

async function wipe(): Promise<void> {
  for (const deviceId of ['leaf', 'edge-down', 'edge-up', 'cert', 'pump']) await hub.deleteDevice({ deviceId });
  await hub.deleteConfiguration({ id: 'twins' });
}

describe('a restore', () => {
  it('brings a wiped hub back to all that the backup holds', async () => {
    await makeFleet();
    const before = await state();
    const backup = await backUp();
    await wipe();
    const plan = await work('plan', { backup });
    expect(plan).toMatchObject({
      state: 'completed',
      result: { create: 12, change: 0, delete: 0, unchanged: 0, configurations: { create: 1 }, lost: { keys: 0 } },
    });

    const restored = await work('restore', { backup, mode: 'exact', confirm: hub.hubName, check: true });
    expect(restored.error).toBeUndefined();
    expect(restored).toMatchObject({
      state: 'completed',
      result: { create: 12, differences: 0, backup, mode: 'exact' },
    });
    expect(Object.keys(restored.report ?? {}).sort()).toEqual(['changes', 'container', 'differences', 'json', 'rest']);
    expect(differences(before, await state())).toEqual([]);
  });

  it('exact puts back what was changed, and takes away what was not there', async () => {
    await makeFleet();
    const before = await state();
    const backup = await backUp();
    await hub.patchTwin(
      { deviceId: 'pump' },
      '{"tags":{"site":null,"extra":{"x":1}},"properties":{"desired":{"interval":31,"more":1}}}',
    );
    await hub.patchTwin({ deviceId: 'edge-down', moduleId: 'fw' }, '{"properties":{"desired":{"level":4,"x":1}}}');
    await hub.updateDevice({ deviceId: 'leaf' });
    await hub.deleteModule({ deviceId: 'pump', moduleId: 'managed' });
    await hub.createDevice({ deviceId: 'new', capabilities: { iotEdge: true } });
    await hub.createModule({ deviceId: 'new', moduleId: 'm' });
    await hub.createModule({ deviceId: 'cert', moduleId: 'm' });
    await hub.updateConfiguration({
      id: 'twins',
      content: { deviceContent: { 'properties.desired.channel': 'stable' } },
      priority: 9,
    });
    await hub.createConfiguration({ id: 'other', content: { deviceContent: { 'properties.desired.a': 1 } } });

    const some = await work('restore', { backup, mode: 'overwrite', only: ['le*'], confirm: hub.hubName });
    expect(some).toMatchObject({ state: 'completed', result: { create: 0, change: 1, delete: 0 } });
    expect((await state()).devices['leaf']).toEqual(before.devices['leaf']);

    const restored = await work('restore', { backup, mode: 'exact', confirm: hub.hubName });
    expect(restored.error).toBeUndefined();
    expect(restored).toMatchObject({
      state: 'completed',
      result: { create: 1, delete: 5, configurations: { create: 0, change: 1, delete: 1 } },
    });
    expect(differences(before, await state())).toEqual([]);
    const again = await work('plan', { backup });
    expect(again.result).toMatchObject({ create: 0, change: 0, delete: 0, configurations: { change: 0 } });
  });

  it('is refused without the name of the hub, and nothing is changed', async () => {
    await makeFleet();
    const backup = await backUp();
    await wipe();
    const empty = await state();
    for (const confirm of [undefined, 'another']) {
      const refused = await work('restore', { backup, mode: 'exact', confirm });
      expect(refused).toMatchObject({ state: 'refused', error: { code: 'notConfirmed', confirm: hub.hubName } });
    }
    expect(differences(empty, await state())).toEqual([]);
  });
});

describe('a restore that was confirmed', () => {
  it('deletes no more than was confirmed: what was made since stays', async () => {
    await makeFleet();
    const backup = await backUp();
    await hub.createDevice({ deviceId: 'new' });
    await hub.createConfiguration({ id: 'other', content: { deviceContent: { 'properties.desired.a': 1 } } });
    const before = await state();
    const request = { backup, mode: 'exact', confirm: hub.hubName };
    expect(await work('restore', { ...request, mostDeletes: 1 })).toMatchObject({
      state: 'refused',
      error: { code: 'moreDeletes', message: expect.stringContaining('delete 2 ') },
    });
    expect(differences(before, await state())).toEqual([]);
    expect(await work('restore', { ...request, mostDeletes: 2 })).toMatchObject({ state: 'completed' });
    expect(Object.keys((await state()).devices)).not.toContain('new');
  });
});

describe('a restore of some', () => {
  it('names what is in neither side, and is refused where that is all it was to restore', async () => {
    await makeFleet();
    const backup = await backUp();
    await hub.deleteDevice({ deviceId: 'pump' });
    const restore = (only: readonly string[]) =>
      work('restore', { backup, mode: 'exact', only, confirm: hub.hubName, check: true });
    expect(await restore(['pmup', 'x*'])).toMatchObject({
      state: 'refused',
      error: { code: 'onlyNotFound', message: expect.stringContaining('pmup, x*') },
    });
    const plan = await work('plan', { backup, only: ['pump', 'pmup'] });
    expect(plan.result).toMatchObject({ create: 3, notFound: { names: ['pmup'], all: false } });
    expect(await restore(['pump', 'pmup'])).toMatchObject({
      state: 'completedWithFailures',
      result: { differences: 0, notFound: { names: ['pmup'] } },
    });
    const found = await restore(['pump', 'edge-*']);
    expect([found.state, found.result?.['notFound']]).toEqual(['completed', undefined]);
  });
});

describe('an exact restore', () => {
  it('deletes nothing that was written or made anew after it was compared, and names it', async () => {
    await makeFleet();
    const backup = await backUp();
    const edge = await hub.createDevice({ deviceId: 'new-up', capabilities: { iotEdge: true } });
    await hub.createDevice({ deviceId: 'new-leaf', deviceScope: edge.deviceScope ?? '' });
    for (const deviceId of ['written', 'remade', 'twin']) await hub.createDevice({ deviceId });
    for (const moduleId of ['new', 'new-too']) await hub.createModule({ deviceId: 'cert', moduleId });
    const { runId } = await startWork(workContext(context), countingStarter(), {
      kind: 'restore',
      hub: 'default',
      request: { backup, mode: 'exact', confirm: hub.hubName },
    });
    let isMeanwhile = true;
    await runInProcess(context, runId, async (name) => {
      if (name !== 'checkFile' || !isMeanwhile) return;
      isMeanwhile = false;
      const written = await hub.getDevice('written');
      await hub.updateDevice({ ...written, deviceId: 'written', status: 'disabled' });
      await hub.deleteDevice({ deviceId: 'remade' });
      await hub.createDevice({ deviceId: 'remade' });
      await hub.deleteModule({ deviceId: 'cert', moduleId: 'new' });
      await hub.createModule({ deviceId: 'cert', moduleId: 'new' });
      await hub.patchTwin({ deviceId: 'twin' }, '{"tags":{"seen":true}}');
    });
    expect(isMeanwhile).toBe(false);
    const ended = (await context.runs.read(runId)) as unknown as WorkRun;
    expect(ended).toMatchObject({ state: 'completedWithFailures', result: { delete: 9 }, outcomes: { failed: 3 } });
    const { devices, modules } = await state();
    expect(Object.keys(devices).sort()).toEqual([
      ...['cert', 'edge-down', 'edge-up', 'leaf', 'pump'],
      ...['remade', 'written'],
    ]);
    expect(Object.keys(modules).filter((id) => id.startsWith('cert'))).toEqual(['cert / new']);
  });
});

describe('a drill', () => {
  it('is refused by a hub that is not empty, and passes in an empty one', async () => {
    await makeFleet();
    const backup = await backUp();
    expect(await work('drill', { backup, to: 'default' })).toMatchObject({
      state: 'refused',
      error: { code: 'hubNotEmpty' },
    });
    await wipe();
    expect(await work('drill', { backup, to: 'default' })).toMatchObject({
      state: 'completed',
      result: { differences: 0 },
    });
  });
});

describe('a run whose orchestration was lost', () => {
  it('and that was cancelled then cancels the run that applies its lines', async () => {
    await makeFleet();
    const backup = await backUp();
    await wipe();
    const request = { backup, mode: 'exact', confirm: hub.hubName };
    const { runId } = await startWork(workContext(context), countingStarter(), {
      kind: 'restore',
      hub: 'default',
      request,
    });
    const read = async () => (await context.runs.read(runId)) as unknown as WorkRun;
    await runInProcess(context, runId, async () => {
      if ((await read()).appliedBy !== undefined) throw new Error('lost');
    });
    await context.runs.update(runId, (run) => ({ ...run, cancelRequestedAt: context.now().toISOString() }));
    const { appliedBy = '' } = await read();
    let isCancelled = false;
    await runInProcess(context, runId, async () => {
      if (isCancelled || (await context.runs.read(appliedBy))?.cancelRequestedAt === undefined) return;
      isCancelled = true;
      await runInProcess(context, appliedBy, async () => undefined);
    });
    expect(await context.runs.read(appliedBy)).toMatchObject({ state: 'cancelled' });
    expect(await read()).toMatchObject({ state: 'cancelled' });
    expect((await state()).devices).toEqual({});
  });

  it('goes on with its drill, although the hub is not empty any more', async () => {
    await makeFleet();
    const backup = await backUp();
    await wipe();
    const drill = await workAgain('drill', { backup, to: 'default' }, ({ jobs }) => jobs.exportAfter !== undefined);
    expect(drill.error).toBeUndefined();
    expect(drill).toMatchObject({ state: 'completed', result: { differences: 0 } });
  });

  it('goes on with its restore, whatever has become of the backup', async () => {
    await makeFleet();
    const before = await state();
    const backup = await backUp();
    await wipe();
    const restored = await workAgain(
      'restore',
      { backup, mode: 'exact', confirm: hub.hubName },
      ({ appliedBy }) => appliedBy !== undefined,
      () => writeOver(backup),
    );
    expect(restored.error).toBeUndefined();
    expect(restored.state).toBe('completed');
    expect(differences(before, await state())).toEqual([]);
  });
});

describe('a backup', () => {
  it('that is written over once it was verified is not restored', async () => {
    await makeFleet();
    const backup = await backUp();
    await hub.deleteDevice({ deviceId: 'pump' });
    const before = await state();
    const { runId } = await startWork(workContext(context), countingStarter(), {
      kind: 'restore',
      hub: 'default',
      request: { backup, mode: 'exact', confirm: hub.hubName },
    });
    let isOver = false;
    await runInProcess(context, runId, async (_, input) => {
      if (input['stage'] !== 'exportWatch' || isOver) return;
      isOver = true;
      await writeOver(backup);
    });
    expect(await context.runs.read(runId)).toMatchObject({ state: 'failed', error: { code: 'backupDamaged' } });
    expect(differences(before, await state())).toEqual([]);
  });
});

describe('what could not be restored', () => {
  it('fails a drill, and is told of a restore, with the difference', async () => {
    await makeFleet();
    const backup = await backUp();
    await wipe();
    const fault = { operation: 'importLine', code: 'ArgumentInvalid', idPattern: '^cert$' };
    const set = await fetch(`${simulator.adminUrl}/faults`, { method: 'POST', body: JSON.stringify(fault) });
    expect(set.status).toBe(201);
    const drill = await work('drill', { backup, to: 'default' });
    expect(drill).toMatchObject({
      state: 'failed',
      error: { code: 'drillDiffers' },
      result: { differences: 1 },
      outcomes: { failed: 1 },
    });
    const told = context.storage
      .container('provision-results')
      .getBlockBlobClient(`default/_/${drill.runId}/differences.ndjson`);
    expect(JSON.parse((await told.downloadToBuffer()).toString())).toEqual({
      id: 'cert',
      change: 'created',
      fields: [],
    });
    const restored = await work('restore', { backup, mode: 'exact', confirm: hub.hubName });
    expect(restored).toMatchObject({ state: 'completedWithFailures', outcomes: { failed: 1 }, result: { create: 1 } });
  });
});

describe('a temporary folder that cannot be used', () => {
  it('ends a plan at once, and a restore that was to be checked with the report of what it has done', async () => {
    await makeFleet();
    const backup = await backUp();
    await hub.deleteDevice({ deviceId: 'pump' });
    const { TMPDIR } = process.env;
    const request = { backup, mode: 'exact', confirm: hub.hubName, check: true };
    const starting = { kind: 'restore', hub: 'default', request } as const;
    const { runId } = await startWork(workContext(context), countingStarter(), starting);
    try {
      const { failures } = await runInProcess(context, runId, async (_, input) => {
        if (input['stage'] === 'exportAfterWatch') process.env['TMPDIR'] = join(data, 'missing');
      });
      expect(failures).toEqual([]);
      expect(await work('plan', { backup })).toMatchObject({
        state: 'failed',
        error: { code: 'temporaryFolderUnusable', action: expect.stringContaining('TMPDIR') },
      });
    } finally {
      if (TMPDIR === undefined) delete process.env['TMPDIR'];
      else process.env['TMPDIR'] = TMPDIR;
    }
    expect(await context.runs.read(runId)).toMatchObject({
      state: 'failed',
      error: { code: 'temporaryFolderUnusable' },
      outcomes: { succeeded: 4 },
      report: { json: expect.any(String) },
    });
  });
});

describe('lines of a backup that cannot be compared', () => {
  /** A backup of what the hub holds, sound by its manifest, with a line in place of those of a device. */
  async function backUpWith(line: Readonly<Record<string, unknown>>, of: string): Promise<string> {
    const backup = await backUp();
    const open = await openBackup(context.storage, backup);
    const lines = [JSON.stringify(line)];
    for await (const text of open.lines('devices.txt')) if (!text.startsWith(`{"id":"${of}"`)) lines.push(text);
    const devices = lines.filter((text) => text !== '').join('\n');
    const modules = lines.filter((text) => text.includes('"moduleId":')).length;
    const manifest = {
      ...open.manifest,
      devices: devices.split('\n').length - modules,
      modules,
      files: { ...open.manifest.files, 'devices.txt': fileOf(devices) },
    };
    await putBackup(context.storage, backup, manifest, { 'devices.txt': devices });
    return backup;
  }

  const rows = async ({ runId }: WorkRun): Promise<readonly unknown[]> => {
    const blob = context.storage.container('provision-results').getBlockBlobClient(`default/_/${runId}/plan.ndjson`);
    return (await blob.downloadToBuffer())
      .toString()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown);
  };

  it('let the devices be that they name, with their modules', async () => {
    await makeFleet();
    const backup = await backUpWith({ id: 'pump', moduleId: 5, status: 'enabled' }, 'pump');
    await hub.createDevice({ deviceId: 'late' });
    const plan = await work('plan', { backup });
    expect(plan.error).toBeUndefined();
    expect(plan.result).toMatchObject({
      delete: 1,
      rejected: 1,
      modules: { delete: 0 },
      kept: { count: 3, lines: 1, code: 'keptByTheirLines', message: expect.stringContaining('3 devices and modules') },
    });
    const restored = await work('restore', { backup, mode: 'exact', confirm: hub.hubName, mostDeletes: 1 });
    expect(restored).toMatchObject({ state: 'completedWithFailures', result: { delete: 1, kept: { count: 3 } } });
    const { devices, modules } = await state();
    expect([devices['late'], devices['pump']]).toEqual([undefined, expect.anything()]);
    expect(Object.keys(modules)).toEqual(expect.arrayContaining(['pump / managed', 'pump / meter']));
    expect(await rows(restored)).toContainEqual(
      expect.objectContaining({ change: 'rejected', side: 'after', line: 1, id: 'pump', code: 'wrongType' }),
    );
    expect(await rows(restored)).toContainEqual({ id: 'pump', moduleId: 'meter', change: 'kept', fields: [] });
  });

  it('fail a drill, and are told of any restore that means them', async () => {
    await makeFleet();
    const backup = await backUpWith({ id: 'cert', moduleId: 5, status: 'enabled' }, 'cert');
    await wipe();
    const drill = await work('drill', { backup, to: 'default' });
    expect(drill).toMatchObject({
      state: 'failed',
      error: { code: 'drillDiffers', message: expect.stringContaining('restored: 1.') },
      result: { differences: 1 },
    });
    const told = context.storage
      .container('provision-results')
      .getBlockBlobClient(`default/_/${drill.runId}/differences.ndjson`);
    expect(JSON.parse((await told.downloadToBuffer()).toString())).toMatchObject({ change: 'rejected', id: 'cert' });
    const restore = (more: object) => work('restore', { backup, mode: 'missing', confirm: hub.hubName, ...more });
    expect(await restore({})).toMatchObject({ state: 'completedWithFailures', result: { create: 0, rejected: 1 } });
    expect(await restore({ only: ['pump'] })).toMatchObject({ state: 'completed', result: { rejected: 0 } });
  });

  it('let all devices be where they name none', async () => {
    await makeFleet();
    const backup = await backUpWith({ id: 'pu\u0000mp', status: 'enabled' }, 'pump');
    await hub.createDevice({ deviceId: 'late' });
    await hub.patchTwin({ deviceId: 'cert' }, '{"tags":{"changed":true}}');
    const restored = await work('restore', {
      backup,
      mode: 'exact',
      confirm: hub.hubName,
      check: true,
      mostDeletes: 0,
    });
    expect(restored).toMatchObject({
      state: 'completedWithFailures',
      result: {
        change: 1,
        delete: 0,
        rejected: 1,
        kept: { count: 4, lines: 1, code: 'keptByAnyLine' },
        differences: 5,
      },
    });
    expect(Object.keys((await state()).devices)).toEqual(expect.arrayContaining(['late', 'pump']));
  });
});

describe('delete-all', () => {
  it('leaves, and names, what was written or made anew after the backup', async () => {
    await makeFleet();
    const request = { confirm: hub.hubName };
    const { runId } = await startWork(workContext(context), countingStarter(), {
      ...{ kind: 'deleteAll', hub: 'default', request },
    });
    let isMeanwhile = true;
    await runInProcess(context, runId, async (_, input) => {
      if (input['runId'] !== runId || input['stage'] !== 'lines' || !isMeanwhile) return;
      isMeanwhile = false;
      await hub.deleteDevice({ deviceId: 'pump' });
      await hub.createDevice({ deviceId: 'pump' });
      const cert = await hub.getDevice('cert');
      await hub.updateDevice({ ...cert, deviceId: 'cert', status: 'disabled' });
      // None of these is a write of the device itself.
      await hub.patchTwin({ deviceId: 'leaf' }, '{"tags":{"seen":true}}');
      await hub.createModule({ deviceId: 'edge-up', moduleId: 'late' });
      await hub.deleteModule({ deviceId: 'edge-down', moduleId: 'fw' });
      await hub.createDevice({ deviceId: 'late' });
    });
    expect(isMeanwhile).toBe(false);
    const ended = (await context.runs.read(runId)) as unknown as WorkRun;
    expect(ended).toMatchObject({ state: 'completedWithFailures', outcomes: { succeeded: 3, failed: 2 } });
    expect(Object.keys((await state()).devices).sort()).toEqual(['cert', 'late', 'pump']);
    const { report } = (await context.runs.read(ended.appliedBy ?? '')) ?? {};
    const csv = context.storage.container('provision-results').getBlockBlobClient(report?.csv ?? '');
    const rows = readReport((await csv.downloadToBuffer()).toString());
    expect(rows.map(({ deviceId, code }) => [deviceId, code]).sort()).toEqual([
      ['cert', 'PreconditionFailed'],
      ['edge-down', ''],
      ['edge-up', ''],
      ['leaf', ''],
      ['pump', 'PreconditionFailed'],
    ]);
  });

  it('makes a backup and deletes what it holds, or what begins alike', async () => {
    await makeFleet();
    const before = await state();
    const some = await work('deleteAll', { confirm: hub.hubName, prefix: 'edge-' });
    expect(some.error).toBeUndefined();
    expect(some.state).toBe('completed');
    expect(Object.keys((await state()).devices).sort()).toEqual(['cert', 'leaf', 'pump']);
    const all = await work('deleteAll', { confirm: hub.hubName, configurations: true });
    const kept = (await listBackups(context.storage)).find(({ backup }) => backup === all.result?.['backup']);
    expect(kept?.keepUntil).toBeDefined();
    expect(all).toMatchObject({ state: 'completed', result: { backup: expect.stringMatching(/^default\//) } });
    expect(await state()).toEqual({ devices: {}, modules: {}, configurations: {} });
    const restored = await work('restore', { backup: some.result?.['backup'], mode: 'missing', confirm: hub.hubName });
    expect(restored.state).toBe('completed');
    expect(differences(before, await state())).toEqual([]);
  });
});
