import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { endFailed } from '../../../../src/lib/provisioning/report/endRun.ts';
import { withJob } from '../../../../src/lib/provisioning/run/provisionRun.ts';
import { checkFile } from '../../../../src/lib/provisioning/steps/checkFile.ts';
import { followUp } from '../../../../src/lib/provisioning/steps/followUp.ts';
import { readOptions } from '../../../../src/lib/provisioning/steps/readOptions.ts';
import { settleRun } from '../../../../src/lib/provisioning/steps/settleRun.ts';
import { startJob } from '../../../../src/lib/provisioning/steps/startJob.ts';
import { watchJob } from '../../../../src/lib/provisioning/steps/watchJob.ts';
import { HubError, type ImportExportJob, type RegistryClient } from '../../../../src/lib/registry/index.ts';
import type { RunRecord } from '../../../../src/lib/runKinds.ts';
import { type Azurite, startAzurite } from '../../../helpers/azurite.ts';
import { dropFile, type TestContext, testContext } from '../../../helpers/provisioningContext.ts';

let azurite: Azurite;
let drops = 0;
beforeAll(async () => {
  azurite = await startAzurite();
});
afterAll(() => azurite.stop());

function hubError(code: string, fields: { retryable?: boolean; outcomeUnknown?: boolean } = {}): HubError {
  return new HubError({
    code,
    kind: 'server',
    retryable: fields.retryable ?? false,
    outcomeUnknown: fields.outcomeUnknown ?? false,
    message: `the hub said ${code}`,
  });
}

type Change = 'lostReply' | 'lostBefore' | 'refused' | 'busy';

/** A hub with nothing but jobs, whose replies the test decides. The real wire is for the end-to-end tests. */
class JobHub {
  readonly hubName = 'scripted';
  readonly jobs: ImportExportJob[] = [];
  /** What the next creates do; none left: they work. */
  readonly creates: Change[] = [];
  created: { inputBlobContainerUri: string; outputBlobContainerUri: string }[] = [];
  listing: HubError | undefined;
  cancelling: HubError | undefined;

  /** Done while the hub is asked for its jobs: after the step has read its record, before the create. */
  whenListed: (() => Promise<unknown>) | undefined;

  async listJobs() {
    await this.whenListed?.();
    if (this.listing !== undefined) throw this.listing;
    return [...this.jobs];
  }
  async createImportJob(request: { inputBlobContainerUri: string; outputBlobContainerUri: string }) {
    const change = this.creates.shift();
    if (change === 'refused') throw hubError('ServiceUnavailable', { retryable: true });
    if (change === 'busy') throw hubError('JobQuotaExceeded', { retryable: true });
    if (change === 'lostBefore') throw hubError('Timeout', { retryable: true, outcomeUnknown: true });
    this.created.push(request);
    const job = { jobId: `ours-${this.created.length}`, type: 'import', status: 'running', progress: 0 };
    this.jobs.push(job);
    if (change === 'lostReply') throw hubError('Timeout', { retryable: true, outcomeUnknown: true });
    return job;
  }
  async getJob(jobId: string) {
    return this.jobs.find((job) => job.jobId === jobId);
  }
  async cancelJob(jobId: string) {
    if (this.cancelling !== undefined) throw this.cancelling;
    this.end(jobId, 'cancelled');
  }
  end(jobId: string, status: string): void {
    const at = this.jobs.findIndex((job) => job.jobId === jobId);
    const job = this.jobs[at];
    if (job !== undefined) this.jobs[at] = { ...job, status };
  }
}

interface Prepared {
  readonly context: TestContext;
  readonly hub: JobHub;
  readonly runId: string;
  record(): Promise<RunRecord>;
  log(text: string): Promise<void>;
  start(): ReturnType<typeof startJob>;
}

const TEXT = '{"id":"d1","importMode":"create"}\n{"id":"d2","importMode":"delete"}\n';

