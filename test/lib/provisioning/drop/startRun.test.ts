import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startRunOfDrop } from '../../../../src/lib/provisioning/drop/startRun.ts';
import { finish } from '../../../../src/lib/provisioning/report/endRun.ts';
import { RUNS_CONTAINER } from '../../../../src/lib/storage/storage.ts';
import { type Azurite, startAzurite } from '../../../helpers/azurite.ts';
import { countingStarter, sweepAll, type TestContext, testContext } from '../../../helpers/provisioningContext.ts';

let azurite: Azurite;
let context: TestContext;
let boxes = 0;

beforeAll(async () => {
  azurite = await startAzurite();
});
afterAll(() => azurite.stop());
beforeEach(async () => {
  // A drop box of its own for each test: the run id depends on it.
  context = testContext(azurite.connectionString, { environment: { PROVISION_CONTAINER: `box${++boxes}` } });
  await context.storage.container(context.settings.provisionContainer).create();
  for await (const { runId } of context.runs.ids()) {
    await context.storage.container(RUNS_CONTAINER).deleteBlob(`${runId}.json`);
  }
});

async function drop(name = 'devices.txt', text = '{"id":"d1"}'): Promise<void> {
  await context.storage
    .container(context.settings.provisionContainer)
    .getBlockBlobClient(name)
    .upload(text, text.length);
}

describe('starting the run of a drop', () => {
  it('starts one run, however often and however concurrently it is asked to', async () => {
    const starter = countingStarter();
    await drop();
    const results = await Promise.all(
      Array.from({ length: 40 }, () => startRunOfDrop(context, starter, 'devices.txt')),
    );
    expect(starter.starts).toHaveLength(1);
    expect(results.filter(({ started }) => started)).toHaveLength(1);
    expect(new Set(results.map((result) => result.runId)).size).toBe(1);
  });

  it('never starts a run again that has ended, whatever became of its durable history', async () => {
    const starter = countingStarter();
    await drop();
    const { runId = '' } = await startRunOfDrop(context, starter, 'devices.txt');
    await finish(context, runId, { state: 'completed' });
    starter.live.clear();
    context.advance(3_600_000);
    expect(await startRunOfDrop(context, starter, 'devices.txt')).toEqual({ started: false, reason: 'final', runId });
    expect(starter.starts).toHaveLength(1);
  });

  it('starts a run of its own for new content under the same name', async () => {
    const starter = countingStarter();
    await drop();
    const first = await startRunOfDrop(context, starter, 'devices.txt');
    await drop('devices.txt', '{"id":"d2"}');
    const second = await startRunOfDrop(context, starter, 'devices.txt');
    expect(second).toMatchObject({ started: true });
    expect(second.runId).not.toBe(first.runId);
  });

  it('takes over from a starter that died between the record and the start', async () => {
    const dying = countingStarter();
    dying.start = async () => {
      throw new Error('killed');
    };
    await drop();
    await expect(startRunOfDrop(context, dying, 'devices.txt')).rejects.toThrow('killed');
    const next = countingStarter();
    expect(await startRunOfDrop(context, next, 'devices.txt')).toMatchObject({ started: true });
    expect(next.starts).toHaveLength(1);
  });

  it('gives up, and says so, on a run whose orchestration is lost again and again', async () => {
    const starter = countingStarter();
    await drop();
    let last = await startRunOfDrop(context, starter, 'devices.txt');
    for (let i = 0; i < 10 && last.started; i++) {
      starter.live.clear();
      context.advance(60_000);
      last = await startRunOfDrop(context, starter, 'devices.txt');
    }
    expect(last).toMatchObject({ started: false, reason: 'gaveUp' });
    expect(await context.runs.read(last.runId ?? '')).toMatchObject({
      state: 'failed',
      error: { code: 'orchestrationLost' },
    });
  });

  it('lists an old drop without a record as stale, and does not run it', async () => {
    const starter = countingStarter();
    await drop();
    context.advance(8 * 24 * 3_600_000);
    const result = await startRunOfDrop(context, starter, 'devices.txt');
    expect(result).toMatchObject({ started: false, reason: 'stale' });
    expect(starter.starts).toEqual([]);
    expect((await context.runs.survey()).records).toContainEqual(
      expect.objectContaining({
        runId: result.runId,
        state: 'stale',
        error: expect.objectContaining({ code: 'dropStale' }),
      }),
    );
  });

  it.each(['options.json', 'b/readme.md'])('ignores %s', async (name) => {
    await drop(name);
    expect(await startRunOfDrop(context, countingStarter(), name)).toEqual({ started: false, reason: 'notADrop' });
  });

  it('ignores a file that is gone', async () => {
    expect(await startRunOfDrop(context, countingStarter(), 'devices.txt')).toEqual({ started: false, reason: 'gone' });
  });
});

describe('the sweep', () => {
  it('starts drops whose trigger was lost and runs whose orchestration was lost, and leaves the others alone', async () => {
    const starter = countingStarter();
    await drop('lost/devices.txt');
    await drop('dead/devices.txt');
    await drop('live/devices.txt');
    const dead = await startRunOfDrop(context, starter, 'dead/devices.txt');
    const live = await startRunOfDrop(context, starter, 'live/devices.txt');
    starter.live.delete(dead.runId ?? '');
    context.advance(60_000);
    const result = await sweepAll(context, starter);
    expect(result.started.concat(result.restarted)).toHaveLength(2);
    expect([...result.started, ...result.restarted]).toContain(dead.runId);
    expect([...result.started, ...result.restarted]).not.toContain(live.runId);
    expect(await sweepAll(context, starter)).toMatchObject({ started: [], restarted: [] });
  });

  it('removes the staging of a run that has long been final, and no other', async () => {
    const starter = countingStarter();
    await drop('old/devices.txt');
    await drop('young/devices.txt');
    const old = await startRunOfDrop(context, starter, 'old/devices.txt');
    const young = await startRunOfDrop(context, starter, 'young/devices.txt');
    for (const { runId } of [old, young]) await context.storage.runContainer(runId ?? '').create();
    await finish(context, old.runId ?? '', { state: 'completed' });
    context.advance(6.9 * 24 * 3_600_000);
    expect(await sweepAll(context, starter)).toMatchObject({ containersRemoved: 0 });
    context.advance(0.2 * 24 * 3_600_000);
    // Which containers its run reads nobody can tell.
    const torn = context.storage.container(RUNS_CONTAINER).getBlockBlobClient(`${'0'.repeat(20)}.json`);
    await torn.upload('{', 1);
    expect(await sweepAll(context, starter)).toMatchObject({ containersRemoved: 0 });
    expect(context.logged.filter((line) => line.includes('no staging is removed'))).toHaveLength(1);
    await torn.delete();
    expect(await sweepAll(context, starter)).toMatchObject({ containersRemoved: 1 });
    expect(await context.storage.runContainer(old.runId ?? '').exists()).toBe(false);
    expect(await context.storage.runContainer(young.runId ?? '').exists()).toBe(true);
  });

  it('says that the drop box is missing instead of failing', async () => {
    await context.storage.container(context.settings.provisionContainer).delete();
    await sweepAll(context, countingStarter());
    expect(context.logged.join('\n')).toContain(`${context.settings.provisionContainer} does not exist`);
  });
});
