import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { type RunningHub, startHub } from '../../../local/hub/index.ts';
import { listBackups, openBackup } from '../../../src/lib/backup/catalogue.ts';
import { verifyBackup } from '../../../src/lib/backup/verifyBackup.ts';
import { createRegistryClient, parseHubConnection, type RegistryClient } from '../../../src/lib/registry/index.ts';
import { startWork } from '../../../src/lib/work/startWork.ts';
import type { WorkRun } from '../../../src/lib/work/workRun.ts';
import { type Azurite, startAzurite } from '../../helpers/azurite.ts';
import { runInProcess, workContext } from '../../helpers/inProcessRun.ts';
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

async function backUp(
  client: RegistryClient = hub,
  before: Parameters<typeof runInProcess>[2] = async () => undefined,
) {
  context = { ...context, hub: () => client };
  const { runId } = await startWork(workContext(context), countingStarter(), {
    kind: 'backup',
    hub: 'default',
    request: {},
  });
  const { failures } = await runInProcess(context, runId, before);
  const record = (await context.runs.read(runId)) as unknown as WorkRun;
  return { record, failures, name: String(record.notes?.['backup']) };
}

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
});