async function checkedRun(metadata: Record<string, string> = {}): Promise<Prepared> {
  const hub = new JobHub();
  const context = testContext(azurite.connectionString, { hub: hub as unknown as RegistryClient });
  const name = `run${++drops}/devices.txt`;
  const runId = await dropFile(context, name, TEXT, metadata);
  expect(await readOptions(context, { runId })).toMatchObject({
    status: 'ready',
    hub: 'default',
    ticket: { runId, name },
  });
  expect(await checkFile(context, { runId })).toEqual({ next: 'job' });
  return {
    context,
    hub,
    runId,
    async record() {
      const record = await context.runs.read(runId);
      if (record === undefined) throw new Error('The record is gone.');
      return record;
    },
    async log(text) {
      await context.storage.runContainer(runId).getBlockBlobClient('importErrors.log').upload(text, text.length);
    },
    start: () => startJob(context, { runId, kind: 'import' }),
  };
}

describe('a run that is suspended or cancelled', () => {
  const at = '2026-11-20T10:00:00.000Z';

  it.each([
    ['was suspended before the step', 'before', { suspendedAt: at }, undefined],
    ['is suspended right before the create', 'during', { suspendedAt: at }, undefined],
    ['is cancelled right before the create', 'during', { cancelRequestedAt: at }, 'cancelled'],
  ] as const)('starts no job when it %s, and notes none as sent', async (_what, when, change, state) => {
    const run = await checkedRun();
    const note = () => run.context.runs.update(run.runId, (record) => ({ ...record, ...change }));
    if (when === 'before') await note();
    else run.hub.whenListed = note;
    expect(await run.start()).toEqual({ status: 'wait', seconds: 1 });
    expect(run.hub.created).toHaveLength(0);
    expect((await run.record()).importSentAt).toBeUndefined();

    run.hub.whenListed = undefined;
    await run.context.runs.update(run.runId, ({ suspendedAt: _suspendedAt, ...record }) => record);
    expect(await run.start()).toEqual({ status: state === undefined ? 'started' : 'ended' });
    if (state !== undefined) expect(await run.record()).toMatchObject({ state });
    expect(run.hub.created).toHaveLength(state === undefined ? 1 : 0);
  });
});

