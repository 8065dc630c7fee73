import { beforeEach, describe, expect, it } from 'vitest';

import { listBackups } from '../../../src/lib/backup/catalogue.ts';
import { pruneBackups } from '../../../src/lib/backup/pruneBackups.ts';
import { RUNS_CONTAINER } from '../../../src/lib/storage/storage.ts';
import { startWork } from '../../../src/lib/work/startWork.ts';
import { startAzurite } from '../../helpers/azurite.ts';
import { workContext } from '../../helpers/inProcessRun.ts';
import { countingStarter, type TestContext, testContext } from '../../helpers/provisioningContext.ts';
import { putBackup } from './sampleBackup.ts';

const NAMES = ['a/2026/11/20T020000Z', 'a/2026/11/19T020000Z', 'a/2026/11/18T020000Z', 'b/2026/11/17T020000Z'];
const [newest = '', second = '', third = '', ofOther = ''] = NAMES;

let context: TestContext;
beforeEach(async () => {
  const { connectionString } = await startAzurite();
  context = testContext(connectionString, { environment: { BACKUP_KEEP: 'last=1' } });
  for (const name of NAMES) await putBackup(context.storage, name);
});

const left = async () => (await listBackups(context.storage)).map(({ backup }) => backup);

describe('backups that are not to be kept', () => {
  it('are named by a dry run, with why, and removed without', async () => {
    const dry = await pruneBackups(workContext(context), { dryRun: true });
    expect(dry).toEqual({
      keep: [
        { backup: newest, reasons: ['last', 'newestGood'] },
        { backup: ofOther, reasons: ['last', 'newestGood'] },
      ],
      remove: [second, third].map((backup) => ({ backup, reason: 'noRule', outcome: 'wouldBeRemoved' })),
    });
    expect(await left()).toEqual(NAMES);
    const { remove } = await pruneBackups(workContext(context), { hub: 'a' });
    expect(remove.map(({ outcome }) => outcome)).toEqual(['removed', 'removed']);
    expect(await left()).toEqual([newest, ofOther]);
    expect(context.logged.filter((line) => line.includes('was removed'))).toHaveLength(2);
  });

  it('stay as long as a run that has not ended names them', async () => {
    const work = workContext(context);
    const { runId } = await startWork(work, countingStarter(), { kind: 'verify', request: { backup: third } });
    await work.runs.update(runId, (run) => ({ ...run, state: 'running', notes: { backups: [second, newest] } }));
    const held = await pruneBackups(work, { hub: 'a' });
    expect(held.remove).toEqual([]);
    expect(held.keep.map(({ reasons }) => reasons.includes('held'))).toEqual([true, true, true]);
    await work.runs.update(runId, (run) => ({ ...run, state: 'completed' }));
    await pruneBackups(work, { hub: 'a' });
    expect(await left()).toEqual([newest, ofOther]);
  });

  it('stay as long as a run that has not ended has a record that cannot be read', async () => {
    const work = workContext(context);
    const { runId } = await startWork(work, countingStarter(), { kind: 'verify', request: { backup: third } });
    const record = context.storage.container(RUNS_CONTAINER).getBlockBlobClient(`${runId}.json`);
    await record.upload('{"kind":', 8, { metadata: { state: 'running' } });
    for (const dryRun of [true, false]) {
      const pruned = await pruneBackups(work, { hub: 'a', dryRun });
      expect(pruned.remove.map(({ outcome }) => outcome)).toEqual(['mayBeHeld', 'mayBeHeld']);
      expect(pruned.damagedRuns).toMatchObject([{ runId, damaged: { code: 'recordDamaged' } }]);
    }
    expect(await left()).toEqual(NAMES);
    expect(context.logged.filter((line) => line.includes('no backup is removed') && line.includes(runId))).toHaveLength(
      2,
    );
    await record.delete();
    await pruneBackups(work, { hub: 'a' });
    expect(await left()).toEqual([newest, ofOther]);
  });

  it('do not hold up the others when one of them cannot be removed', async () => {
    const { storage } = context;
    const refusing = { ...storage, container: (name: string) => storage.container(name) };
    let refused = 0;
    refusing.container = (name) => {
      const container = storage.container(name);
      const open = container.getBlockBlobClient.bind(container);
      container.getBlockBlobClient = (blobName) => {
        const blob = open(blobName);
        if (blobName.startsWith(second)) {
          blob.delete = async () => {
            refused += 1;
            throw Object.assign(new Error('no right'), { statusCode: 403 });
          };
        }
        return blob;
      };
      return container;
    };
    const { remove } = await pruneBackups({ ...workContext(context), storage: refusing }, { hub: 'a' });
    expect(remove.map(({ outcome }) => outcome)).toEqual(['failed', 'removed']);
    expect(refused).toBe(1);
    expect(await left()).toEqual([newest, second, ofOther]);
  });
});
