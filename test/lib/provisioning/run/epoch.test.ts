import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Epoch, isEarlierEpoch } from '../../../../src/lib/provisioning/run/epoch.ts';
import type { JobKind, ProvisionRun } from '../../../../src/lib/provisioning/run/provisionRun.ts';
import { checkFile } from '../../../../src/lib/provisioning/steps/checkFile.ts';
import { fillLines } from '../../../../src/lib/provisioning/steps/fillLines.ts';
import { finishPreImage } from '../../../../src/lib/provisioning/steps/finishPreImage.ts';
import { readOptions } from '../../../../src/lib/provisioning/steps/readOptions.ts';
import { startJob } from '../../../../src/lib/provisioning/steps/startJob.ts';
import { takePreImage } from '../../../../src/lib/provisioning/steps/takePreImage.ts';
import { watchJob } from '../../../../src/lib/provisioning/steps/watchJob.ts';
import { HubError, type ImportExportJob, type RegistryClient } from '../../../../src/lib/registry/index.ts';
import { type Azurite, startAzurite } from '../../../helpers/azurite.ts';
import { dropFile, testContext } from '../../../helpers/provisioningContext.ts';

let azurite: Azurite;
let drops = 0;
beforeAll(async () => {
  azurite = await startAzurite();
});
afterAll(() => azurite.stop());

const SINGLE = '{"id":"pump","importMode":"update"}\n';
/** More than are read one by one. */
const MANY = Array.from({ length: 201 }, (_, index) => `{"id":"d${index}","importMode":"update"}\n`).join('');

/** A run that has been checked, over a hub whose devices all have the key `key`. */
async function checkedRun(text: string) {
  const hub = {
    hubName: 'scripted',
    key: 'first',
    reads: 0,
    loseReply: false,
    tearExport: false,
    jobs: [] as ImportExportJob[],
    inputs: [] as string[],
    async getDevice(deviceId: string) {
      hub.reads += 1;
      return {
        deviceId,
        etag: 'e',
        status: 'enabled' as const,
        authentication: { type: 'sas' as const, symmetricKey: { primaryKey: hub.key, secondaryKey: hub.key } },
      };
    },
    async getTwin() {
      return undefined;
    },
    async getRegistryStatistics() {
      return { totalDeviceCount: 1 };
    },
    async listJobs() {
      return [...hub.jobs];
    },
    async getJob(jobId: string) {
      return hub.jobs.find((job) => job.jobId === jobId);
    },
    create(type: 'import' | 'export'): ImportExportJob {
      const job = { jobId: `j${hub.jobs.length + 1}`, type, status: 'completed', progress: 100 };
      hub.jobs.push(job);
      return job;
    },
    async createImportJob({ inputBlobName }: { inputBlobName: string }) {
      hub.inputs.push(inputBlobName);
      if (hub.loseReply) {
        const lost = { kind: 'network', code: 'Timeout', retryable: true, outcomeUnknown: true } as const;
        throw new HubError({ ...lost, message: 'the reply was lost' });
      }
      return hub.create('import');
    },
    async createExportJob({ outputBlobName }: { outputBlobName: string }) {
      const { key } = hub;
      const authentication = { type: 'sas', symmetricKey: { primaryKey: key, secondaryKey: key } };
      const lines = Array.from({ length: 201 }, (_, index) => JSON.stringify({ id: `d${index}`, authentication }));
      await write(outputBlobName, lines.join('\n').slice(0, hub.tearExport ? -9 : undefined));
      return hub.create('export');
    },
  };
  const context = testContext(azurite.connectionString, { hub: hub as unknown as RegistryClient });
  const runId = await dropFile(context, `wave${++drops}/devices.txt`, text);
  const staging = context.storage.runContainer(runId);
  const write = (blob: string, content: string) => staging.getBlockBlobClient(blob).upload(content, content.length);
  await readOptions(context, { runId });
  await checkFile(context, { runId });
  const record = async (): Promise<ProvisionRun> => {
    const found = await context.runs.read(runId);
    if (found === undefined) throw new Error('The record is gone.');
    return found;
  };
  return {
    hub,
    record,
    take: (epoch: Epoch) => takePreImage(context, { runId, epoch }),
    finish: (epoch: Epoch) => finishPreImage(context, { runId, epoch }),
    fill: (epoch: Epoch) => fillLines(context, { runId, epoch }),
    start: (kind: JobKind, epoch: Epoch) => startJob(context, { runId, kind, epoch }),
    watch: (kind: JobKind, epoch: Epoch) => watchJob(context, { runId, kind, epoch }),
    async textOf(blob: string) {
      return (await staging.getBlockBlobClient(blob).downloadToBuffer()).toString('utf8');
    },
    async preImage() {
      const { preImage } = await record();
      return this.textOf(preImage?.blobName ?? '');
    },
  };
}

