import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readWaves } from '../../../../src/lib/provisioning/again/waves.ts';
import { type ProvisionRun, withJob } from '../../../../src/lib/provisioning/run/provisionRun.ts';
import { checkFile } from '../../../../src/lib/provisioning/steps/checkFile.ts';
import { failRun } from '../../../../src/lib/provisioning/steps/failRun.ts';
import { fillLines } from '../../../../src/lib/provisioning/steps/fillLines.ts';
import { followUp } from '../../../../src/lib/provisioning/steps/followUp.ts';
import { readOptions } from '../../../../src/lib/provisioning/steps/readOptions.ts';
import { settleRun } from '../../../../src/lib/provisioning/steps/settleRun.ts';
import { startJob } from '../../../../src/lib/provisioning/steps/startJob.ts';
import { takePreImage } from '../../../../src/lib/provisioning/steps/takePreImage.ts';
import { watchJob } from '../../../../src/lib/provisioning/steps/watchJob.ts';
import { type ChunkReply, workChunk } from '../../../../src/lib/provisioning/steps/workChunk.ts';
import { type BulkResult, HubError, type RegistryClient } from '../../../../src/lib/registry/index.ts';
import { type Azurite, startAzurite } from '../../../helpers/azurite.ts';
import { dropFile, endJob, type TestContext, testContext } from '../../../helpers/provisioningContext.ts';

let azurite: Azurite;
let drops = 0;
beforeAll(async () => {
  azurite = await startAzurite();
});
afterAll(() => azurite.stop());

interface Item {
  readonly id: string;
  readonly moduleId?: string;
  readonly importMode?: string;
  readonly tags?: Readonly<Record<string, unknown>>;
  readonly status?: string;
  readonly eTag?: string;
}

/** Answers bulk calls as the test says, item by item; what succeeds is there afterwards. */
class BulkHub {
  readonly hubName = 'scripted';
  readonly calls: Item[][] = [];
  readonly there = new Map<string, Item>();
  /** Name of the error of an item; undefined: it succeeds. */
  answer: (item: Item, call: number) => string | undefined = () => undefined;
  /** Thrown by the next calls, one each. */
  readonly failures: (HubError | undefined)[] = [];
  reading: HubError | undefined;
  /** Jobs that the hub knows, and those that it was asked to cancel. */
  readonly jobs = new Map<string, { jobId: string; type: string; status: string; progress: number }>();
  readonly cancelled: string[] = [];

  async bulk(texts: readonly string[]): Promise<BulkResult> {
    const items = texts.map((text) => JSON.parse(text) as Item);
    this.calls.push(items);
    const failure = this.failures.shift();
    if (failure !== undefined) throw failure;
    const errors = [];
    for (const item of items) {
      const name = this.answer(item, this.calls.length);
      if (name === undefined) this.there.set(item.id, item);
      else errors.push({ deviceId: item.id, error: { name, code: undefined }, detail: {} as never });
    }
    return { isSuccessful: errors.length === 0, errors, warnings: [] };
  }
  async getDevice(deviceId: string) {
    if (this.reading !== undefined) throw this.reading;
    const item = this.there.get(deviceId);
    return item && { deviceId, etag: 'e', status: item.status ?? 'enabled' };
  }
  async getTwin({ deviceId }: { deviceId: string }) {
    const item = this.there.get(deviceId);
    return item && { deviceId, etag: 't', tags: item.tags ?? {}, properties: { desired: {}, reported: {} } };
  }
  async getRegistryStatistics() {
    return { totalDeviceCount: this.there.size, enabledDeviceCount: 0, disabledDeviceCount: 0 };
  }
  async getJob(jobId: string) {
    return this.jobs.get(jobId);
  }
  async listJobs() {
    return [...this.jobs.values()];
  }
  async createExportJob() {
    const job = { jobId: `export-${this.jobs.size}`, type: 'export', status: 'running', progress: 0 };
    this.jobs.set(job.jobId, job);
    return job;
  }
  async cancelJob(jobId: string) {
    this.cancelled.push(jobId);
  }
  /** How often each id was sent. */
  sentOf(id: string): number {
    return this.calls.flat().filter((item) => item.id === id).length;
  }
}

function hubError(fields: Partial<ConstructorParameters<typeof HubError>[0]>): HubError {
  return new HubError({
    code: 'ServerBusy',
    kind: 'server',
    retryable: true,
    outcomeUnknown: false,
    message: 'no',
    ...fields,
  });
}

interface Prepared {
  readonly context: TestContext;
  readonly hub: BulkHub;
  readonly runId: string;
  record(): Promise<ProvisionRun>;
  next(finished?: string): ReturnType<typeof followUp>;
  work(wave: string, input?: Partial<Parameters<typeof workChunk>[1]>): Promise<ChunkReply>;
  /** Verification waits a little first; then the run is settled. */
  settle(): Promise<ProvisionRun>;
}

