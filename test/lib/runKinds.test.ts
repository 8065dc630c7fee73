/** Runs of records of version 1, as that version left them: one that has ended never runs again, one in flight goes on. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';

import type { ContainerClient } from '@azure/storage-blob';
import { parse } from 'csv-parse/sync';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';

import { startHub } from '../../local/hub/index.ts';
import { patchOf } from '../../src/lib/provisioning/again/lineReplies.ts';
import type { ChunkState } from '../../src/lib/provisioning/again/waves.ts';
import { startRunOfDrop } from '../../src/lib/provisioning/drop/startRun.ts';
import type { ProvisionRun } from '../../src/lib/provisioning/run/provisionRun.ts';
import { createRegistryClient, parseHubConnection, type RegistryClient } from '../../src/lib/registry/index.ts';
import { isFinal } from '../../src/lib/runs/runRecord.ts';
import { containerUriWithSas } from '../../src/lib/storage/containerSas.ts';
import { readText } from '../../src/lib/storage/readText.ts';
import { RUNS_CONTAINER } from '../../src/lib/storage/storage.ts';
import { runCli } from '../cli/runCli.ts';
import { type Azurite, startAzurite } from '../helpers/azurite.ts';
import { runInProcess } from '../helpers/inProcessRun.ts';
import { oldRuns, putOldRun } from '../helpers/oldRecords.ts';
import { countingStarter, sweepAll, type TestContext, testContext } from '../helpers/provisioningContext.ts';
import { readRegistry } from '../scenarios/readRegistry.ts';
import { judge } from '../scenarios/registryOracle.ts';

const isInFlight = (name: string) => name.startsWith('in-flight');
const ENDED = oldRuns('v1').filter((name) => !isInFlight(name));
const IN_FLIGHT = oldRuns('v1').filter(isInFlight);

let azurite: Azurite;
let boxes = 0;
beforeAll(async () => {
  azurite = await startAzurite();
});
afterAll(() => azurite.stop());

/** Storage with a drop box of its own, and no record. */
async function emptyContext(hub?: RegistryClient): Promise<TestContext> {
  const environment = { PROVISION_CONTAINER: `old${++boxes}` };
  const context = testContext(azurite.connectionString, { environment, ...(hub === undefined ? {} : { hub }) });
  await context.storage.container(context.settings.provisionContainer).create();
  for await (const { runId } of context.runs.ids()) {
    await context.storage.container(RUNS_CONTAINER).deleteBlob(`${runId}.json`);
  }
  return context;
}

async function recordOf(context: TestContext, runId: string): Promise<ProvisionRun> {
  const record = await context.runs.read(runId);
  if (record === undefined) throw new Error('The record is gone.');
  return record;
}

it('there are such of every state that a run ends in', () => {
  const states = new Set(ENDED.map((name) => name.split('-')[0]));
  expect(states).toEqual(new Set(['completed', 'completedWithFailures', 'refused', 'cancelled', 'failed', 'stale']));
});

describe('a run that an earlier version has ended', () => {
  let context: TestContext;
  beforeEach(async () => {
    context = await emptyContext();
  });

  it.each(ENDED)('(%s) is never run again, and its record stays as it is', async (name) => {
    const { runId, blobName, text } = await putOldRun(context, `v1/${name}`);
    context.advance(3_600_000);
    const starter = countingStarter();
    expect(await startRunOfDrop(context, starter, blobName)).toEqual({ started: false, reason: 'final', runId });
    expect(await sweepAll(context, starter)).toMatchObject({ started: [], restarted: [] });
    await context.runs.update(runId, (record) => ({ ...record, state: 'running' }));
    expect(starter.starts).toEqual([]);
    const stored = await readText(context.storage.container(RUNS_CONTAINER).getBlockBlobClient(`${runId}.json`));
    expect(stored.text).toBe(text);
    expect((await recordOf(context, runId)).state).toBe(name.split('-')[0]);
  });

  it('keeps what it says of its jobs, its pre-image and its calls', async () => {
    const { runId } = await putOldRun(context, 'v1/completedWithFailures-exports');
    const { jobs, preImage } = await recordOf(context, runId);
    expect(jobs).toMatchObject({ export: { epoch: '1.1', status: 'completed' }, import: {}, verify: {} });
    expect(preImage).toMatchObject({ epoch: '1.1' });
    const second = await putOldRun(context, 'v1/completed-second-job');
    expect((await recordOf(context, second.runId)).jobs).toMatchObject({ import: {}, retry: {}, parents: {} });
    const calls = await putOldRun(context, 'v1/completedWithFailures');
    expect(await recordOf(context, calls.runId)).toMatchObject({ progress: { part: 'removals', lines: 2, left: 0 } });
  });
});

