import { parse } from 'csv-parse/sync';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ProvisionRun } from '../../../../src/lib/provisioning/run/provisionRun.ts';
import { checkFile } from '../../../../src/lib/provisioning/steps/checkFile.ts';
import { fillLines } from '../../../../src/lib/provisioning/steps/fillLines.ts';
import { finishPreImage } from '../../../../src/lib/provisioning/steps/finishPreImage.ts';
import { planRun } from '../../../../src/lib/provisioning/steps/planRun.ts';
import { readOptions } from '../../../../src/lib/provisioning/steps/readOptions.ts';
import { startJob } from '../../../../src/lib/provisioning/steps/startJob.ts';
import { takePreImage } from '../../../../src/lib/provisioning/steps/takePreImage.ts';
import { watchJob } from '../../../../src/lib/provisioning/steps/watchJob.ts';
import { HubError, type ImportExportJob, type RegistryClient } from '../../../../src/lib/registry/index.ts';
import { type Azurite, startAzurite } from '../../../helpers/azurite.ts';
import { countingStarter, dropFile, sweepAll, testContext } from '../../../helpers/provisioningContext.ts';

let azurite: Azurite;
let drops = 0;
beforeAll(async () => {
  azurite = await startAzurite();
});
afterAll(() => azurite.stop());

const DRY = { dryrun: 'true' };
const SECRET = 'c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0';
const epoch = '1.1';
const file = (lines: readonly object[]) => lines.map((line) => `${JSON.stringify(line)}\n`).join('');
const ids = (prefix: string, count: number) => Array.from({ length: count }, (_, index) => `${prefix}${index}`);
const deletes = (...of: string[]) => file(of.map((id) => ({ id, importMode: 'delete' })));

interface Registered {
  readonly status?: 'enabled' | 'disabled';
  readonly modules?: readonly string[];
}

/** A run that has been checked, over a registry of the test's own. */
async function checkedRun(
  text: string,
  registry: Readonly<Record<string, Registered>>,
  metadata: Readonly<Record<string, string>> = {},
) {
  const reads: string[] = [];
  const authentication = { type: 'sas' as const, symmetricKey: { primaryKey: SECRET, secondaryKey: SECRET } };
  const hub = {
    hubName: 'factory',
    jobs: [] as ImportExportJob[],
    keylessExports: 0,
    imports: 0,
    statistics: undefined as HubError | undefined,
    async getDevice(deviceId: string) {
      reads.push(deviceId);
      const device = registry[deviceId];
      return device && { deviceId, etag: `e-${deviceId}`, status: device.status ?? 'enabled', authentication };
    },
    async getModule(deviceId: string, moduleId: string) {
      reads.push(`${deviceId}/${moduleId}`);
      if (!registry[deviceId]?.modules?.includes(moduleId)) return undefined;
      return { deviceId, moduleId, etag: 'm', authentication };
    },
    async listModules() {
      return [];
    },
    async getTwin() {
      return { etag: 't', tags: {}, properties: { desired: {}, reported: {} } };
    },
    async getRegistryStatistics() {
      if (hub.statistics !== undefined) throw hub.statistics;
      return { totalDeviceCount: Object.keys(registry).length };
    },
    async listJobs() {
      return [...hub.jobs];
    },
    async getJob(jobId: string) {
      return hub.jobs.find((job) => job.jobId === jobId);
    },
    async createImportJob() {
      hub.imports += 1;
      return { jobId: 'import', type: 'import', status: 'running', progress: 0 };
    },
    async createExportJob({ outputBlobName, excludeKeys }: { outputBlobName: string; excludeKeys?: boolean }) {
      if (excludeKeys === true) hub.keylessExports += 1;
      const lines = Object.entries(registry).flatMap(([id, { status = 'enabled', modules = [] }]) => [
        { id, eTag: `e-${id}`, status },
        ...modules.map((moduleId) => ({ id, moduleId, eTag: 'm', status: 'enabled' })),
      ]);
      const content = file(lines);
      await staging.getBlockBlobClient(outputBlobName).upload(content, content.length);
      const job = { jobId: `j${hub.jobs.length + 1}`, type: 'export', status: 'completed', progress: 100 };
      hub.jobs.push(job);
      return job;
    },
  };
  const context = testContext(azurite.connectionString, { hub: hub as unknown as RegistryClient });
  const runId = await dropFile(context, `plan${++drops}/devices.txt`, text, metadata);
  const staging = context.storage.runContainer(runId);
  await readOptions(context, { runId });
  const checked = await checkFile(context, { runId });
  const record = async (): Promise<ProvisionRun> => {
    const found = await context.runs.read(runId);
    if (found === undefined) throw new Error('The record is gone.');
    return found;
  };
  const textOf = async (container: string, name: string) =>
    (await context.storage.container(container).getBlockBlobClient(name).downloadToBuffer()).toString('utf8');
  return {
    context,
    runId,
    hub,
    reads,
    checked,
    record,
    /** To where what is there has been read. */
    async read() {
      const { status } = await takePreImage(context, { runId, epoch });
      if (status !== 'export') return status;
      await startJob(context, { runId, kind: 'export', epoch });
      await watchJob(context, { runId, kind: 'export', epoch });
      expect(await finishPreImage(context, { runId, epoch })).toEqual({ status: 'ready' });
      return status;
    },
    plan: () => planRun(context, { runId, epoch }),
    fill: () => fillLines(context, { runId, epoch }),
    async reasons() {
      const { report } = await record();
      const rows = parse(await textOf(report?.container ?? '', report?.csv ?? ''), { columns: true }) as {
        deviceId: string;
        moduleId: string;
        outcome: string;
        code: string;
        reason: string;
      }[];
      expect(rows.every(({ outcome, code }) => outcome === 'skipped' && code === 'dryRun')).toBe(true);
      return Object.fromEntries(
        rows.map(({ deviceId, moduleId, reason }) => [[deviceId, moduleId].filter(Boolean).join('/'), reason]),
      );
    },
    async reportJson() {
      const { report } = await record();
      return JSON.parse(await textOf(report?.container ?? '', report?.json ?? ''));
    },
    async stagedTexts() {
      const texts: string[] = [];
      for await (const { name } of staging.listBlobsFlat()) texts.push(await textOf(staging.containerName, name));
      return texts;
    },
  };
}

