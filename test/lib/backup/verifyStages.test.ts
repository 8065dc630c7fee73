import { beforeEach, describe, expect, it } from 'vitest';

import { BACKUPS_CONTAINER } from '../../../src/lib/storage/storage.ts';
import { startWork } from '../../../src/lib/work/startWork.ts';
import type { WorkRun } from '../../../src/lib/work/workRun.ts';
import { startAzurite } from '../../helpers/azurite.ts';
import { runInProcess, workContext } from '../../helpers/inProcessRun.ts';
import { countingStarter, type TestContext, testContext } from '../../helpers/provisioningContext.ts';
import { put, putBackup } from './sampleBackup.ts';

const GOOD = 'a/2026/11/20T020000Z';
const FLIPPED = 'a/2026/11/19T020000Z';
const UNFINISHED = 'a/2026/11/18T020000Z';
const OF_OTHER = 'b/2026/11/17T020000Z';

let context: TestContext;
beforeEach(async () => {
  context = testContext((await startAzurite()).connectionString);
  const { storage } = context;
  await putBackup(storage, GOOD);
  await putBackup(storage, FLIPPED);
  await put(storage, `${FLIPPED}/configurations.txt`, '{"id":"c2"}\n');
  await putBackup(storage, UNFINISHED, null);
  await putBackup(storage, OF_OTHER);
});

async function verify(request: object) {
  const work = workContext(context);
  const { runId } = await startWork(work, countingStarter(), { kind: 'verify', request: { ...request } });
  expect((await runInProcess(context, runId, async () => undefined)).failures).toEqual([]);
  return (await work.runs.read(runId)) as WorkRun;
}

describe('a verification', () => {
  it('reads all backups that are finished, and ends with failures when one is damaged', async () => {
    expect(await verify({})).toMatchObject({
      state: 'completedWithFailures',
      error: { code: 'backupDamaged', message: expect.stringContaining(FLIPPED) },
      result: {
        good: 2,
        damaged: 1,
        backups: [
          { backup: GOOD, result: 'good', problems: [] },
          { backup: FLIPPED, result: 'damaged', problems: [expect.stringContaining('configurations.txt')] },
          { backup: OF_OTHER, result: 'good', problems: [] },
        ],
      },
    });
  });

  it('is of one hub, or of one backup, which may have been mended', async () => {
    expect((await verify({ hub: 'b' })).result).toMatchObject({ good: 1, damaged: 0 });
    expect(await verify({ backup: FLIPPED })).toMatchObject({ state: 'completedWithFailures' });
    await putBackup(context.storage, FLIPPED);
    expect(await verify({ backup: FLIPPED })).toMatchObject({ state: 'completed', result: { good: 1 } });
  });

  it('names those in the archive tier, and reads the others', async () => {
    const container = context.storage.container(BACKUPS_CONTAINER);
    await putBackup(context.storage, FLIPPED);
    for (const file of [`${GOOD}/devices.txt`, `${FLIPPED}/manifest.json`]) {
      await container.getBlockBlobClient(file).setAccessTier('Archive');
    }
    expect(await verify({})).toMatchObject({
      state: 'completed',
      result: {
        good: 1,
        damaged: 0,
        archived: 2,
        backups: [
          { backup: GOOD, result: 'archived', problems: [expect.stringContaining('devices.txt cannot be read')] },
          { backup: FLIPPED, result: 'archived', problems: [expect.stringContaining('manifest.json cannot be read')] },
          { backup: OF_OTHER, result: 'good', problems: [] },
        ],
      },
    });
    expect(await verify({ backup: GOOD })).toMatchObject({ state: 'failed', error: { code: 'backupArchived' } });
    for (const file of [`${GOOD}/devices.txt`, `${FLIPPED}/manifest.json`]) {
      await container.getBlockBlobClient(file).setAccessTier('Hot');
    }
    expect((await verify({})).result).toMatchObject({ good: 3, archived: 0 });
  });

  it.each([
    [UNFINISHED, 'backupUnfinished'],
    ['a/2026/11/01T020000Z', 'backupUnknown'],
  ])('of %s fails: there is nothing to compare', async (backup, code) => {
    expect(await verify({ backup })).toMatchObject({ state: 'failed', error: { code } });
  });

  it('goes on without a backup that was removed meanwhile', async () => {
    const work = workContext(context);
    const { runId } = await startWork(work, countingStarter(), { kind: 'verify', request: {} });
    const gone = 'a/2026/11/16T020000Z';
    await work.runs.update(runId, (run) => ({ ...run, notes: { backups: [gone, GOOD], results: [] } }));
    await runInProcess(context, runId, async () => undefined);
    expect((await work.runs.read(runId))?.result).toMatchObject({
      good: 1,
      backups: [{ backup: gone, result: 'gone' }, { backup: GOOD }],
    });
  });
});
