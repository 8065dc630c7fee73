import { join } from 'node:path';

import { beforeEach, describe, expect, it } from 'vitest';

import { openBackup } from '../../../src/lib/backup/catalogue.ts';
import type { RegistryClient } from '../../../src/lib/registry/index.ts';
import type { WorkKind, WorkRun } from '../../../src/lib/work/workRun.ts';
import { runInProcess } from '../../helpers/inProcessRun.ts';
import type { TestContext } from '../../helpers/provisioningContext.ts';
import { differences } from '../../scenarios/registryState.ts';
import { fileOf, putBackup } from '../backup/sampleBackup.ts';
import { makeFleet, wipe } from './restoreFleet.ts';
import { restoreHub } from './restoreHub.ts';

const at = restoreHub({ HUB_TIER: 'S3' });
const { backUp, begin, read, rowsOf, setFault, state, work } = at;
let hub: RegistryClient;
let context: TestContext;
beforeEach(() => {
  ({ hub, context } = at);
});

/** As after the orchestration of a run was lost when it had just come to a stage. */
async function workAgain(
  kind: WorkKind,
  request: Readonly<Record<string, unknown>>,
  lostAt: (record: WorkRun) => boolean,
  meanwhile: () => Promise<unknown> = async () => undefined,
): Promise<WorkRun> {
  const runId = await begin(kind, request);
  const lost = new Error('lost');
  await expect(
    runInProcess(context, runId, async (_, input) => {
      if (input['runId'] === runId && lostAt(await read(runId))) throw lost;
    }),
  ).resolves.toMatchObject({ output: { state: 'failed' } });
  expect((await read(runId)).state).toBe('running');
  await meanwhile();
  const { failures } = await runInProcess(context, runId, async () => undefined);
  expect(failures).toEqual([]);
  return read(runId);
}

/** With as many bytes. */
async function writeOver(backup: string): Promise<void> {
  const blob = context.storage.container('registry-backups').getBlockBlobClient(`${backup}/devices.txt`);
  const text = (await blob.downloadToBuffer()).toString().replace('"cert"', '"cart"');
  await blob.upload(text, Buffer.byteLength(text));
}

describe('a restore', () => {
  it('brings a wiped hub back to all that the backup holds', async () => {
    await makeFleet(hub);
    const before = await state();
    const backup = await backUp();
    await wipe(hub);
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
    await makeFleet(hub);
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
    await makeFleet(hub);
    const backup = await backUp();
    await wipe(hub);
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
    await makeFleet(hub);
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
    await makeFleet(hub);
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
    await makeFleet(hub);
    const backup = await backUp();
    const edge = await hub.createDevice({ deviceId: 'new-up', capabilities: { iotEdge: true } });
    await hub.createDevice({ deviceId: 'new-leaf', deviceScope: edge.deviceScope ?? '' });
    for (const deviceId of ['written', 'remade', 'twin']) await hub.createDevice({ deviceId });
    for (const moduleId of ['new', 'new-too']) await hub.createModule({ deviceId: 'cert', moduleId });
    const runId = await begin('restore', { backup, mode: 'exact', confirm: hub.hubName });
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
    const ended = await read(runId);
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
    await makeFleet(hub);
    const backup = await backUp();
    expect(await work('drill', { backup, to: 'default' })).toMatchObject({
      state: 'refused',
      error: { code: 'hubNotEmpty' },
    });
    await wipe(hub);
    expect(await work('drill', { backup, to: 'default' })).toMatchObject({
      state: 'completed',
      result: { differences: 0 },
    });
  });
});