const MIXED = [
  { id: 'new', importMode: 'create' },
  { id: 'there', importMode: 'create' },
  { id: 'blocked', status: 'disabled' },
  { id: 'there2', status: 'disabled' },
  { id: 'gone', importMode: 'update' },
  { id: 'twin', importMode: 'updateTwin', tags: { a: 1 } },
  { id: 'old', importMode: 'delete' },
  { id: 'nothing', importMode: 'delete' },
  { id: 'stale', importMode: 'deleteIfMatchETag', eTag: 'another' },
  { id: 'fresh', importMode: 'updateIfMatchETag', eTag: 'e-fresh', tags: { a: 1 } },
  { id: 'child', importMode: 'create', parent: 'nobody' },
  { id: 'sibling', importMode: 'create', parent: 'hall' },
  { id: 'host', moduleId: 'm1' },
  { id: 'new', moduleId: 'm1' },
  { id: 'nowhere', moduleId: 'm1' },
  { id: 'host', moduleId: 'm2', importMode: 'create' },
];
const REGISTRY = {
  there: {},
  blocked: { status: 'disabled' },
  there2: {},
  twin: {},
  old: {},
  stale: {},
  fresh: {},
  host: { modules: ['m2'] },
  hall: {},
  other: {},
} as const;
const EFFECTS = {
  created: 5,
  overwritten: 3,
  twinUpdated: 1,
  deleted: 1,
  unchanged: 1,
  failsExists: 2,
  failsMissing: 1,
  failsDeviceMissing: 1,
  failsEtag: 1,
};