/** Puts something into the container of the run, as a hub would. */
const putLog = (run: Prepared, text: string, name = 'importErrors.log') =>
  run.context.storage.runContainer(run.runId).getBlockBlobClient(name).upload(text, text.length);

function importFailed(record: ProvisionRun): ProvisionRun {
  const job = record.jobs.import;
  return job === undefined ? record : withJob(record, 'import', { ...job, status: 'failed' });
}

let steps = 0;

/** A run whose import job has ended with these errors. */
async function afterJob(
  lines: readonly object[],
  errors: Readonly<Record<string, number>>,
  options: {
    readonly metadata?: Record<string, string>;
    readonly environment?: Record<string, string>;
    /** Devices that are there before the run. */
    readonly there?: readonly Item[];
  } = {},
): Promise<Prepared> {
  const hub = new BulkHub();
  for (const item of options.there ?? []) hub.there.set(item.id, item);
  const context = testContext(azurite.connectionString, {
    hub: hub as unknown as RegistryClient,
    environment: { HUB_TIER: 'S3', ...options.environment },
  });
  const name = `after${++drops}/devices.txt`;
  const text = lines.map((line) => `${JSON.stringify({ importMode: 'create', ...line })}\n`).join('');
  const runId = await dropFile(context, name, text, options.metadata);
  await readOptions(context, { runId });
  expect(await checkFile(context, { runId })).toMatchObject({ next: 'job' });
  const epoch = '1.1';
  expect(await takePreImage(context, { runId, epoch })).toEqual({ status: 'ready' });
  expect(await fillLines(context, { runId, epoch })).toEqual({ status: 'ready' });
  const log = Object.entries(errors).map(([key, errorCode]) => {
    const [deviceId, moduleId] = key.split('/');
    return `${JSON.stringify({ deviceId, ...(moduleId === undefined ? {} : { moduleId }), errorCode, errorStatus: '' })}\n`;
  });
  await endJob(context, runId, log.join(''));
  const prepared: Prepared = {
    context,
    hub,
    runId,
    async record() {
      const record = await context.runs.read(runId);
      if (record === undefined) throw new Error('The record is gone.');
      return record;
    },
    next: (finished) => followUp(context, { runId, ...(finished === undefined ? {} : { finished }) }),
    work: (wave, input = {}) =>
      workChunk(context, {
        runId,
        wave,
        chunk: 0,
        step: `${++steps}`,
        items: 500,
        msPerItem: 0,
        waitMs: 0,
        pass: 0,
        refusals: 0,
        ...input,
      }),
    async settle() {
      for (let next = await prepared.next(); next.do !== 'settle'; next = await prepared.next()) {
        if (next.do !== 'wait') throw new Error(`The run wants to ${JSON.stringify(next)}.`);
        context.advance(next.seconds * 1000);
      }
      await settleRun(context, { runId });
      return prepared.record();
    },
  };
  return prepared;
}

const devices = (count: number, fields: object = {}) =>
  Array.from({ length: count }, (_, index) => ({ id: `d${index}`, ...fields }));
const all = (count: number, code: number) => Object.fromEntries(devices(count).map(({ id }) => [id, code]));

const THROTTLED = 429001;
const SERVER_ERROR = 500001;
const FULL = 403002;
const EXISTS = 409001;