describe('a job whose create had an unclear end', () => {
  it('is found again by its log and not created twice, even when no time is given for retries', async () => {
    const run = await checkedRun({ retryminutes: '0' });
    run.hub.creates.push('lostReply');
    expect(await run.start()).toMatchObject({ status: 'wait' });
    expect(await run.start()).toMatchObject({ status: 'wait' });
    await run.log('');
    run.hub.end('ours-1', 'completed');
    expect(await run.start()).toEqual({ status: 'started' });
    expect(await run.record()).toMatchObject({ jobs: { import: { jobId: 'ours-1' } } });
    expect(run.hub.created).toHaveLength(1);
  });

  it("that never ends is waited for as long as ours would be, and then let be, for it may be somebody else's", async () => {
    const run = await checkedRun();
    run.hub.creates.push('lostReply');
    await run.start();
    run.context.advance(2 * 3_600_000 - 60_000);
    expect(await run.start()).toMatchObject({ status: 'wait' });
    run.context.advance(120_000);
    expect(await run.start()).toEqual({ status: 'started' });
    expect(await run.record()).toMatchObject({
      jobs: { import: { jobId: 'ours-1', ambiguous: true, mayBeForeign: true } },
    });
    expect(await watchJob(run.context, { runId: run.runId, kind: 'import' })).toEqual({ ended: true });
    expect(run.hub.jobs[0]?.status).toBe('running');
    expect(run.hub.created).toHaveLength(1);
  });

  it('is created once more only when the hub shows no trace of it', async () => {
    const run = await checkedRun();
    run.hub.creates.push('lostReply');
    await run.start();
    run.hub.jobs.length = 0;
    expect(await run.start()).toEqual({ status: 'started' });
    expect(run.hub.created).toHaveLength(2);
  });

  it('ends as unconfirmed, never as not sent, when it cannot be found in time', async () => {
    const run = await checkedRun({ retryminutes: '0' });
    run.hub.creates.push('lostReply');
    await run.start();
    run.hub.listing = hubError('IotHubUnauthorized');
    run.context.advance(10 * 60_000);
    expect(await run.start()).toEqual({ status: 'ended' });
    expect(await run.record()).toMatchObject({ state: 'failed', outcomes: { unconfirmed: 2, skipped: 0 } });
  });

  it('is not said to have changed nothing when the file is gone by then', async () => {
    const run = await checkedRun();
    run.hub.creates.push('lostBefore');
    expect(await run.start()).toMatchObject({ status: 'wait' });
    const { container, blobName } = (await run.record()).drop;
    await run.context.storage.container(container).deleteBlob(blobName);
    expect(await run.start()).toEqual({ status: 'ended' });
    const { error, outcomes } = await run.record();
    expect(outcomes).toMatchObject({ unconfirmed: 2 });
    expect(error).toMatchObject({
      code: 'dropDeleted',
      action: expect.stringContaining('A job may have been started'),
    });
  });

  it('is not taken for done when somebody else started a job that ended otherwise', async () => {
    const run = await checkedRun();
    run.hub.creates.push('lostReply');
    await run.start();
    run.hub.jobs.unshift({ jobId: 'theirs', type: 'import', status: 'completed', progress: 100 });
    run.hub.end('ours-1', 'failed');
    await run.log('');
    expect(await run.start()).toEqual({ status: 'started' });
    await watchJob(run.context, { runId: run.runId, kind: 'import' });
    await settleRun(run.context, { runId: run.runId });
    expect(await run.record()).toMatchObject({
      state: 'completedWithFailures',
      outcomes: { unconfirmed: 2, succeeded: 0 },
    });
  });

  it('keeps a late attempt from starting the job of a run that was ended', async () => {
    const run = await checkedRun();
    await run.context.runs.update(run.runId, (record) => ({ ...record, cancelRequestedAt: 'now' }));
    const late = await run.record();
    expect(await run.start()).toEqual({ status: 'ended' });
    expect(await run.record()).toMatchObject({ state: 'cancelled', outcomes: { skipped: 2 } });
    // As an attempt that read the record before the cancel: the record alone would let it go on.
    const { cancelRequestedAt: _, ...before } = late;
    const runs = { ...run.context.runs, read: async () => before as RunRecord };
    await startJob({ ...run.context, runs }, { runId: run.runId, kind: 'import' });
    expect(run.hub.created).toEqual([]);
  });
});

