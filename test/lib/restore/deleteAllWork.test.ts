import { describe, expect, it } from 'vitest';

import { listBackups } from '../../../src/lib/backup/catalogue.ts';
import { runInProcess } from '../../helpers/inProcessRun.ts';
import { readReport } from '../../helpers/readReport.ts';
import { differences } from '../../scenarios/registryState.ts';
import { makeFleet } from './restoreFleet.ts';
import { restoreHub } from './restoreHub.ts';

const at = restoreHub({ HUB_TIER: 'S3' });
const { begin, read, state, work } = at;

describe('delete-all', () => {
  it('leaves, and names, what was written or made anew after the backup', async () => {
    const { hub, context } = at;
    await makeFleet(hub);
    const request = { confirm: hub.hubName };
    const runId = await begin('deleteAll', request);
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
    const ended = await read(runId);
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
    const { hub, context } = at;
    await makeFleet(hub);
    const before = await state();
    const some = await work('deleteAll', { confirm: hub.hubName, prefix: 'edge-' });
    expect(some.error).toBeUndefined();
    expect(some.state).toBe('completed');
    expect(Object.keys((await state()).devices).sort()).toEqual(['cert', 'leaf', 'pump']);
    const all = await work('deleteAll', { confirm: hub.hubName, configurations: true });
    const kept = (await listBackups(context.storage)).find(({ backup }) => backup === all.result?.['backup']);
    expect(kept?.keepUntil).toBeDefined();
    expect(all).toMatchObject({
      state: 'completed',
      result: { backup: expect.stringMatching(/^default\//), keys: 'included' },
    });
    expect(await state()).toEqual({ devices: {}, modules: {}, configurations: {} });
    const restored = await work('restore', { backup: some.result?.['backup'], mode: 'missing', confirm: hub.hubName });
    expect(restored.state).toBe('completed');
    expect(differences(before, await state())).toEqual([]);
  });
});
