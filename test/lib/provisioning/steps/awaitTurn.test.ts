import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { RunInstances } from '../../../../src/lib/hubJobs/askAgain.ts';
import { CHECK_BLOB } from '../../../../src/lib/provisioning/check/checkResult.ts';
import { exportJobBlob, IMPORT_JOB_BLOB } from '../../../../src/lib/provisioning/run/jobBlobs.ts';
import { DEFAULT_OPTIONS } from '../../../../src/lib/provisioning/run/options.ts';
import type { ProvisionRun } from '../../../../src/lib/provisioning/run/provisionRun.ts';
import { awaitTurn } from '../../../../src/lib/provisioning/steps/awaitTurn.ts';
import { startJob } from '../../../../src/lib/provisioning/steps/startJob.ts';
import { HubError, type ImportExportJob, type RegistryClient } from '../../../../src/lib/registry/index.ts';
import { stagingOf } from '../../../../src/lib/runs/runContainer.ts';
import { writeJson } from '../../../../src/lib/storage/jsonBlob.ts';
import { type Azurite, startAzurite } from '../../../helpers/azurite.ts';
import { type TestContext, testContext } from '../../../helpers/provisioningContext.ts';

let azurite: Azurite;
let context: TestContext;
let runs = 0;
/** What the hub says of any job; an error is thrown. */
let hubJob: Pick<ImportExportJob, 'status'> | HubError | undefined;
let asked: string[] = [];

const hub = {
  getJob: async (jobId: string) => {
    asked.push(jobId);
    if (hubJob instanceof HubError) throw hubJob;
    return hubJob;
  },
  listJobs: async () => {
    throw new HubError({
      kind: 'network',
      code: 'networkError',
      message: 'not there',
      retryable: true,
      outcomeUnknown: false,
    });
  },
} as unknown as RegistryClient;

beforeAll(async () => {
  azurite = await startAzurite();
});
afterAll(() => azurite.stop());
beforeEach(() => {
  context = testContext(azurite.connectionString, { hub, environment: { TURN_TIMEOUT_HOURS: '2' } });
  hubJob = undefined;
  asked = [];
});

const job = { jobId: 'j1', createdAt: '2026-11-20T10:00:00.000Z', deadline: '2026-11-20T12:00:00.000Z' };
const nobody: RunInstances = { stateOf: async () => 'gone' };

/** A run that stands in the queue, with a record and a staging container. */
async function run(change: Partial<ProvisionRun> = {}, importState?: unknown, exportState?: unknown): Promise<string> {
  const runId = (++runs).toString(16).padStart(20, '0');
  const at = context.now().toISOString();
  await context.runs.create({
    version: 2,
    jobs: {},
    runId,
    kind: 'provision',
    hub: 'default',
    batch: '_',
    drop: { account: 'a', container: 'c', blobName: 'devices.txt', etag: '1', size: 1, lastModified: at },
    state: 'running',
    phase: 'turn',
    createdAt: at,
    updatedAt: at,
    ...change,
  });
  await stagingOf(context, runId).create();
  const note = (name: string, state: unknown) =>
    state === undefined ? undefined : writeJson(stagingOf(context, runId).getBlockBlobClient(name), state);
  await note(IMPORT_JOB_BLOB, importState);
  await note(exportJobBlob('1.2'), exportState);
  return runId;
}

const read = async (runId: string): Promise<ProvisionRun | undefined> => context.runs.read(runId);