describe('a cancel', () => {
  it('that comes before the import ends an export that another attempt has started', async () => {
    const run = await checkedRun();
    run.hub.jobs.push({ jobId: 'export-1', type: 'export', status: 'running', progress: 0 });
    const exportJob = { jobId: 'export-1', status: 'running', progress: 0, createdAt: 'now', deadline: '2099-01-01' };
    await run.context.runs.update(run.runId, (record) => ({
      ...withJob(record, 'export', exportJob),
      cancelRequestedAt: 'now',
    }));
    expect(await startJob(run.context, { runId: run.runId, kind: 'export' })).toEqual({ status: 'ended' });
    expect(await run.record()).toMatchObject({ state: 'cancelled', outcomes: { skipped: 2 } });
    expect(await run.hub.getJob('export-1')).toMatchObject({ status: 'cancelled' });
  });

  it('that comes between the create and its note cancels the job, and does not call its lines skipped', async () => {
    const run = await checkedRun();
    const { runs } = run.context;
    let updates = 0;
    const update: typeof runs.update = (...given) =>
      ++updates === 1 ? runs.update(...given) : Promise.reject(new Error('killed'));
    const dying = { ...run.context, runs: { ...runs, update } };
    await expect(startJob(dying, { runId: run.runId, kind: 'import' })).rejects.toThrow('killed');
    expect(run.hub.created).toHaveLength(1);
    await runs.update(run.runId, (record) => ({ ...record, cancelRequestedAt: 'now' }));
    expect(await run.start()).toEqual({ status: 'started' });
    expect(await watchJob(run.context, { runId: run.runId, kind: 'import' })).toEqual({ ended: true });
    await settleRun(run.context, { runId: run.runId });
    expect(run.hub.created).toHaveLength(1);
    expect(await run.record()).toMatchObject({
      state: 'cancelled',
      jobs: { import: { status: 'cancelled' } },
      outcomes: { unconfirmed: 2 },
    });
  });

  it.each([
    ['before the create', () => Promise.reject(new Error('killed')), 'killed'],
    ['while the fate of the create is not known', undefined, undefined],
  ])('that comes %s lets nothing be sent any more', async (_when, update, killed) => {
    const run = await checkedRun();
    const { runs } = run.context;
    run.hub.creates.push('lostBefore');
    const context = { ...run.context, runs: { ...runs, ...(update && { update }) } };
    const started = startJob(context, { runId: run.runId, kind: 'import' });
    if (killed === undefined) expect(await started).toMatchObject({ status: 'wait' });
    else await expect(started).rejects.toThrow(killed);
    run.hub.creates.length = 0;
    await runs.update(run.runId, (record) => ({ ...record, cancelRequestedAt: 'now' }));
    // It may come to light for a while.
    expect(await run.start()).toMatchObject({ status: 'wait' });
    run.context.advance(3 * 60_000);
    expect(await run.start()).toEqual({ status: 'ended' });
    expect(run.hub.created).toEqual([]);
    expect(await run.record()).toMatchObject({ state: 'cancelled', outcomes: { unconfirmed: 2 } });
  });

  it('of a run that is started again after its import was sent cancels the job, and settles its lines from what that did', async () => {
    const run = await checkedRun();
    await run.start();
    await run.context.runs.update(run.runId, (record) => ({ ...record, cancelRequestedAt: 'now' }));
    expect(await readOptions(run.context, { runId: run.runId })).toMatchObject({ status: 'ready' });
    expect(await checkFile(run.context, { runId: run.runId })).toEqual({ next: 'job' });
    expect(await run.start()).toEqual({ status: 'started' });
    expect(await watchJob(run.context, { runId: run.runId, kind: 'import' })).toEqual({ ended: true });
    expect(await run.hub.getJob('ours-1')).toMatchObject({ status: 'cancelled' });
  });

  it('whose event was lost is found by the watch', async () => {
    const run = await checkedRun();
    await run.start();
    await run.context.runs.update(run.runId, (record) => ({ ...record, cancelRequestedAt: 'now' }));
    expect(await watchJob(run.context, { runId: run.runId, kind: 'import' })).toEqual({ ended: true });
    expect(await run.hub.getJob('ours-1')).toMatchObject({ status: 'cancelled' });
  });

  it('that the hub refuses leaves the run watching its job', async () => {
    const run = await checkedRun();
    await run.start();
    run.hub.cancelling = hubError('ServerError', { retryable: true });
    await run.context.runs.update(run.runId, (record) => ({ ...record, cancelRequestedAt: 'now' }));
    expect(await watchJob(run.context, { runId: run.runId, kind: 'import' })).toMatchObject({ ended: false });
    run.hub.end('ours-1', 'completed');
    expect(await watchJob(run.context, { runId: run.runId, kind: 'import' })).toEqual({ ended: true });
  });
});

describe('waiting for the hub', () => {
  it('while it is busy uses up none of the time for trouble', async () => {
    const run = await checkedRun({ retryminutes: '60' });
    run.hub.creates.push('busy');
    expect(await run.start()).toMatchObject({ status: 'wait' });
    run.context.advance(90 * 60_000);
    run.hub.creates.push('refused');
    expect(await run.start()).toMatchObject({ status: 'wait' });
    expect(await run.start()).toEqual({ status: 'started' });
  });

  it('in trouble ends when its time is over, with everything skipped because nothing was sent', async () => {
    const run = await checkedRun({ retryminutes: '1' });
    run.hub.creates.push('refused', 'refused');
    expect(await run.start()).toMatchObject({ status: 'wait' });
    run.context.advance(2 * 60_000);
    expect(await run.start()).toEqual({ status: 'ended' });
    expect(await run.record()).toMatchObject({ state: 'failed', outcomes: { skipped: 2 } });
  });

  it('gives it no more rights on the input than to read it', async () => {
    const run = await checkedRun();
    await run.start();
    const rights = (uri: string | undefined) => new URL(uri ?? '').searchParams.get('sp');
    expect(rights(run.hub.created[0]?.inputBlobContainerUri)).toBe('r');
    expect(rights(run.hub.created[0]?.outputBlobContainerUri)).toBe('rwd');
  });
});