describe('a dry run', () => {
  it.each([
    ['reads few identities one by one', 'ready', []],
    ['reads many by one export', 'export', ids('more', 200).map((id) => ({ id, importMode: 'create' }))],
  ] as const)('%s, without keys, and says what would happen to each line', async (_, way, more) => {
    const run = await checkedRun(file([...MIXED, ...more]), REGISTRY, DRY);
    expect(run.checked).toMatchObject({ next: 'plan' });
    expect(await run.read()).toBe(way);
    expect(await run.plan()).toEqual({ state: 'completed' });

    const effects = { ...EFFECTS, created: EFFECTS.created + more.length };
    const record = await run.record();
    expect(record).toMatchObject({
      state: 'completed',
      outcomes: { skipped: MIXED.length + more.length, failed: 0 },
      plan: { effects, disabled: 1, lackingParent: 1 },
    });
    expect(record).not.toHaveProperty('preImage');
    expect(await run.reasons()).toMatchObject({
      new: 'Dry run: it would be created.',
      there: 'Dry run: it would fail, because it exists already.',
      blocked: 'Dry run: it exists and would be overwritten.',
      there2: 'Dry run: it exists and would be overwritten. It is enabled now and would be disabled.',
      gone: 'Dry run: it would fail, because it does not exist.',
      twin: 'Dry run: it exists, and its twin would be updated.',
      old: 'Dry run: it exists and would be deleted.',
      nothing: 'Dry run: it does not exist, so nothing would be deleted.',
      stale: 'Dry run: it would fail, because the registry has another ETag.',
      fresh: 'Dry run: it exists and would be overwritten.',
      child: 'Dry run: it would be created. Its parent does not exist, and the file does not create it.',
      sibling: 'Dry run: it would be created.',
      'host/m1': 'Dry run: it would be created.',
      'new/m1': 'Dry run: it would be created.',
      'nowhere/m1': 'Dry run: it would fail, because its device does not exist, and the file does not create it.',
      'host/m2': 'Dry run: it would fail, because it exists already.',
    });
    const report = await run.reportJson();
    expect(report.run.plan).toEqual(record.plan);
    const created = report.reasons.find(({ reason }: { reason: string }) => reason === 'Dry run: it would be created.');
    expect(created).toMatchObject({ outcome: 'skipped', code: 'dryRun', count: effects.created - 1 });

    expect(run.hub.imports).toBe(0);
    expect(run.hub.keylessExports).toBe(way === 'export' ? 1 : 0);
    expect((await run.stagedTexts()).join('')).not.toContain(SECRET);
    expect(new Set(run.reads).size).toBe(run.reads.length > 0 ? 18 : 0);
  });

  it('never imports, whoever asks for it', async () => {
    const run = await checkedRun(file([{ id: 'a', importMode: 'create' }]), {}, DRY);
    await run.read();
    await expect(startJob(run.context, { runId: run.runId, kind: 'import', epoch })).rejects.toThrow('is a dry run');
    expect(run.hub.imports).toBe(0);
  });

  it('counts deletes against what exists, and tells whether the run would be refused', async () => {
    const registry = Object.fromEntries(ids('d', 1_500).map((id) => [id, {}]));
    const few = await checkedRun(deletes('d0', 'd1', 'd2', ...ids('gone', 497)), registry, DRY);
    await few.read();
    expect(await few.plan()).toEqual({ state: 'completed' });
    expect(await few.record()).toMatchObject({ plan: { effects: { deleted: 3, unchanged: 497 } } });

    const many = await checkedRun(deletes(...ids('d', 160)), registry, DRY);
    await many.read();
    expect(await many.plan()).toEqual({ state: 'refused' });
    expect(await many.record()).toMatchObject({
      state: 'refused',
      error: {
        code: 'confirmationNeeded',
        message: "The file would delete 160 of the hub's 1,500 devices: nothing was sent to the hub.",
      },
      plan: { effects: { deleted: 160 } },
      outcomes: { skipped: 160 },
    });
    expect(await many.reasons()).toMatchObject({ d0: 'Dry run: it exists and would be deleted.' });

    const sure = await checkedRun(deletes(...ids('d', 160)), registry, { ...DRY, confirm: 'factory' });
    await sure.read();
    expect(await sure.plan()).toEqual({ state: 'completed' });
  });

  it('reads, too, what a run with backupFirst never would not', async () => {
    const never = { ...DRY, backupfirst: 'never' };
    const text = file([
      { id: 'a', importMode: 'create' },
      { id: 'b', importMode: 'delete' },
    ]);
    expect((await checkedRun(text, { b: {} }, never)).checked).toEqual({ next: 'ended' });
    const run = await checkedRun(text, { b: {} }, { ...never, confirm: 'factory' });
    await run.read();
    await run.plan();
    expect(await run.record()).toMatchObject({ state: 'completed', plan: { effects: { created: 1, deleted: 1 } } });
  });

  it('that is cancelled, or that the hub refuses to answer for good, ends with that', async () => {
    const cancelled = await checkedRun(deletes('a'), {}, DRY);
    await cancelled.read();
    const at = cancelled.context.now().toISOString();
    await cancelled.context.runs.update(cancelled.runId, (record) => ({ ...record, cancelRequestedAt: at }));
    expect(await cancelled.plan()).toEqual({ state: 'ended' });
    expect(await cancelled.record()).toMatchObject({ state: 'cancelled', outcomes: { skipped: 1 } });

    const refused = await checkedRun(deletes(...ids('d', 101)), {}, DRY);
    await refused.read();
    const fields = { kind: 'unauthorized', code: 'IotHubUnauthorizedAccess', retryable: false } as const;
    refused.hub.statistics = new HubError({ ...fields, outcomeUnknown: false, message: 'no right to read' });
    expect(await refused.plan()).toEqual({ state: 'failed' });
    expect(await refused.record()).toMatchObject({ state: 'failed', error: { message: 'no right to read' } });
  });

  it('keeps what it has read no longer than its staging, and so does a run that was refused', async () => {
    const registry = Object.fromEntries(ids('d', 150).map((id) => [id, {}]));
    const dry = await checkedRun(file([{ id: 'd0' }]), registry, DRY);
    await dry.read();
    await dry.plan();
    const refused = await checkedRun(deletes(...ids('d', 150)), registry);
    await refused.read();
    expect(await refused.record()).toHaveProperty('preImage');
    expect(await refused.fill()).toEqual({ status: 'ended' });
    const { context } = refused;
    context.advance(6.9 * 24 * 3_600_000);
    const exists = () => Promise.all([dry, refused].map(({ runId }) => context.storage.runContainer(runId).exists()));
    await sweepAll(context, countingStarter());
    expect(await exists()).toEqual([true, true]);
    context.advance(0.2 * 24 * 3_600_000);
    await sweepAll(context, countingStarter());
    expect(await exists()).toEqual([false, false]);
  });
});

