import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { type RunningHub, startHub } from '../../../local/hub/index.ts';
import { listBackups, openBackup } from '../../../src/lib/backup/catalogue.ts';
import { verifyBackup } from '../../../src/lib/backup/verifyBackup.ts';
import { createRegistryClient, parseHubConnection, type RegistryClient } from '../../../src/lib/registry/index.ts';
import { startWork } from '../../../src/lib/work/startWork.ts';
import { takeStages } from '../../../src/lib/work/takeStage.ts';
import type { WorkRun } from '../../../src/lib/work/workRun.ts';
import { WORK_STAGE } from '../../../src/lib/work/workSteps.ts';
import { kindsOfWork } from '../../../src/lib/workKinds.ts';
import { type Azurite, startAzurite } from '../../helpers/azurite.ts';
import { runInProcess, workContext } from '../../helpers/inProcessRun.ts';
import { hubError } from '../../helpers/jobHub.ts';
import { countingStarter, type TestContext, testContext } from '../../helpers/provisioningContext.ts';

let azurite: Azurite;
let simulator: RunningHub;
let data: string;
let hub: RegistryClient;
let context: TestContext;

beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), 'backup-'));
  simulator = await startHub({ data: join(data, 'hub'), jobEnqueueMs: 0 });
  hub = createRegistryClient(parseHubConnection(simulator.connectionString), { retryDelayMs: 5 });
  for (const id of ['gateway', 'pump', 'valve'])
    await hub.createDevice({ deviceId: id, capabilities: { iotEdge: id === 'gateway' } });
  await hub.createModule({ deviceId: 'gateway', moduleId: 'filter', managedBy: 'iotEdge' });
  await hub.createModule({ deviceId: 'pump', moduleId: 'meter' });
});
afterAll(async () => {
  await simulator.close();
  await rm(data, { recursive: true, force: true });
});
beforeEach(async () => {
  azurite = await startAzurite();
  context = testContext(azurite.connectionString, { hub });
});

type Before = Parameters<typeof runInProcess>[2];

async function backUp(client: RegistryClient = hub, before: Before = async () => undefined, request: object = {}) {
  context = { ...context, hub: () => client };
  const { runId } = await startWork(workContext(context), countingStarter(), {
    kind: 'backup',
    hub: 'default',
    request: { ...request },
  });
  const { failures } = await runInProcess(context, runId, before);
  const record = (await context.runs.read(runId)) as unknown as WorkRun;
  return { record, failures, name: String(record.notes?.['backup']) };
}

/** The simulated hub, of which some calls do something else. */
const otherHub = (changes: Partial<RegistryClient>): RegistryClient => ({ ...hub, ...changes });

const refusing = (code: string, retryable: boolean) => async () => {
  throw hubError(code, { retryable });
};

const statesOf = async () => (await listBackups(context.storage)).map(({ state }) => state);