it('records of an earlier version are shown by the command line and over HTTP', async () => {
  const context = await emptyContext();
  const environment = { HUBKEEPER_STORAGE: azurite.connectionString };
  vi.stubEnv('HUBKEEPER_STORAGE', azurite.connectionString);
  vi.stubEnv('IOTHUB', 'HostName=127.0.0.1:1;SharedAccessKeyName=n;SharedAccessKey=bm8=;UseDevelopmentEmulator=true');
  const { runOnHttp } = await import('../../src/handlers/runOnHttp.ts');
  const shown = new Map<string, unknown>();
  for (const name of oldRuns('v1')) {
    const { runId } = await putOldRun(context, `v1/${name}`);
    const reply = await runOnHttp({ params: { runId } } as unknown as Parameters<typeof runOnHttp>[0]);
    expect(reply.jsonBody).toMatchObject({ runId, version: 2, state: (await recordOf(context, runId)).state });
    shown.set(runId, reply.jsonBody);
  }
  const listed = JSON.parse((await runCli(['runs', '--json', '--limit', '100'], environment)).stdout) as readonly {
    readonly runId: string;
  }[];
  expect(new Map(listed.map((record) => [record.runId, record]))).toEqual(shown);
  for (const name of ['completed', 'completed-second-job', 'in-flight-parents']) {
    const { runId } = await putOldRun(context, `v1/${name}`);
    const { stdout, stderr } = await runCli(['run', runId], environment);
    expect([stdout, stderr]).toEqual([expect.stringMatching(/job +[0-9a-f-]{36}, completed/), '']);
  }
}, 120_000);

const BEFORE = ['known', 'kept', 'gone', 'busy', 'odd'].map((id) => ({
  id,
  importMode: 'create',
  authentication: { type: 'certificateAuthority' },
  status: 'disabled',
  statusReason: 'as it was',
  tags: { old: true },
}));

/** What the hub did to the lines of these runs, and does once more. */
const FAULTS = [
  { operation: 'importLine', code: 'ThrottlingException', ids: ['busy', 'busy-new'] },
  { operation: 'importLine', code: 'ServerError', ids: ['odd'] },
  { operation: 'bulkItem', code: 'ArgumentInvalid', ids: ['odd'] },
];

describe('a run that an earlier version has left in flight', () => {
  it.each(IN_FLIGHT)(
    '(%s) is started by the sweep and comes to its end with the truth, and sends no second import',
    async (name) => {
      const data = await mkdtemp(join(tmpdir(), 'old-'));
      const hub = await startHub({ data: join(data, 'hub'), jobEnqueueMs: 0 });
      try {
        const client = createRegistryClient(parseHubConnection(hub.connectionString), { retryDelayMs: 5 });
        await client.bulk(BEFORE as Parameters<typeof client.bulk>[0]);
        const before = readRegistry(data);
        await fetch(`${hub.adminUrl}/faults`, { method: 'POST', body: JSON.stringify(FAULTS) });
        const context = await emptyContext(client);
        const put = await putOldRun(context, `v1/${name}`);
        const left = await recordOf(context, put.runId);
        const wasSent = left.jobs.import !== undefined || left.importSentAt !== undefined;
        if (wasSent) await importAsBefore(context, client, put.runId);

        const importsBefore = await importsOf(hub.adminUrl);
        context.advance(60_000);
        const starter = countingStarter();
        expect(await sweepAll(context, starter)).toMatchObject({ started: [], restarted: [put.runId] });
        const { failures } = await runInProcess(context, put.runId, async () => undefined);
        expect(failures).toEqual([]);

        const record = await recordOf(context, put.runId);
        expect(isFinal(record.state)).toBe(true);
        expect((await importsOf(hub.adminUrl)) - importsBefore).toBe(wasSent || record.options?.dryRun ? 0 : 1);
        if (record.report?.csv === undefined) throw new Error('There is no report.');
        const report = context.storage.container(record.report.container).getBlockBlobClient(record.report.csv);
        const rows: Parameters<typeof judge>[0]['rows'] = parse((await readText(report)).text, { columns: true });
        const file = (await readText(context.storage.container(record.drop.container).getBlockBlobClient(put.blobName)))
          .text;
        expect(judge({ before, after: readRegistry(data), file, rows }).contradictions).toEqual([]);
      } finally {
        await hub.close();
        await rm(data, { recursive: true, force: true });
      }
    },
    60_000,
  );
});