describe('after the import job', () => {
  it('nothing more is done when its errors are final', async () => {
    const run = await afterJob(devices(2), { d0: EXISTS });
    expect(await run.next()).toEqual({ do: 'settle' });
    expect(await run.settle()).toMatchObject({ outcomes: { succeeded: 1, failed: 1 } });
    expect(run.hub.calls).toEqual([]);
  });

  it('lines that failed transiently are sent by calls, and no others', async () => {
    const run = await afterJob(devices(3), { d0: THROTTLED, d1: EXISTS });
    expect(await run.next()).toMatchObject({ do: 'work', wave: 'devices', chunks: 1, width: 4 });
    expect(await run.work('devices')).toMatchObject({ status: 'done', sent: 1 });
    expect(await run.next('devices')).toEqual({ do: 'settle' });
    expect(await run.settle()).toMatchObject({ outcomes: { succeeded: 2, failed: 1 } });
    expect(run.hub.calls.flat().map(({ id }) => id)).toEqual(['d0']);
  });

  it('modules are sent after devices, those too whose device was not there yet', async () => {
    const lines = [{ id: 'd0' }, { id: 'd0', moduleId: 'm' }, { id: 'd1', moduleId: 'm' }];
    const run = await afterJob(lines, { d0: THROTTLED, 'd0/m': 404001, 'd1/m': 404001 });
    expect(await run.next()).toMatchObject({ do: 'work', wave: 'devices' });
    await run.work('devices');
    expect(await run.next('devices')).toMatchObject({ do: 'work', wave: 'modules' });
    await run.work('modules');
    expect(run.hub.calls).toMatchObject([[{ id: 'd0' }], [{ id: 'd0', moduleId: 'm' }]]);
    await run.next('modules');
    expect(await run.settle()).toMatchObject({ outcomes: { succeeded: 2, failed: 1 } });
  });

  it('a wave whose lanes ended before their work was done is worked on again', async () => {
    const run = await afterJob(devices(2), all(2, THROTTLED));
    const wave = await run.next();
    await run.work('devices', { items: 1 });
    expect(await run.next('devices')).toEqual(wave);
    await run.work('devices');
    expect(await run.next('devices')).toEqual({ do: 'settle' });
  });

  it('a step that is executed twice sends no more than its part of the budget, and tells what both have sent', async () => {
    const run = await afterJob(devices(5), all(5, THROTTLED));
    await run.next();
    const step = { step: 'one', items: 3, msPerItem: 10_000 };
    expect(await run.work('devices', step)).toMatchObject({ status: 'more', sent: 3 });
    const again = await run.work('devices', step);
    expect(again).toMatchObject({ status: 'more', sent: 3 });
    expect(again.waitMs).toBeGreaterThan(20_000);
    expect(run.hub.calls.flat()).toHaveLength(3);
    expect(await run.work('devices', { step: 'two', items: 3 })).toMatchObject({ status: 'done', sent: 2 });
  });

  it('a wave that is asked for twice is the same wave', async () => {
    const run = await afterJob(devices(3), all(3, THROTTLED));
    const [one, other] = await Promise.all([run.next(), run.next()]);
    expect(one).toEqual(other);
    expect(await run.next()).toEqual(one);
    const record = await run.record();
    expect((await readWaves(run.context, record))?.waves).toHaveLength(1);
  });

  it('very many such lines go once more by a job first, and the log of the first job is kept', async () => {
    const run = await afterJob(devices(1_600), all(1_600, THROTTLED), { environment: { HUB_TIER: 'S1' } });
    expect(await run.next()).toEqual({ do: 'job', kind: 'retry' });
    const staging = run.context.storage.runContainer(run.runId);
    expect(await staging.getBlockBlobClient('importErrors.log').exists()).toBe(false);
    const job = { jobId: 'j2', status: 'completed', progress: 100, createdAt: '', deadline: '2999-01-01T00:00:00Z' };
    await run.context.runs.update(run.runId, (record) => withJob(record, 'retry', job));
    const second = `{"deviceId":"d7","errorCode":${SERVER_ERROR}}\n{"deviceId":"d8","errorCode":${EXISTS}}\n`;
    await staging.getBlockBlobClient('importErrors.log').upload(second, second.length);
    expect(await run.next()).toMatchObject({ do: 'wait' });
    expect(await run.next()).toMatchObject({ do: 'work', wave: 'devices', chunks: 1 });
    await run.work('devices');
    expect(run.hub.calls.flat().map(({ id }) => id)).toEqual(['d7']);
    // Made by the first job, by the second, or by somebody else: only the registry can tell.
    run.hub.there.set('d8', { id: 'd8' });
    await run.next('devices');
    expect(await run.settle()).toMatchObject({ outcomes: { succeeded: 1_600 } });
  });

  it('nothing is sent any more once the time for it is over, or the run was cancelled', async () => {
    const late = await afterJob(devices(2), all(2, THROTTLED), { metadata: { retryMinutes: '1' } });
    await late.next();
    late.context.advance(61_000);
    expect(await late.work('devices')).toMatchObject({ status: 'over', sent: 0 });
    expect(await late.settle()).toMatchObject({ state: 'completedWithFailures', outcomes: { failed: 2 } });

    const cancelled = await afterJob(devices(2), all(2, THROTTLED));
    await cancelled.next();
    await cancelled.context.runs.update(cancelled.runId, (record) => ({ ...record, cancelRequestedAt: 'now' }));
    expect(await cancelled.work('devices')).toMatchObject({ status: 'over', sent: 0 });
    expect(await cancelled.settle()).toMatchObject({ state: 'cancelled', outcomes: { failed: 2 } });
    expect([...late.hub.calls, ...cancelled.hub.calls]).toEqual([]);
  });

  it('a failure that a timeout may have hidden a success behind is verified before it is called one', async () => {
    const run = await afterJob(devices(3, { tags: { site: 'faro' } }), all(3, SERVER_ERROR), {
      metadata: { retryMinutes: '0' },
    });
    run.hub.there.set('d0', { id: 'd0', tags: { site: 'faro' } });
    run.hub.there.set('d1', { id: 'd1', tags: { site: 'lagos' } });
    expect(await run.settle()).toMatchObject({ outcomes: { succeeded: 1, failed: 2 } });
  });

  it('a step that fails again and again takes back nothing of what is known', async () => {
    const run = await afterJob(devices(3), { d0: EXISTS, d1: THROTTLED });
    await run.next();
    await failRun(run.context, { runId: run.runId, message: 'storage is away' });
    expect(await run.record()).toMatchObject({
      state: 'failed',
      error: { code: 'stepFailed', message: expect.stringContaining('storage is away') },
      outcomes: { succeeded: 1, failed: 2, unconfirmed: 0 },
    });
  });

  it('a line that asks for new keys is done when its device was not there before', async () => {
    const lines = [
      { id: 'd0', importMode: 'createOrUpdate' },
      { id: 'd1', importMode: 'create' },
    ];
    const run = await afterJob(
      lines,
      { d0: SERVER_ERROR, d1: SERVER_ERROR },
      {
        metadata: { retryMinutes: '0', missingKeys: 'regenerate' },
      },
    );
    // Both were not there before, so whatever keys they have now are new.
    for (const id of ['d0', 'd1']) run.hub.there.set(id, { id });
    expect(await run.settle()).toMatchObject({ outcomes: { succeeded: 2 } });
  });

  it('an id that exists with another twin is neither called made nor taken', async () => {
    const run = await afterJob(devices(1, { tags: { site: 'faro' } }), all(1, SERVER_ERROR));
    await run.next();
    run.hub.answer = () => 'DeviceAlreadyExists';
    run.hub.there.set('d0', { id: 'd0', tags: {} });
    expect(await run.work('devices')).toMatchObject({ status: 'done' });
    await run.next('devices');
    expect(await run.settle()).toMatchObject({ outcomes: { unconfirmed: 1 } });
  });

  it.each([
    ['fails', 'failed', ''],
    ['leaves nothing', 'completed', undefined],
    ['is cut off', 'completed', '{"id":"d0"}\n{"id":"d1","ta'],
  ])('an export to verify by that %s is tried three times', async (_what, status, text) => {
    const run = await afterJob(devices(201), {});
    await run.context.runs.update(run.runId, importFailed);
    expect(await run.next()).toMatchObject({ do: 'wait' });
    run.context.advance(6_000);
    for (const exportTry of [1, 2, 3]) {
      expect(await run.next()).toEqual({ do: 'job', kind: 'verify' });
      const verifyJob = {
        jobId: `v${exportTry}`,
        status,
        progress: 0,
        createdAt: '',
        deadline: '2999-01-01',
      };
      const { verification } = (await readWaves(run.context, await run.record())) ?? {};
      if (text !== undefined) await putLog(run, text, `registry-${verification?.attempt}-${exportTry}.txt`);
      await run.context.runs.update(run.runId, (record) => withJob(record, 'verify', verifyJob));
      if (exportTry < 3) expect(await run.next()).toEqual({ do: 'wait', seconds: 5 });
    }
    expect(await run.next()).toEqual({ do: 'settle' });
    expect(await run.settle()).toMatchObject({ outcomes: { unconfirmed: 201 } });
  });

  it('lines stay unconfirmed only when the registry cannot be read', async () => {
    const run = await afterJob(devices(2), {}, { metadata: { retryMinutes: '0' } });
    await run.context.runs.update(run.runId, importFailed);
    run.hub.reading = hubError({});
    expect(await run.settle()).toMatchObject({ outcomes: { unconfirmed: 2 } });
  });
});