describe('settling', () => {
  const cases: {
    name: string;
    status: string;
    log: string | undefined;
    outcomes: Record<string, number>;
    state: string;
  }[] = [
    { name: 'a clean log', status: 'completed', log: '', outcomes: { succeeded: 2 }, state: 'completed' },
    {
      name: 'a delete of what is not there',
      status: 'completed',
      log: '{"deviceId":"d2","errorCode":404001,"errorStatus":"x"}\n',
      outcomes: { succeeded: 1, unchanged: 1, failed: 0 },
      state: 'completed',
    },
    {
      name: 'a create of what is there',
      status: 'completed',
      log: '{"deviceId":"d1","errorCode":409001,"errorStatus":"x"}\r\n',
      outcomes: { succeeded: 1, failed: 1 },
      state: 'completedWithFailures',
    },
    {
      name: 'an error that names nobody',
      status: 'completed',
      log: '{"errorCode":500001,"errorStatus":"x"}\n{"deviceId":"d1","errorCode":409001,"errorStatus":"x"}\n',
      outcomes: { unconfirmed: 1, failed: 1, succeeded: 0 },
      state: 'completedWithFailures',
    },
    {
      name: 'no log',
      status: 'completed',
      log: undefined,
      outcomes: { unconfirmed: 2, succeeded: 0 },
      state: 'completedWithFailures',
    },
    {
      name: 'a failed job',
      status: 'failed',
      log: '',
      outcomes: { unconfirmed: 2, succeeded: 0 },
      state: 'completedWithFailures',
    },
    {
      name: 'a job that the hub forgot',
      status: 'gone',
      log: '',
      outcomes: { unconfirmed: 2, succeeded: 0 },
      state: 'completedWithFailures',
    },
  ];
  it.each(cases)('with $name', async ({ status, log, outcomes, state }) => {
    const run = await checkedRun();
    await run.start();
    if (log !== undefined) await run.log(log);
    if (status === 'gone') run.hub.jobs.length = 0;
    else run.hub.end('ours-1', status);
    expect(await watchJob(run.context, { runId: run.runId, kind: 'import' })).toEqual({ ended: true });
    expect(await settleRun(run.context, { runId: run.runId })).toEqual({ state });
    expect(await run.record()).toMatchObject({ state, outcomes });
  });

  it('does not begin while the job can still change something', async () => {
    const run = await checkedRun();
    await run.start();
    await run.log('');
    expect(await followUp(run.context, { runId: run.runId })).toEqual({ do: 'notEnded' });
    expect(await run.record()).toMatchObject({ state: 'running' });
  });

  it('after the deadline of a job that never ends calls its lines unconfirmed', async () => {
    const run = await checkedRun();
    await run.start();
    await run.log('');
    run.hub.cancelling = hubError('ServerError');
    run.context.advance(2 * 3_600_000 - 60_000);
    expect(await watchJob(run.context, { runId: run.runId, kind: 'import' })).toMatchObject({ ended: false });
    run.context.advance(120_000);
    expect(await watchJob(run.context, { runId: run.runId, kind: 'import' })).toEqual({ ended: true });
    await settleRun(run.context, { runId: run.runId });
    expect(await run.record()).toMatchObject({ outcomes: { unconfirmed: 2 } });
  });
});

describe('a run whose steps failed again and again', () => {
  it.each([
    { sent: false, outcomes: { skipped: 2, unconfirmed: 0 } },
    { sent: true, outcomes: { skipped: 0, unconfirmed: 2 } },
  ])('tells the fate of every line (job started: $sent)', async ({ sent, outcomes }) => {
    const run = await checkedRun();
    if (sent) await run.start();
    await endFailed(run.context, { runId: run.runId, message: 'storage was away' });
    expect(await run.record()).toMatchObject({ state: 'failed', error: { code: 'stepFailed' }, outcomes });
  });
});