describe('a look around while a run waits for its turn', () => {
  it('writes the record only when its place has changed, and keeps since when it waits', async () => {
    const runId = await run();
    expect(await awaitTurn(context, nobody, { runId, position: 2 })).toEqual({
      status: 'wait',
      next: { seconds: 3, standing: { position: 2, since: expect.any(Number) } },
    });
    const first = await read(runId);
    expect(first?.waiting).toMatchObject({ reason: 'waiting for its turn: 2 runs are ahead', position: 2 });
    context.advance(60_000);
    await awaitTurn(context, nobody, { runId, position: 2 });
    expect(await read(runId)).toEqual(first);
    await awaitTurn(context, nobody, { runId, position: 1 });
    expect((await read(runId))?.waiting).toEqual({
      since: first?.waiting?.since,
      kind: 'turn',
      reason: 'waiting for its turn: 1 run is ahead',
      position: 1,
    });
  });

  it('ends a run that has waited longer than TURN_TIMEOUT_HOURS, with the reason', async () => {
    const runId = await run();
    await awaitTurn(context, nobody, { runId, position: 1 });
    context.advance(2 * 3_600_000 - 10_000);
    expect(await awaitTurn(context, nobody, { runId, position: 1 })).toMatchObject({ status: 'wait' });
    context.advance(20_000);
    expect(await awaitTurn(context, nobody, { runId, position: 1 })).toEqual({ status: 'ended' });
    const record = await read(runId);
    expect(record).toMatchObject({ state: 'failed', error: { code: 'turnTimeout' } });
    expect(record?.error?.message).toContain('for 2 hours; 1 run is ahead');
    expect(record?.waiting).toBeUndefined();
    expect(await awaitTurn(context, nobody, { runId, position: 1 })).toEqual({ status: 'ended' });
  });

  it('does not count what it waited for before: not the hub against the turn, not the turn against the hub', async () => {
    const waiting = { since: '2020-01-01T00:00:00.000Z', kind: 'busy', reason: 'the hub is busy' } as const;
    const runId = await run({ waiting });
    expect(await awaitTurn(context, nobody, { runId, position: 1 })).toMatchObject({ status: 'wait' });
    expect(Date.parse((await read(runId))?.waiting?.since ?? '')).toBeGreaterThan(Date.parse('2026-01-01'));

    const options = { ...DEFAULT_OPTIONS, importMode: 'create' } as const;
    const other = await run({
      waiting: { ...waiting, kind: 'turn', position: 1 },
      options: { ...options, retryMinutes: 1 },
    });
    const check = { attempt: 'x', counts: { byMode: { create: 1 } }, accepted: 1, incomplete: 0 };
    await writeJson(stagingOf(context, other).getBlockBlobClient(CHECK_BLOB), check);
    expect(await startJob(context, { runId: other, kind: 'import' })).toMatchObject({ status: 'wait' });
    expect((await read(other))?.waiting).toMatchObject({ kind: 'trouble' });
    expect((await read(other))?.waiting?.position).toBeUndefined();
  });

  it('ends a run that was cancelled', async () => {
    const runId = await run({ cancelRequestedAt: '2026-11-20T10:00:00.000Z' });
    expect(await awaitTurn(context, nobody, { runId, position: 3 })).toEqual({ status: 'ended' });
    expect(await read(runId)).toMatchObject({ state: 'cancelled' });
  });

  it('says so when the job of the run was started long ago, and lets no run go whose job may have been', async () => {
    const cancelRequestedAt = '2026-11-20T10:00:00.000Z';
    const started = await run({ cancelRequestedAt }, { intent: { at: 'x', knownJobIds: [] }, job });
    expect(await awaitTurn(context, nobody, { runId: started, position: 1 })).toEqual({ status: 'jobStarted' });
    expect(await read(started)).toMatchObject({
      state: 'running',
      phase: 'job',
      jobs: { import: { ...job, status: 'enqueued' } },
    });

    const unsure = await run({ cancelRequestedAt }, { intent: { at: 'x', knownJobIds: [] } });
    expect(await awaitTurn(context, nobody, { runId: unsure, position: 1 })).toMatchObject({ status: 'wait' });
    expect(await read(unsure)).toMatchObject({ state: 'running' });
  });
});