describe('a run whose orchestration was lost', () => {
  it('and that was cancelled then cancels the run that applies its lines', async () => {
    await makeFleet(hub);
    const backup = await backUp();
    await wipe(hub);
    const request = { backup, mode: 'exact', confirm: hub.hubName };
    const runId = await begin('restore', request);
    await runInProcess(context, runId, async () => {
      if ((await read(runId)).appliedBy !== undefined) throw new Error('lost');
    });
    await context.runs.update(runId, (run) => ({ ...run, cancelRequestedAt: context.now().toISOString() }));
    const { appliedBy = '' } = await read(runId);
    let isCancelled = false;
    await runInProcess(context, runId, async () => {
      if (isCancelled || (await context.runs.read(appliedBy))?.cancelRequestedAt === undefined) return;
      isCancelled = true;
      await runInProcess(context, appliedBy, async () => undefined);
    });
    expect(await context.runs.read(appliedBy)).toMatchObject({ state: 'cancelled' });
    expect(await read(runId)).toMatchObject({ state: 'cancelled' });
    expect((await state()).devices).toEqual({});
  });

  it('goes on with its drill, although the hub is not empty any more', async () => {
    await makeFleet(hub);
    const backup = await backUp();
    await wipe(hub);
    const drill = await workAgain('drill', { backup, to: 'default' }, ({ jobs }) => jobs.exportAfter !== undefined);
    expect(drill.error).toBeUndefined();
    expect(drill).toMatchObject({ state: 'completed', result: { differences: 0 } });
  });

  it('goes on with its restore, whatever has become of the backup', async () => {
    await makeFleet(hub);
    const before = await state();
    const backup = await backUp();
    await wipe(hub);
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
    await makeFleet(hub);
    const backup = await backUp();
    await hub.deleteDevice({ deviceId: 'pump' });
    const before = await state();
    const runId = await begin('restore', { backup, mode: 'exact', confirm: hub.hubName });
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
    await makeFleet(hub);
    const backup = await backUp();
    await wipe(hub);
    const fault = { operation: 'importLine', code: 'ArgumentInvalid', idPattern: '^cert$' };
    await setFault(fault);
    const drill = await work('drill', { backup, to: 'default' });
    expect(drill).toMatchObject({
      state: 'failed',
      error: { code: 'drillDiffers' },
      result: { differences: 1 },
      outcomes: { failed: 1 },
    });
    expect(await rowsOf(drill, 'differences.ndjson')).toEqual([{ id: 'cert', change: 'created', fields: [] }]);
    const restored = await work('restore', { backup, mode: 'exact', confirm: hub.hubName });
    expect(restored).toMatchObject({ state: 'completedWithFailures', outcomes: { failed: 1 }, result: { create: 1 } });
  });
});

describe('a temporary folder that cannot be used', () => {
  it('ends a plan at once, and a restore that was to be checked with the report of what it has done', async () => {
    await makeFleet(hub);
    const backup = await backUp();
    await hub.deleteDevice({ deviceId: 'pump' });
    const { TMPDIR } = process.env;
    const request = { backup, mode: 'exact', confirm: hub.hubName, check: true };
    const runId = await begin('restore', request);
    try {
      const { failures } = await runInProcess(context, runId, async (_, input) => {
        if (input['stage'] === 'exportAfterWatch') process.env['TMPDIR'] = join(at.data, 'missing');
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

describe('a restore that cannot be compared in the end', () => {
  const cancel = (runId: string) =>
    context.runs.update(runId, (run) => ({ ...run, cancelRequestedAt: context.now().toISOString() }));

  it.each<[string, object, (run: WorkRun) => boolean, (runId: string) => Promise<unknown>]>([
    [
      'failed',
      { code: 'ArgumentInvalid' },
      ({ notes }) => notes?.['restAt'] !== undefined,
      () => setFault({ operation: 'createJob', code: 'ArgumentInvalid' }),
    ],
    ['cancelled', { code: 'cancelled' }, ({ jobs }) => jobs.exportAfter !== undefined, cancel],
  ])('is %s, with the report of what it has done', async (ended, error, isTime, spoil) => {
    await makeFleet(hub);
    const backup = await backUp();
    await hub.deleteDevice({ deviceId: 'pump' });
    const runId = await begin('restore', { backup, mode: 'exact', confirm: hub.hubName, check: true });
    let isSpoilt = false;
    await runInProcess(context, runId, async () => {
      if (isSpoilt || !isTime(await read(runId))) return;
      isSpoilt = true;
      await spoil(runId);
    });
    expect(await read(runId)).toMatchObject({
      state: ended,
      error,
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

  it('let the devices be that they name, with their modules', async () => {
    await makeFleet(hub);
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
    expect(await rowsOf(restored, 'plan.ndjson')).toContainEqual(
      expect.objectContaining({ change: 'rejected', side: 'after', line: 1, id: 'pump', code: 'wrongType' }),
    );
    expect(await rowsOf(restored, 'plan.ndjson')).toContainEqual({
      id: 'pump',
      moduleId: 'meter',
      change: 'kept',
      fields: [],
    });
  });

  it('fail a drill, and are told of any restore that means them', async () => {
    await makeFleet(hub);
    const backup = await backUpWith({ id: 'cert', moduleId: 5, status: 'enabled' }, 'cert');
    await wipe(hub);
    const drill = await work('drill', { backup, to: 'default' });
    expect(drill).toMatchObject({
      state: 'failed',
      error: { code: 'drillDiffers', message: expect.stringContaining('restored: 1.') },
      result: { differences: 1 },
    });
    expect(await rowsOf(drill, 'differences.ndjson')).toMatchObject([{ change: 'rejected', id: 'cert' }]);
    const restore = (more: object) => work('restore', { backup, mode: 'missing', confirm: hub.hubName, ...more });
    expect(await restore({})).toMatchObject({ state: 'completedWithFailures', result: { create: 0, rejected: 1 } });
    expect(await restore({ only: ['pump'] })).toMatchObject({ state: 'completed', result: { rejected: 0 } });
  });

  it('let all devices be where they name none', async () => {
    await makeFleet(hub);
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