describe('a run that deletes or disables much', () => {
  const registry = Object.fromEntries(ids('d', 1_500).map((id) => [id, {}]));

  it('is stopped by what exists, before anything is sent, in numbers', async () => {
    const blocking = ids('d', 220)
      .slice(200)
      .map((id) => ({ id, status: 'disabled' }));
    const text = deletes(...ids('d', 160), ...ids('gone', 300)) + file(blocking);
    const run = await checkedRun(text, registry);
    expect(run.checked).toMatchObject({ next: 'job' });
    await run.read();
    expect(await run.fill()).toEqual({ status: 'ended' });
    const record = await run.record();
    expect(record).toMatchObject({
      state: 'refused',
      error: {
        code: 'confirmationNeeded',
        message: "The file would delete 160 and disable 20 of the hub's 1,500 devices: nothing was sent to the hub.",
      },
      outcomes: { skipped: 480 },
    });
    expect(record).not.toHaveProperty('plan');
    expect(await startJob(run.context, { runId: run.runId, kind: 'import', epoch })).toEqual({ status: 'ended' });
    expect(run.hub.imports).toBe(0);
  });

  it('is stopped by modules, too, whose devices it does not name', async () => {
    const modules = ids('m', 150);
    const text = file(modules.map((moduleId) => ({ id: 'host', moduleId, importMode: 'delete' })));
    const run = await checkedRun(text, { host: { modules } });
    expect(await run.read()).toBe('ready');
    expect(await run.fill()).toEqual({ status: 'ended' });
    expect(await run.record()).toMatchObject({
      error: { message: "The file would delete 150 modules of the hub's 1 device: nothing was sent to the hub." },
    });
  });

  it('goes on when little of it exists, or is enabled now', async () => {
    const blocked = Object.fromEntries(ids('b', 150).map((id) => [id, { status: 'disabled' as const }]));
    const text = deletes('d0', ...ids('gone', 499)) + file(ids('b', 150).map((id) => ({ id, status: 'disabled' })));
    const run = await checkedRun(text, { ...registry, ...blocked });
    await run.read();
    expect(await run.fill()).toEqual({ status: 'ready' });
    expect(await run.record()).toMatchObject({ state: 'running' });
  });

  it('that was let pass and has sent its import, is not stopped by a look that comes late', async () => {
    const small: Record<string, Registered> = Object.fromEntries(ids('d', 2_000).map((id) => [id, {}]));
    const run = await checkedRun(deletes(...ids('d', 150)), small);
    await run.read();
    expect(await run.fill()).toEqual({ status: 'ready' });
    expect(await startJob(run.context, { runId: run.runId, kind: 'import', epoch })).toEqual({ status: 'started' });
    for (const id of ids('d', 1_000)) delete small[id];
    expect(await run.fill()).toEqual({ status: 'ready' });
    expect(await run.record()).toMatchObject({ state: 'running' });
  });

  it('ends as failed when the hub has no right to tell how many devices it has', async () => {
    const run = await checkedRun(deletes(...ids('d', 160)), registry);
    await run.read();
    const fields = { kind: 'unauthorized', code: 'IotHubUnauthorizedAccess', retryable: false } as const;
    run.hub.statistics = new HubError({ ...fields, outcomeUnknown: false, message: 'no right to read' });
    expect(await run.fill()).toEqual({ status: 'ended' });
    expect(await run.record()).toMatchObject({ state: 'failed', error: { message: 'no right to read' } });
  });
});