describe('a silent holder', () => {
  const running = { ...job, status: 'running', progress: 5 };
  const hubTrouble = new HubError({
    kind: 'network',
    code: 'networkError',
    message: 'not there',
    retryable: true,
    outcomeUnknown: false,
  });
  const cases: {
    what: string;
    instance: 'live' | 'suspended' | 'gone';
    record?: Partial<ProvisionRun>;
    staged?: unknown;
    exported?: unknown;
    hub?: typeof hubJob;
    evict: boolean;
  }[] = [
    { what: 'whose instance lives', instance: 'live', evict: false },
    { what: 'whose instance is gone, without a job', instance: 'gone', evict: true },
    { what: 'that is suspended, without a job', instance: 'suspended', evict: true },
    {
      what: 'that was suspended in its record alone, without a job',
      instance: 'live',
      record: { suspendedAt: '2026-11-20T10:00:00.000Z' },
      evict: true,
    },
    {
      what: 'that was suspended in its record alone while its job runs',
      instance: 'live',
      record: { suspendedAt: '2026-11-20T10:00:00.000Z', jobs: { import: running } },
      hub: { status: 'running' },
      evict: false,
    },
    { what: 'that has ended and did not leave', instance: 'gone', record: { state: 'failed' }, evict: true },
    {
      what: 'whose job has ended',
      instance: 'gone',
      record: { jobs: { import: { ...running, status: 'completed' } } },
      evict: true,
    },
    {
      what: 'whose job runs on the hub',
      instance: 'gone',
      record: { jobs: { import: running } },
      hub: { status: 'running' },
      evict: false,
    },
    {
      what: 'that is suspended while its job runs',
      instance: 'suspended',
      record: { jobs: { import: running } },
      hub: { status: 'running' },
      evict: false,
    },
    {
      what: 'whose job has ended on the hub only',
      instance: 'gone',
      record: { jobs: { import: running } },
      hub: { status: 'failed' },
      evict: true,
    },
    {
      what: 'whose job the hub does not know any more',
      instance: 'gone',
      record: { jobs: { import: running } },
      evict: true,
    },
    {
      what: 'whose job runs and never got into the record',
      instance: 'gone',
      staged: { job },
      hub: { status: 'enqueued' },
      evict: false,
    },
    {
      what: 'whose export runs, before its import',
      instance: 'gone',
      record: { jobs: { export: running } },
      hub: { status: 'running' },
      evict: false,
    },
    {
      what: 'whose export runs and never got into the record',
      instance: 'gone',
      staged: { fence: '1.2' },
      exported: { job },
      hub: { status: 'running' },
      evict: false,
    },
    {
      what: 'whose record still has the export of an earlier epoch',
      instance: 'gone',
      record: { jobs: { export: { ...running, jobId: 'old', epoch: '1.1' } } },
      staged: { round: '1.2' },
      exported: { job },
      hub: { status: 'completed' },
      evict: true,
    },
    {
      what: 'that failed while its job runs',
      instance: 'gone',
      record: { state: 'failed', jobs: { import: running } },
      hub: { status: 'running' },
      evict: false,
    },
    {
      what: 'whose job cannot be asked for',
      instance: 'gone',
      record: { jobs: { import: running } },
      hub: hubTrouble,
      evict: false,
    },
  ];

  it.each(cases)('$what is evicted: $evict', async ({ instance, record, staged, exported, hub: says, evict }) => {
    const holder = await run(record, staged, exported);
    const runId = await run();
    hubJob = says;
    const instances: RunInstances = { stateOf: async (id) => (id === holder ? instance : 'live') };
    const reply = await awaitTurn(context, instances, { runId, position: 1, silentHolder: holder });
    expect(reply).toMatchObject({ status: 'wait', next: { standing: { position: 1 } } });
    expect('next' in reply ? reply.next.evict : reply).toBe(evict ? holder : undefined);
    if (says !== undefined) expect(asked).toEqual(['j1']);
  });
});