describe('a chunk of lines', () => {
  it('is sent in calls of at most 100, and no more than were granted', async () => {
    const run = await afterJob(devices(250), all(250, THROTTLED));
    await run.next();
    expect(await run.work('devices', { items: 150 })).toMatchObject({ status: 'more', sent: 150 });
    expect(await run.work('devices', { items: 500 })).toMatchObject({ status: 'done', sent: 100 });
    expect(run.hub.calls.map((items) => items.length)).toEqual([100, 50, 100]);
    expect(await run.record()).toMatchObject({ progress: { lines: 250, left: 0 } });
  });

  it('keeps two modules of one device apart: a hub takes a device once a call', async () => {
    const lines = [
      { id: 'd0', moduleId: 'a' },
      { id: 'd0', moduleId: 'b' },
      { id: 'd1', moduleId: 'a' },
    ];
    const run = await afterJob(lines, { 'd0/a': THROTTLED, 'd0/b': THROTTLED, 'd1/a': THROTTLED });
    expect(await run.next()).toMatchObject({ wave: 'modules' });
    await run.work('modules');
    expect(run.hub.calls.map((items) => items.map(({ id, moduleId }) => `${id}/${moduleId}`))).toEqual([
      ['d0/a', 'd1/a'],
      ['d0/b'],
    ]);
  });

  it('leaves what fails again to the next pass, and sends it again then', async () => {
    const run = await afterJob(devices(2), all(2, THROTTLED));
    await run.next();
    run.hub.answer = ({ id }, call) => (id === 'd1' && call === 1 ? 'ServerError' : undefined);
    expect(await run.work('devices')).toMatchObject({ status: 'tried' });
    expect(await run.work('devices')).toMatchObject({ status: 'tried', sent: 0 });
    expect(await run.work('devices', { pass: 1 })).toMatchObject({ status: 'done', sent: 1 });
  });

  it('that is throttled tells so, and its lines are still due', async () => {
    const run = await afterJob(devices(2), all(2, THROTTLED));
    await run.next();
    run.hub.failures.push(hubError({ code: 'ThrottlingException', kind: 'throttled' }));
    expect(await run.work('devices')).toMatchObject({ status: 'more', throttled: true });
    expect(await run.work('devices')).toMatchObject({ status: 'done', sent: 2 });
  });

  it('is sent in smaller calls to a hub that is smaller than its setting says', async () => {
    const run = await afterJob(devices(100), all(100, THROTTLED));
    await run.next();
    const bulk = run.hub.bulk.bind(run.hub);
    run.hub.bulk = async (items) => {
      if (items.length > 30) throw hubError({ code: 'ThrottlingException', kind: 'throttled' });
      return bulk(items);
    };
    expect(await run.work('devices')).toMatchObject({ throttled: true });
    expect(await run.work('devices')).toMatchObject({ throttled: true });
    const statuses = [];
    for (let turn = 0; turn < 10 && statuses.at(-1) !== 'done'; turn += 1) {
      statuses.push((await run.work('devices')).status);
    }
    expect(statuses.at(-1)).toBe('done');
    for (const { id } of devices(100)) expect(run.hub.sentOf(id)).toBe(1);
  });

  it('finds the line that makes the hub refuse a whole call', async () => {
    const run = await afterJob(devices(3), all(3, THROTTLED));
    await run.next();
    const bad = hubError({ code: 'ArgumentInvalid', kind: 'badRequest', retryable: false });
    run.hub.failures.push(bad, undefined, bad, undefined);
    expect(await run.work('devices')).toMatchObject({ status: 'done' });
    expect(run.hub.calls.map((items) => items.map(({ id }) => id))).toEqual([
      ['d0', 'd1', 'd2'],
      ['d0'],
      ['d1'],
      ['d2'],
    ]);
    await run.next('devices');
    expect(await run.settle()).toMatchObject({ outcomes: { succeeded: 2, failed: 1 } });
  });

  it('is not worked on by two at a time', async () => {
    const run = await afterJob(devices(300), all(300, THROTTLED));
    await run.next();
    const replies = await Promise.all([run.work('devices'), run.work('devices'), run.work('devices')]);
    expect(replies.map(({ status }) => status)).toContain('done');
    for (const { id } of devices(300)) expect(run.hub.sentOf(id)).toBe(1);
  });

  it('of an attempt that died on the way is left alone until its reply cannot come any more, and then sent again', async () => {
    const run = await afterJob(devices(2, { tags: { n: 1 } }), all(2, THROTTLED));
    await run.next();
    run.hub.failures.push(new Error('killed') as HubError);
    await expect(run.work('devices')).rejects.toThrow('killed');
    // The call had reached the hub all the same.
    run.hub.there.set('d0', { id: 'd0', tags: { n: 1 } });
    run.hub.answer = ({ id }) => (id === 'd0' ? 'DeviceAlreadyExists' : undefined);
    expect(await run.work('devices', { pass: 1 })).toMatchObject({ status: 'wait', sent: 0 });
    run.context.advance(31_000);
    expect(await run.work('devices', { pass: 1 })).toMatchObject({ status: 'done', sent: 2 });
    await run.next('devices');
    expect(await run.settle()).toMatchObject({ state: 'completed', outcomes: { succeeded: 2 } });
  });

  it('has its time back for which the run was suspended', async () => {
    const run = await afterJob(devices(2), all(2, THROTTLED), { metadata: { retryMinutes: '1' } });
    await run.next();
    run.context.advance(3_600_000);
    expect(await run.work('devices')).toMatchObject({ status: 'over' });
    await run.context.runs.update(run.runId, (record) => ({ ...record, suspendedMs: 3_600_000 }));
    expect(await run.work('devices')).toMatchObject({ status: 'done', sent: 2 });
  });

  it('is not verified while a call of it may still be under way', async () => {
    const run = await afterJob(devices(2), all(2, THROTTLED), { metadata: { retryMinutes: '1' } });
    await run.next();
    run.hub.failures.push(new Error('killed') as HubError);
    run.context.advance(50_000);
    await expect(run.work('devices')).rejects.toThrow('killed');
    run.context.advance(11_000);
    expect(await run.next()).toMatchObject({ do: 'wait', seconds: expect.toSatisfy((seconds) => seconds > 10) });
  });

  it('is left when the run is suspended, and worked on when it goes on', async () => {
    const run = await afterJob(devices(2), all(2, THROTTLED));
    await run.next();
    await run.context.runs.update(run.runId, (record) => ({ ...record, suspendedAt: 'now' }));
    expect(await run.work('devices')).toMatchObject({ status: 'over', sent: 0 });
    await run.context.runs.update(run.runId, ({ suspendedAt: _suspendedAt, ...record }) => record);
    expect(await run.next('devices')).toMatchObject({ do: 'work', wave: 'devices' });
    expect(await run.work('devices')).toMatchObject({ status: 'done', sent: 2 });
  });
});

