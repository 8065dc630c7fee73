import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkFile } from '../../../../src/lib/provisioning/steps/checkFile.ts';
import { readOptions } from '../../../../src/lib/provisioning/steps/readOptions.ts';
import { watchJob } from '../../../../src/lib/provisioning/steps/watchJob.ts';
import { type Azurite, startAzurite } from '../../../helpers/azurite.ts';
import { checkedRun as checkedRunOn, hubError } from '../../../helpers/jobHub.ts';

let azurite: Azurite;
beforeAll(async () => {
  azurite = await startAzurite();
});
afterAll(() => azurite.stop());

const checkedRun = (metadata?: Record<string, string>) => checkedRunOn(azurite.connectionString, metadata);

describe('a cancel', () => {
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