async function importsOf(adminUrl: string): Promise<number> {
  const state = (await (await fetch(`${adminUrl}/state`)).json()) as { jobs: { importsCreated: number } };
  return state.jobs.importsCreated;
}

/** Has the hub of this test do the import that the hub of the run had done, or was about to do, under the id it has now. */
async function importAsBefore(context: TestContext, client: RegistryClient, runId: string): Promise<void> {
  const staging = context.storage.runContainer(runId);
  const inputs: string[] = [];
  if (!(await staging.exists())) return;
  for await (const { name } of staging.listBlobsFlat()) if (/^filled-.*\.txt$/.test(name)) inputs.push(name);
  const [inputBlobName] = inputs;
  if (inputBlobName === undefined) return;
  const expiresOn = new Date(Date.now() + 3_600_000);
  const uri = await containerUriWithSas(context.storage, staging, { permissions: 'rwd', now: new Date(), expiresOn });
  const created = await client.createImportJob({
    inputBlobContainerUri: uri,
    inputBlobName,
    outputBlobContainerUri: uri,
    storageAuthenticationType: 'keyBased',
  });
  for (let job = created; job.status !== 'completed'; job = (await client.getJob(created.jobId)) ?? created) {
    await setTimeout(20);
  }
  for await (const { name } of staging.listBlobsFlat({ prefix: 'round-' })) {
    if (name.endsWith('.txt')) await callAsBefore(staging, client, name);
  }
  const record = JSON.parse(await textOf(context, runId)) as { readonly job?: { readonly jobId: string } };
  if (record.job === undefined) return;
  const blobs = [staging.getBlockBlobClient('job.json'), recordBlob(context, runId)];
  for (const blob of blobs) {
    const { metadata = {} } = await blob.getProperties();
    const text = (await readText(blob)).text.replaceAll(record.job.jobId, created.jobId);
    await blob.upload(text, Buffer.byteLength(text), { metadata });
  }
}

/** The same of calls: of the lines of a chunk, those that have succeeded by its state. */
async function callAsBefore(staging: ContainerClient, client: RegistryClient, chunk: string): Promise<void> {
  const read = async (name: string) => (await readText(staging.getBlockBlobClient(name))).text;
  const { lines } = JSON.parse(await read(chunk.replace(/txt$/, 'json'))) as ChunkState;
  for (const [index, text] of (await read(chunk)).trim().split('\n').entries()) {
    if (lines[index]?.is !== 'succeeded') continue;
    // ETags and scopes are those of another hub.
    const { eTag: _eTag, ...line } = JSON.parse(text) as Readonly<Record<string, unknown>> & { readonly id: string };
    const edge = line['deviceScope'] === undefined ? undefined : await client.getDevice('edge');
    const item = { ...line, importMode: 'createOrUpdate', ...(edge && { deviceScope: edge['deviceScope'] }) };
    if (chunk.startsWith('round-removals')) await client.patchTwin({ deviceId: line.id }, patchOf(text));
    else await client.bulk([JSON.stringify(item)]);
  }
}

const recordBlob = (context: TestContext, runId: string) =>
  context.storage.container(RUNS_CONTAINER).getBlockBlobClient(`${runId}.json`);

async function textOf(context: TestContext, runId: string): Promise<string> {
  return (await readText(recordBlob(context, runId))).text;
}