describe('lines that met a full hub', () => {
  it('are sent one by one, and no more after twenty in a row were refused', async () => {
    const run = await afterJob(devices(60), all(60, FULL));
    expect(await run.next()).toMatchObject({ do: 'work', wave: 'full-devices', width: 1 });
    run.hub.answer = () => (run.hub.there.size >= 5 ? 'IotHubQuotaExceeded' : undefined);
    expect(await run.work('full-devices')).toMatchObject({ status: 'over', sent: 25, refusals: 20 });
    expect(run.hub.calls.every((items) => items.length === 1)).toBe(true);
    expect(await run.record()).toMatchObject({ progress: { registryDevices: 0 } });
    await run.next('full-devices');
    expect(await run.settle()).toMatchObject({ outcomes: { succeeded: 5, failed: 55 } });
    const { report } = await run.record();
    const csv = await run.context.storage
      .container('provision-results')
      .getBlockBlobClient(report?.csv ?? '')
      .downloadToBuffer();
    expect(csv.toString().match(/IotHubQuotaExceeded/g)).toHaveLength(55);
  });

  it('are no lines of a second job', async () => {
    const run = await afterJob(devices(1_600), all(1_600, FULL), { environment: { HUB_TIER: 'S1' } });
    expect(await run.next()).toMatchObject({ do: 'work', wave: 'full-devices' });
  });
});