describe('a backup', () => {
  it('holds the registry, its configurations and what an export lacks', async () => {
    const { record, failures, name } = await backUp();
    expect(failures).toEqual([]);
    expect(record).toMatchObject({
      state: 'completed',
      result: {
        backup: name,
        devices: 3,
        modules: 4,
        configurations: 0,
        verified: true,
        countMismatch: false,
        extrasComplete: true,
        keys: 'included',
      },
    });
    const open = await openBackup(context.storage, name);
    expect(open.manifest).toMatchObject({
      runId: record.runId,
      hub: hub.hubName,
      devices: 3,
      registry: { before: 3, after: 3 },
    });
    const extras = (await Array.fromAsync(open.lines('extras.ndjson'))).map((line) => JSON.parse(line) as object);
    expect(extras).toContainEqual(expect.objectContaining({ kind: 'edge', id: 'gateway' }));
    expect(extras).toContainEqual(
      expect.objectContaining({ kind: 'module', moduleId: 'filter', managedBy: 'iotEdge' }),
    );
    expect(extras).toContainEqual(expect.objectContaining({ kind: 'module', moduleId: 'meter', managedBy: null }));
    expect(await verifyBackup(context.storage, name, { now: context.now })).toMatchObject({ result: 'good' });
    expect(await listBackups(context.storage, 'default')).toMatchObject([{ backup: name, state: 'good' }]);
  });

  it('holds no keys if it is to hold none', async () => {
    context = testContext(azurite.connectionString, { hub, environment: { BACKUP_KEYS: 'exclude' } });
    const { record, name } = await backUp();
    expect(record.result).toMatchObject({ keys: 'excluded' });
    const { manifest, lines } = await openBackup(context.storage, name);
    expect(manifest.keys).toBe('excluded');
    expect((await Array.fromAsync(lines('devices.txt'))).join()).not.toMatch(/"primaryKey":"/);
  });

  it('waits for counts that lag, and takes them for what they are after five minutes', async () => {
    let asked = 0;
    const counts = async () => {
      asked += 1;
      const totalDeviceCount = asked < 4 ? 100 : 3;
      return { totalDeviceCount, enabledDeviceCount: 0, disabledDeviceCount: 0 };
    };
    const late = await backUp(otherHub({ getRegistryStatistics: counts }));
    expect(late.record).toMatchObject({ state: 'completed', result: { verified: true } });
    expect(late.record.waiting).toBeUndefined();

    const began = context.now().getTime();
    asked = -1_000;
    const { record, name } = await backUp(otherHub({ getRegistryStatistics: counts }));
    expect(context.now().getTime() - began).toBeGreaterThan(5 * 60_000);
    expect(record).toMatchObject({
      state: 'completedWithFailures',
      error: { code: 'backupCountMismatch', message: expect.stringContaining('has 3 devices') },
      result: { backup: name, verified: false, countMismatch: true },
    });
    expect(await statesOf()).toEqual(['countMismatch', 'good']);
  });

  it('asks only for what the backup before does not tell, and says what was not told in time', async () => {
    const environment = { BACKUP_EXTRAS_MINUTES: '2', BACKUP_KEEP: 'last=9' };
    context = testContext(azurite.connectionString, { hub, environment });
    const first = await backUp();
    const asked: string[] = [];
    const counting = otherHub({
      listModules: (deviceId) => {
        asked.push(deviceId);
        return hub.listModules(deviceId);
      },
    });
    context.advance(60_000);
    const second = await backUp(counting);
    expect(asked).toEqual([]);
    const texts = [first, second].map(async ({ name }) => {
      const { lines } = await openBackup(context.storage, name);
      return (await Array.fromAsync(lines('extras.ndjson'))).toSorted();
    });
    expect(await texts[1]).toEqual(await texts[0]);

    context.advance(60_000);
    await hub.updateModule({ deviceId: 'pump', moduleId: 'meter' });
    const refused = await backUp(otherHub({ listModules: refusing('Forbidden', false) }));
    expect(refused.record.result).toMatchObject({
      verified: true,
      extrasComplete: false,
      extrasMissing: 'the hub said Forbidden',
    });
    context.advance(60_000);
    const busy = await backUp(otherHub({ listModules: refusing('ThrottlingException', true) }));
    expect(busy.record).toMatchObject({
      state: 'completed',
      result: { extrasComplete: false, extrasMissing: expect.stringContaining('BACKUP_EXTRAS_MINUTES: 2') },
    });
    expect(await statesOf()).toEqual(['good', 'good', 'good', 'good']);
  });

  it('is none of an export that is cut off, and stays unfinished when it is cancelled', async () => {
    let staging = context.storage.runContainer('');
    const tearing = otherHub({
      getJob: async (jobId) => {
        const job = await hub.getJob(jobId);
        const blob = staging.getBlockBlobClient('export-devices.txt');
        if (job?.status === 'completed') await blob.upload('{"id":"gateway"}\n{"id":"pu', 26);
        return job;
      },
    });
    const { record } = await backUp(tearing, async (_name, { runId }) => {
      staging = context.storage.runContainer(String(runId));
    });
    expect(record).toMatchObject({
      state: 'failed',
      error: { code: 'exportNotCompleted', message: expect.stringContaining('line 2 of what it left is cut off') },
    });
    expect(await statesOf()).toEqual(['unfinished']);
    const cancelled = await backUp(hub, async (_name, { stage, runId }) => {
      if (stage === 'exportWatch') {
        const cancelRequestedAt = context.now().toISOString();
        await context.runs.update(String(runId), (current) => ({ ...current, cancelRequestedAt }));
      }
    });
    expect(cancelled.record).toMatchObject({ state: 'cancelled', error: { code: 'cancelled' } });
    expect(await statesOf()).toEqual(['unfinished', 'unfinished']);
  });

  it('is one and good when each of its steps is taken twice, also at once', async () => {
    const twins: Promise<unknown>[] = [];
    const { record, failures, name } = await backUp(hub, async (activity, input) => {
      if (activity !== WORK_STAGE) return;
      // One that meets the other at the same blob fails, and would be taken again.
      twins.push(
        takeStages(workContext(context), kindsOfWork(context.mirrorStore), input as never).catch(() => undefined),
      );
    });
    await Promise.all(twins);
    expect(failures).toEqual([]);
    expect(record.state).toBe('completed');
    expect(await statesOf()).toEqual(['good']);
    expect(await verifyBackup(context.storage, name, { now: context.now })).toMatchObject({ result: 'good' });
    expect((await hub.listJobs()).filter(({ status }) => status === 'running')).toEqual([]);
  });

  it.each([1, 5, 10, 15, 20, 25])('goes on after it died at its call %i of storage and hub', async (fatal) => {
    let calls = 0;
    const dying = () => {
      calls += 1;
      if (calls === fatal) throw new Error('killed');
    };
    const { storage, runs } = context;
    context = {
      ...context,
      storage: {
        ...storage,
        container: (name) => {
          dying();
          return storage.container(name);
        },
      },
      runs: {
        ...runs,
        update: async (runId, change) => {
          const updated = await runs.update(runId, change);
          // The record is written, and nobody was told.
          dying();
          return updated;
        },
      },
    };
    const looked: string[] = [];
    const { record, failures, name } = await backUp(hub, async () => {
      for (const { backup, state } of await listBackups(storage)) {
        if (state !== 'good') continue;
        looked.push((await verifyBackup(storage, backup, { now: context.now })).result);
      }
    });
    expect(calls).toBeGreaterThanOrEqual(fatal);
    expect([failures, record.state]).toEqual([[], 'completed']);
    expect(looked.filter((result) => result !== 'good')).toEqual([]);
    expect(await verifyBackup(storage, name, { now: context.now })).toMatchObject({ result: 'good' });
    expect((await listBackups(storage)).length).toBe(1);
  });
});

describe('what BACKUP_KEEP does not keep', () => {
  const keepOne = async (environment: Record<string, string>) => {
    const { connectionString } = await startAzurite();
    context = testContext(connectionString, { hub, environment: { BACKUP_KEEP: 'last=1', ...environment } });
  };
  const removed = ({ record }: Awaited<ReturnType<typeof backUp>>) => record.result?.['removed'];

  it('stays when a backup was asked for, and goes with the next that is due', async () => {
    await keepOne({});
    const first = await backUp();
    const second = await backUp();
    expect(removed(second)).toEqual([]);
    const due = await backUp(hub, undefined, { slot: '2026-11-27T02:00:00.000Z' });
    expect(removed(due)).toEqual([second.name, first.name]);
  });

  it('goes with each backup where there is no schedule', async () => {
    await keepOne({ BACKUP_SCHEDULE: 'off' });
    const { name } = await backUp();
    expect(removed(await backUp())).toEqual([name]);
  });
});
