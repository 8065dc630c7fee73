import { beforeEach, describe, expect, it } from 'vitest';

import type { ImportExportJob, RegistryClient } from '../../../src/lib/registry/index.ts';
import type { Snapshot } from '../../../src/lib/registryLines/snapshot.ts';
import { exportStages } from '../../../src/lib/work/exportStages.ts';
import type { StageReply } from '../../../src/lib/work/stage.ts';
import { startWork } from '../../../src/lib/work/startWork.ts';
import type { WorkContext, WorkRun } from '../../../src/lib/work/workRun.ts';
import { startAzurite } from '../../helpers/azurite.ts';
import { workContext } from '../../helpers/inProcessRun.ts';
import { hubError } from '../../helpers/jobHub.ts';
import { countingStarter, type TestContext, testContext } from '../../helpers/provisioningContext.ts';

const HOUR_MS = 60 * 60_000;

let context: TestContext;
let work: WorkContext;
let runId: string;
let getJob: () => Promise<ImportExportJob>;

beforeEach(async () => {
  const { connectionString } = await startAzurite();
  const hub = { getJob: () => getJob(), cancelJob: async () => undefined } as unknown as RegistryClient;
  context = testContext(connectionString, { hub });
  work = workContext(context);
  runId = (await startWork(work, countingStarter(), { kind: 'plan', hub: 'default', request: {} })).runId;
  const createdAt = context.now().toISOString();
  const deadline = new Date(context.now().getTime() + HOUR_MS).toISOString();
  const job = { jobId: 'j', status: 'enqueued', progress: 0, createdAt, deadline };
  await work.runs.update(runId, (run) => ({ ...run, jobs: { export: job } }));
});

const record = async () => (await work.runs.read(runId)) as WorkRun;

async function watch(run?: WorkRun): Promise<StageReply | undefined> {
  const stages = exportStages({ keys: () => 'included', next: 'then' });
  const input = { runId, attempt: 1, stage: 'exportWatch', since: 1 };
  return stages['exportWatch']?.work(work, run ?? (await record()), input);
}

const seen = (status: string) => ({ jobId: 'j', status, progress: 50 }) as unknown as ImportExportJob;

describe('an export job', () => {
  it('is watched for as long as the hub does not answer, until its deadline', async () => {
    getJob = () => Promise.reject(hubError('Unauthorized'));
    expect(await watch()).toMatchObject({ wait: expect.any(Number) });
    expect(await record()).toMatchObject({ waiting: { kind: 'trouble' } });
    context.advance(HOUR_MS + 1);
    expect(await watch()).toMatchObject({ end: 'failed', error: { code: 'exportOverdue' } });
  });

  it('that has ended stays so, whatever an attempt tells that looked at it before', async () => {
    const late = await record();
    getJob = async () => seen('completed');
    expect(await watch()).toMatchObject({ go: 'exportAdopt' });
    getJob = async () => seen('running');
    await watch(late);
    expect((await record()).jobs.export).toMatchObject({ status: 'completed' });
  });

  it('whose snapshot has been taken is watched no more, and ends no run that goes on with it', async () => {
    const late = await record();
    context.advance(HOUR_MS + 1);
    await work.runs.update(runId, (run) => ({ ...run, snapshots: { export: {} as Snapshot } }));
    expect(await watch()).toMatchObject({ go: 'then' });
    getJob = () => Promise.reject(hubError('Unauthorized'));
    const reply = await watch(late);
    expect(reply).toMatchObject({ end: 'failed' });
    expect(reply !== undefined && 'unless' in reply && reply.unless?.(await record())).toBe(true);
  });
});