describe('a second job', () => {
  const MANY = 1_600;
  const LATER = '2999-01-01T00:00:00Z';
  const second = (status: string, deadline = LATER) => ({
    jobId: 'j2',
    status,
    progress: 100,
    createdAt: '',
    deadline,
  });
  async function planned(): Promise<Prepared> {
    const run = await afterJob(devices(MANY), all(MANY, THROTTLED), { environment: { HUB_TIER: 'S1' } });
    expect(await run.next()).toEqual({ do: 'job', kind: 'retry' });
    return run;
  }

  it('is not planned over and over where no error of the job may pass', async () => {
    const run = await afterJob(devices(3), { d1: EXISTS });
    await run.context.runs.update(run.runId, (record) =>
      withJob(record, 'import', { ...second('failed'), jobId: 'j1' }),
    );
    for (let step = 0; step < 3; step++) expect(await run.next()).toMatchObject({ do: 'wait' });
    const names = [];
    const staging = run.context.storage.runContainer(run.runId);
    for await (const { name } of staging.listBlobsFlat({ prefix: 'retry-' })) names.push(name);
    expect(names).toEqual([]);
  });

  it('has its say although it takes longer than lines are retried', async () => {
    const run = await planned();
    run.context.advance(61 * 60_000);
    await run.context.runs.update(run.runId, (record) => withJob(record, 'retry', second('completed')));
    await putLog(run, `{"deviceId":"d7","errorCode":${EXISTS}}\n{"deviceId":"d8","errorCode":${FULL}}\n`);
    run.hub.there.set('d7', { id: 'd7' });
    expect(await run.settle()).toMatchObject({ outcomes: { succeeded: MANY - 1, failed: 1 } });
  });

  it('is waited for when the run is cancelled, and has its say', async () => {
    const run = await planned();
    await run.context.runs.update(run.runId, (record) => ({
      ...withJob(record, 'retry', second('running')),
      cancelRequestedAt: 'now',
    }));
    run.hub.jobs.set('j2', { jobId: 'j2', type: 'import', status: 'running', progress: 1 });
    expect(await run.next()).toEqual({ do: 'job', kind: 'retry' });
    await run.context.runs.update(run.runId, (record) => withJob(record, 'retry', second('cancelled')));
    for (const { id } of devices(10)) run.hub.there.set(id, { id });
    // What it did before it was cancelled, only the registry can tell.
    expect(await run.next()).toMatchObject({ do: 'wait' });
    run.context.advance(10_000);
    expect(await run.next()).toMatchObject({ do: 'wait' });
    run.context.advance(10_000);
    expect(await run.next()).toEqual({ do: 'job', kind: 'verify' });
  });

  it('that was sent before the run was cancelled is found, and watched to its end', async () => {
    const run = await planned();
    const state = JSON.stringify({ job: { jobId: 'j2', createdAt: '2026-01-01T00:00:00Z', deadline: LATER } });
    await putLog(run, state, 'retry-job.json');
    await run.context.runs.update(run.runId, (record) => ({ ...record, cancelRequestedAt: 'now' }));
    expect(await startJob(run.context, { runId: run.runId, kind: 'retry' })).toEqual({ status: 'started' });
    expect(await run.record()).toMatchObject({ jobs: { retry: { jobId: 'j2' } } });
  });

  it('is not sent any more when it is too late; one that may have been sent is verified', async () => {
    const run = await planned();
    await putLog(run, JSON.stringify({ intent: { at: '2026-01-01T00:00:00Z', knownJobIds: [] } }), 'retry-job.json');
    run.context.advance(61 * 60_000);
    expect(await startJob(run.context, { runId: run.runId, kind: 'retry' })).toEqual({ status: 'ended' });
    run.context.advance(10_000);
    await run.next();
    run.context.advance(10_000);
    expect(await run.next()).toEqual({ do: 'job', kind: 'verify' });

    const never = await planned();
    never.context.advance(61 * 60_000);
    expect(await startJob(never.context, { runId: never.runId, kind: 'retry' })).toEqual({ status: 'ended' });
    expect(await never.settle()).toMatchObject({ outcomes: { failed: MANY } });
  });

  it('is not sent by a run that has lost its notes, though the step that found that out died on the way', async () => {
    const run = await planned();
    const { runs } = run.context;
    await run.context.storage.runContainer(run.runId).getBlockBlobClient('first-importErrors.log').delete();
    const update: typeof runs.update = async (...given) => {
      await runs.update(...given);
      throw new Error('killed');
    };
    const dying = followUp({ ...run.context, runs: { ...runs, update } }, { runId: run.runId });
    await expect(dying).rejects.toThrow('killed');
    expect(await run.record()).toMatchObject({ stagingLost: { isSent: true } });
    let next = await run.next();
    for (; next.do === 'wait'; next = await run.next()) run.context.advance(next.seconds * 1000);
    expect(next).toEqual({ do: 'job', kind: 'verify' });
  });

  it('that the hub does not know any more is not waited for', async () => {
    const run = await planned();
    await run.context.runs.update(run.runId, (record) => withJob(record, 'retry', second('unknown')));
    expect(await run.next()).toMatchObject({ do: 'wait' });
    expect(await run.next()).not.toMatchObject({ do: 'job', kind: 'retry' });
  });

  it('is planned all the same when the first plan was lost after the log had been put aside', async () => {
    const run = await afterJob(devices(MANY), all(MANY, THROTTLED), { environment: { HUB_TIER: 'S1' } });
    const log = run.context.storage.runContainer(run.runId).getBlockBlobClient('importErrors.log');
    const text = (await log.downloadToBuffer()).toString();
    await putLog(run, text, 'first-importErrors.log');
    await log.delete();
    expect(await run.next()).toEqual({ do: 'job', kind: 'retry' });
  });

  it('has its own time to wait for the hub, however long the run has waited for its turn', async () => {
    const run = await planned();
    run.hub.jobs.set('other', { jobId: 'other', type: 'export', status: 'running', progress: 1 });
    const waiting = { kind: 'turn', reason: '1 run is ahead', since: '2020-01-01T00:00:00Z' } as const;
    await run.context.runs.update(run.runId, (record) => ({ ...record, waiting }));
    expect(await startJob(run.context, { runId: run.runId, kind: 'retry' })).toMatchObject({ status: 'wait' });
  });

  it('that was waited for in vain takes no time from the job that reads lines back', async () => {
    const run = await planned();
    run.hub.jobs.set('other', { jobId: 'other', type: 'export', status: 'running', progress: 1 });
    const start = (kind: 'retry' | 'verify') => startJob(run.context, { runId: run.runId, kind });
    expect(await start('retry')).toMatchObject({ status: 'wait' });
    run.context.advance(3 * 60 * 60_000);
    expect(await start('retry')).toEqual({ status: 'ended' });
    expect((await run.record()).waiting).toBeUndefined();
  });
});

