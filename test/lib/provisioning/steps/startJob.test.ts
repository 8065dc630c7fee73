import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ProvisionRun } from '../../../../src/lib/provisioning/run/provisionRun.ts';
import { withJob } from '../../../../src/lib/provisioning/run/provisionRun.ts';
import { settleRun } from '../../../../src/lib/provisioning/steps/settleRun.ts';
import { startJob } from '../../../../src/lib/provisioning/steps/startJob.ts';
import { watchJob } from '../../../../src/lib/provisioning/steps/watchJob.ts';
import { type Azurite, startAzurite } from '../../../helpers/azurite.ts';
import { checkedRun as checkedRunOn, hubError } from '../../../helpers/jobHub.ts';

let azurite: Azurite;
beforeAll(async () => {
  azurite = await startAzurite();
});
afterAll(() => azurite.stop());

const checkedRun = (metadata?: Record<string, string>) => checkedRunOn(azurite.connectionString, metadata);

describe('a run that is suspended or cancelled', () => {
  const at = '2026-11-20T10:00:00.000Z';

  it.each([
    ['was suspended before the step', 'before', { suspendedAt: at }, undefined],
    ['is suspended right before the create', 'during', { suspendedAt: at }, undefined],
    ['is cancelled right before the create', 'during', { cancelRequestedAt: at }, 'cancelled'],
    ['has ended by another attempt right before the create', 'during', { state: 'failed' }, 'failed'],
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
    const runs = { ...run.context.runs, read: async () => before as ProvisionRun };
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