describe('the pre-image of a run that lost its turn before its import was sent', () => {
  it.each(['1.2', '2.1'] as const)(
    'is taken anew in epoch %s, and what its lines lack is filled from that',
    async (next) => {
      const run = await checkedRun(SINGLE);
      expect(await run.take('1.1')).toEqual({ status: 'ready' });
      expect(await run.fill('1.1')).toEqual({ status: 'ready' });
      expect(await run.preImage()).toContain('first');

      run.hub.key = 'second';
      expect(await run.take(next)).toEqual({ status: 'ready' });
      expect(await run.fill(next)).toEqual({ status: 'ready' });
      expect(await run.start('import', next)).toEqual({ status: 'started' });
      expect(await run.textOf(run.hub.inputs[0] ?? '')).toContain('second');
      expect(await run.preImage()).toContain('second');
      expect(await run.record()).toMatchObject({ preImage: { epoch: next }, kept: { authentication: 1, status: 1 } });
    },
  );

  it('is not harmed by steps of the epoch before that come late: they start nothing and overwrite nothing', async () => {
    const run = await checkedRun(SINGLE);
    await run.take('1.1');
    await run.fill('1.1');
    run.hub.key = 'second';
    await run.take('1.2');
    const before = await run.record();

    run.hub.key = 'late';
    expect(await run.take('1.1')).toEqual({ status: 'ended' });
    expect(await run.fill('1.1')).toEqual({ status: 'ended' });
    expect(await run.start('import', '1.1')).toEqual({ status: 'ended' });
    expect(run.hub.inputs).toEqual([]);
    expect(await run.record()).toEqual(before);
    await run.fill('1.2');
    expect(await run.start('import', '1.2')).toEqual({ status: 'started' });
    expect(await run.textOf(run.hub.inputs[0] ?? '')).toContain('second');
  });

  it('is taken once in an epoch, however often the step is repeated', async () => {
    const run = await checkedRun(SINGLE);
    await Promise.all([run.take('1.1'), run.take('1.1')]);
    const { reads } = run.hub;
    await run.take('1.1');
    expect(run.hub.reads).toBe(reads);
  });

  it('stays what the import was filled from, once that was sent or may have been', async () => {
    const run = await checkedRun(SINGLE);
    await run.take('1.1');
    await run.fill('1.1');
    run.hub.loseReply = true;
    expect(await run.start('import', '1.1')).toMatchObject({ status: 'wait' });

    run.hub.key = 'imported';
    run.hub.loseReply = false;
    expect(await run.take('2.1')).toEqual({ status: 'ready' });
    expect(await run.fill('2.1')).toEqual({ status: 'ready' });
    expect(await run.preImage()).toContain('first');
    expect(await run.start('import', '2.1')).toEqual({ status: 'started' });
    expect(new Set(run.hub.inputs).size).toBe(1);
    expect(await run.record()).toMatchObject({ preImage: { epoch: '1.1' }, jobs: { import: { jobId: 'j1' } } });
  });

  it('that needs an export is none if that was cut off: nothing is sent', async () => {
    const run = await checkedRun(MANY);
    run.hub.tearExport = true;
    expect(await run.take('1.1')).toEqual({ status: 'export' });
    expect(await run.start('export', '1.1')).toEqual({ status: 'started' });
    expect(await run.watch('export', '1.1')).toEqual({ ended: true });
    expect(await run.finish('1.1')).toEqual({ status: 'ended' });
    const record = await run.record();
    expect(record).toMatchObject({ state: 'failed', error: { code: 'preImageFailed' } });
    expect(record.error?.message).toContain('line 201 of what it left is cut off');
    expect(JSON.stringify(record)).not.toContain('first');
    expect(run.hub.inputs).toEqual([]);
  });

  it('that needs an export has an export of its own in each epoch', async () => {
    const run = await checkedRun(MANY);
    for (const [epoch, key] of [
      ['1.1', 'first'],
      ['1.2', 'second'],
    ] as const) {
      run.hub.key = key;
      expect(await run.take(epoch)).toEqual({ status: 'export' });
      expect(await run.start('export', epoch)).toEqual({ status: 'started' });
      expect(await run.watch('export', epoch)).toEqual({ ended: true });
      expect(await run.finish(epoch)).toEqual({ status: 'ready' });
      expect(await run.fill(epoch)).toEqual({ status: 'ready' });
    }
    expect(await run.finish('1.1')).toEqual({ status: 'ended' });
    expect(await run.start('export', '1.1')).toEqual({ status: 'ended' });
    expect(await run.watch('export', '1.1')).toEqual({ ended: true });
    expect(await run.record()).toMatchObject({
      state: 'running',
      jobs: { export: { jobId: 'j2', epoch: '1.2' } },
      preImage: { epoch: '1.2' },
      kept: { authentication: 201 },
    });
    expect(await run.start('import', '1.2')).toEqual({ status: 'started' });
    expect(await run.textOf(run.hub.inputs[0] ?? '')).toContain('second');
  });
});

it.each([
  ['1.1', '1.2', true],
  ['1.10', '1.9', false],
  ['1.10', '2.1', true],
  ['2.1', '2.1', false],
  [undefined, '1.1', true],
  ['1.1', undefined, false],
])('epoch %s is before epoch %s: %s', (one, other, expected) => {
  expect(isEarlierEpoch(one, other)).toBe(expected);
});