describe('what may have been applied', () => {
  it('is verified by an export although the run is suspended, too, once it is cancelled: it has to end', async () => {
    const run = await afterJob(devices(201), {});
    await run.context.runs.update(run.runId, importFailed);
    await run.next();
    run.context.advance(6_000);
    expect(await run.next()).toEqual({ do: 'job', kind: 'verify' });
    const at = run.context.now().toISOString();
    await run.context.runs.update(run.runId, (record) => ({ ...record, cancelRequestedAt: at, suspendedAt: at }));
    expect(await startJob(run.context, { runId: run.runId, kind: 'verify' })).toEqual({ status: 'started' });
  });

  it('is verified although the last word on it is that the hub was busy', async () => {
    const run = await afterJob(devices(3), { d0: THROTTLED, d1: THROTTLED, d2: SERVER_ERROR });
    await run.next();
    run.hub.failures.push(
      hubError({ code: 'Timeout', kind: 'network', outcomeUnknown: true }),
      hubError({ code: 'ThrottlingException', kind: 'throttled' }),
    );
    expect(await run.work('devices')).toMatchObject({ status: 'tried' });
    expect(await run.work('devices', { pass: 1 })).toMatchObject({ throttled: true });
    // Both had reached the hub: one by the call, one by the job.
    run.hub.there.set('d0', { id: 'd0' });
    run.hub.there.set('d2', { id: 'd2' });
    run.context.advance(61 * 60_000);
    await run.next('devices');
    expect(await run.settle()).toMatchObject({ outcomes: { succeeded: 2, failed: 1 } });
  });

  it('by the job is verified although calls were only ever refused', async () => {
    const run = await afterJob(devices(2), { d0: THROTTLED, d1: SERVER_ERROR });
    await run.next();
    run.hub.failures.push(hubError({ code: 'ThrottlingException', kind: 'throttled' }));
    await run.work('devices');
    run.hub.there.set('d1', { id: 'd1' });
    run.context.advance(61 * 60_000);
    await run.next('devices');
    expect(await run.settle()).toMatchObject({ outcomes: { succeeded: 1, failed: 1 } });
  });

  it('and cannot be verified is unconfirmed, whatever the last word on it was', async () => {
    const run = await afterJob(devices(2), { d0: FULL, d1: THROTTLED });
    await run.next();
    run.hub.failures.push(
      hubError({ code: 'Timeout', kind: 'network', outcomeUnknown: true }),
      hubError({ code: 'ThrottlingException', kind: 'throttled' }),
    );
    await run.work('devices');
    await run.work('devices', { pass: 1 });
    run.hub.reading = hubError({ retryable: false });
    run.context.advance(61 * 60_000);
    await run.next('devices');
    expect(await run.settle()).toMatchObject({ outcomes: { unconfirmed: 1, failed: 1 } });
  });

  it('of a cancelled run is verified: the export for that is not cancelled, unless by another word', async () => {
    const run = await afterJob(devices(2), {});
    const verifyJob = {
      jobId: 'j3',
      status: 'running',
      progress: 0,
      createdAt: '2026-11-21T10:00:00Z',
      deadline: '2999-01-01T00:00:00Z',
    };
    await run.context.runs.update(run.runId, (record) => ({
      ...withJob(record, 'verify', verifyJob),
      cancelRequestedAt: '2026-11-21T09:00:00Z',
    }));
    run.hub.jobs.set('j3', { jobId: 'j3', type: 'export', status: 'running', progress: 50 });
    expect(await watchJob(run.context, { runId: run.runId, kind: 'verify' })).toMatchObject({ ended: false });
    expect(run.hub.cancelled).toEqual([]);
    await run.context.runs.update(run.runId, (record) => ({ ...record, cancelRequestedAt: '2026-11-21T11:00:00Z' }));
    await watchJob(run.context, { runId: run.runId, kind: 'verify' });
    expect(run.hub.cancelled).toEqual(['j3']);
  });
});

describe('a module', () => {
  it('whose device found its place in a full hub only at the end is made after it', async () => {
    const lines = [{ id: 'd0' }, { id: 'd0', moduleId: 'm' }];
    const run = await afterJob(lines, { d0: THROTTLED, 'd0/m': 404001 });
    await run.next();
    run.hub.answer = ({ moduleId }, call) =>
      call === 1 ? 'IotHubQuotaExceeded' : moduleId !== undefined && call === 2 ? 'DeviceNotFound' : undefined;
    await run.work('devices');
    expect(await run.next('devices')).toMatchObject({ wave: 'modules' });
    await run.work('modules');
    expect(await run.next('modules')).toMatchObject({ wave: 'full-devices' });
    await run.work('full-devices');
    expect(await run.next('full-devices')).toMatchObject({ do: 'work', wave: 'full-modules' });
    await run.work('full-modules');
    await run.next('full-modules');
    expect(await run.settle()).toMatchObject({ outcomes: { succeeded: 2 } });
  });
});

describe('a line that leaves something out', () => {
  async function filled(): Promise<Prepared> {
    const lines = [
      { id: 'd0', importMode: 'update', eTag: 'of another hub' },
      { id: 'd1', importMode: 'createOrUpdate' },
      { id: 'd2', importMode: 'create' },
    ];
    const run = await afterJob(lines, all(3, THROTTLED), { there: [{ id: 'd0' }] });
    await run.next();
    return run;
  }

  it('is sent again for the device that was read, or for a new one', async () => {
    const run = await filled();
    await run.work('devices');
    expect(run.hub.calls).toMatchObject([
      [
        { id: 'd0', importMode: 'updateIfMatchETag', eTag: 'e', status: 'enabled' },
        { id: 'd1', importMode: 'create' },
        { id: 'd2', importMode: 'create' },
      ],
    ]);
    expect(await run.next('devices')).toEqual({ do: 'settle' });
    expect(await run.settle()).toMatchObject({ outcomes: { succeeded: 3 } });
  });

  it('does not let in a device that was blocked meanwhile, nor give new keys to one that has come', async () => {
    const run = await filled();
    run.hub.there.set('d0', { id: 'd0', status: 'disabled' });
    run.hub.there.set('d1', { id: 'd1', status: 'disabled' });
    run.hub.answer = ({ id, importMode = '' }) =>
      importMode.endsWith('IfMatchETag')
        ? 'PreconditionFailed'
        : importMode === 'create' && id !== 'd2'
          ? 'DeviceAlreadyExists'
          : undefined;
    await run.work('devices');
    await run.next('devices');
    expect(await run.settle()).toMatchObject({ outcomes: { succeeded: 1, failed: 2 } });
    expect(run.hub.there.get('d0')).toEqual({ id: 'd0', status: 'disabled' });
  });
});
