import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { type RunningHub, startHub } from '../../../../local/hub/index.ts';
import { readLastReconcile } from '../../../../src/lib/mirror/notes/lastReconcile.ts';
import { startReconcile } from '../../../../src/lib/mirror/reconcile/startReconcile.ts';
import { keyText } from '../../../../src/lib/mirror/rows/row.ts';
import { bucketOf } from '../../../../src/lib/mirror/store/bucketOf.ts';
import { type MirrorStore, type StoredRow, StoreUnavailable } from '../../../../src/lib/mirror/store/mirrorStore.ts';
import { createTableStore } from '../../../../src/lib/mirror/store/tableStore.ts';
import { createRegistryClient, parseHubConnection, type RegistryClient } from '../../../../src/lib/registry/index.ts';
import { startWork } from '../../../../src/lib/work/startWork.ts';
import { takeStages } from '../../../../src/lib/work/takeStage.ts';
import type { WorkRun } from '../../../../src/lib/work/workRun.ts';
import { WORK_STAGE } from '../../../../src/lib/work/workSteps.ts';
import { kindsOfWork } from '../../../../src/lib/workKinds.ts';
import { startAzurite } from '../../../helpers/azurite.ts';
import { runInProcess, workContext } from '../../../helpers/inProcessRun.ts';
import { createMemoryMirrorStore, type MemoryMirrorStore } from '../../../helpers/memoryMirrorStore.ts';
import { countingStarter, type TestContext, testContext } from '../../../helpers/provisioningContext.ts';

const FLEET = 5_000;
/** An edge device, and the modules that a hub makes with it. */
const GATE = 3;
const MIRROR_EVENTS = 'Endpoint=sb://127.0.0.1:1;SharedAccessKeyName=x;SharedAccessKey=eA==;EntityPath=events';

let simulator: RunningHub;
let data: string;
let hub: RegistryClient;
let context: TestContext;
let store: MemoryMirrorStore;

beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), 'reconcile-'));
  simulator = await startHub({ data: join(data, 'hub'), jobEnqueueMs: 0, tier: 'S3', units: 200 });
  hub = createRegistryClient(parseHubConnection(simulator.connectionString), { retryDelayMs: 5 });
});
afterAll(async () => {
  await simulator.close();
  await rm(data, { recursive: true, force: true });
});
beforeEach(async () => {
  const azurite = await startAzurite();
  await fetch(`${simulator.adminUrl}/reset`, { method: 'POST' });
  await fetch(`${simulator.adminUrl}/faults`, { method: 'DELETE' });
  store = createMemoryMirrorStore();
  context = contextOf(azurite.connectionString, store);
});

function contextOf(connectionString: string, mirrorStore: MirrorStore): TestContext {
  return testContext(connectionString, { hub, mirrorStore, environment: { HUB_TIER: 'S3', MIRROR_EVENTS } });
}

async function reconcile(request: { readonly dryRun?: boolean; readonly slot?: string } = {}): Promise<WorkRun> {
  const { runId } = await startReconcile(workContext(context), { hub: 'default', ...request });
  const { failures } = await runInProcess(context, runId, async () => undefined);
  expect(failures).toEqual([]);
  return read(runId);
}

async function read(runId: string): Promise<WorkRun> {
  return (await context.runs.read(runId)) as unknown as WorkRun;
}

async function driftOf({ report }: WorkRun): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const blob = context.storage.container('provision-results').getBlockBlobClient(report?.drift ?? '');
  const text = (await blob.downloadToBuffer()).toString();
  return text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Record<string, unknown>]));
}

const idOf = (n: number): string => `d${String(n).padStart(5, '0')}`;
const numbers = (count: number, from = 0): number[] => Array.from({ length: count }, (_, at) => from + at);

async function makeFleet(count: number): Promise<void> {
  const lines = numbers(count).map((n) => ({
    id: idOf(n),
    status: 'enabled' as const,
    tags: { n },
    properties: { desired: { t: n % 7 } },
  }));
  for (let at = 0; at < count; at += 100) {
    await hub.bulk(lines.slice(at, at + 100).map((line) => ({ ...line, importMode: 'create' })));
  }
}

async function storedIn(rows: MirrorStore): Promise<ReadonlyMap<string, StoredRow>> {
  const found = new Map<string, StoredRow>();
  for await (const stored of rows.rows('default')) found.set(keyText(stored.row), stored);
  return found;
}

describe('a reconcile', () => {
  it('fills an empty store, then finds exactly what no event tells, and writes nothing else', async () => {
    const { connectionString } = await startAzurite();
    const table = createTableStore(testContext(connectionString).storage.table('mirror'));
    context = contextOf(connectionString, table);
    await makeFleet(FLEET);
    const gate = await hub.createDevice({ deviceId: 'gate', capabilities: { iotEdge: true } });
    const filled = await reconcile();
    expect(filled).toMatchObject({
      state: 'completed',
      result: { missing: FLEET + GATE, extra: 0, different: 0, repaired: FLEET + GATE, leftAlone: 0, from: 'export' },
    });
    const before = await storedIn(table);
    expect(before.size).toBe(FLEET + GATE);
    expect(before.get(idOf(7))?.row).toMatchObject({ twin: { tags: { n: 7 }, desired: { t: 0 } } });

    const disabled = numbers(1_000).map(idOf);
    const moved = numbers(100, 1_000).map(idOf);
    await atOnce(disabled, (deviceId) => hub.updateDevice({ deviceId, status: 'disabled' }));
    const deviceScope = gate.deviceScope ?? '';
    await atOnce(moved, (deviceId) => hub.updateDevice({ deviceId, deviceScope }));

    const looked = await reconcile({ dryRun: true });
    const counts = { missing: 0, extra: 0, different: 1_100, leftAlone: 0 };
    expect(looked.result).toMatchObject({ ...counts, repaired: 0, dryRun: true });
    expect(await storedIn(table)).toEqual(before);

    const repaired = await reconcile();
    expect(repaired.result).toMatchObject({ ...counts, repaired: 1_100, dryRun: false });
    const drift = await driftOf(repaired);
    expect(drift.map(({ deviceId }) => deviceId).sort()).toEqual([...disabled, ...moved]);
    expect(new Set(drift.map(({ fields }) => String(fields)))).toEqual(new Set(['status', 'parent']));
    const after = await storedIn(table);
    const written = [...after].filter(([id, { etag }]) => before.get(id)?.etag !== etag).map(([id]) => id);
    expect(written).toEqual([...disabled, ...moved]);
    expect(after.get(idOf(999))?.row.identity?.status).toBe('disabled');
    expect(after.get(idOf(1_099))?.row.identity).toMatchObject({ status: 'enabled', parent: 'gate' });
    expect((await reconcile()).result).toMatchObject({ different: 0, repaired: 0 });
    expect(await readLastReconcile(context.storage, 'default')).toMatchObject({ different: 0, dryRun: false });
  });
});

describe('what a reconcile goes by', () => {
  const status = (row: number) => store.all('default')[row]?.identity?.status;

  it('leaves rows alone that are newer than its export', async () => {
    await makeFleet(4);
    await reconcile();
    await hub.updateDevice({ deviceId: idOf(1), status: 'disabled' });
    await hub.deleteDevice({ deviceId: idOf(2) });
    const { runId } = await startReconcile(workContext(context), { hub: 'default' });
    await runInProcess(context, runId, async (_, input) => {
      if (input['stage'] !== 'exportWatch') return;
      // Events tell of both while the hub exports.
      const updatedAt = context.now().toISOString();
      for (const row of store.all('default').slice(1, 3)) store.put({ ...row, updatedAt });
    });
    expect((await read(runId)).result).toMatchObject({ extra: 0, different: 0, repaired: 0, leftAlone: 2 });
    expect(await driftOf(await read(runId))).toEqual(
      [
        { deviceId: idOf(2), drift: 'extra', action: 'leftAlone' },
        { deviceId: idOf(1), drift: 'different', fields: ['status'], action: 'leftAlone' },
      ].sort((a, b) => (bucketOf(a.deviceId) < bucketOf(b.deviceId) ? -1 : 1)),
    );
    expect(status(1)).toBe('enabled');
    expect((await reconcile()).result).toMatchObject({ extra: 1, different: 1, repaired: 2 });
  });

  it('takes a backup that began after it was asked for, and no older one', async () => {
    await makeFleet(3);
    const backUp = async () => {
      const request = { kind: 'backup', hub: 'default', request: {} } as const;
      const { runId } = await startWork(workContext(context), countingStarter(), request);
      await runInProcess(context, runId, async () => undefined);
      return String((await read(runId)).result?.['backup']);
    };
    await backUp();
    await hub.updateDevice({ deviceId: idOf(1), status: 'disabled' });
    expect((await reconcile()).result).toMatchObject({ from: 'export', missing: 3 });
    expect(status(1)).toBe('disabled');

    await hub.updateDevice({ deviceId: idOf(2), status: 'disabled' });
    const { runId } = await startReconcile(workContext(context), { hub: 'default' });
    const backup = await backUp();
    await runInProcess(context, runId, async () => undefined);
    const reconciled = await read(runId);
    expect(reconciled.result).toMatchObject({ from: 'backup', backup, different: 1, repaired: 1 });
    expect(reconciled.jobs).toEqual({});
    const types = store.all('default').map(({ identity }) => identity?.authenticationType);
    expect(types).toEqual([undefined, undefined, 'sas']);
  });

  it('waits for a backup that is being made when it is asked for', async () => {
    await makeFleet(2);
    const request = { kind: 'backup', hub: 'default', request: {} } as const;
    const backup = await startWork(workContext(context), countingStarter(), request);
    const { runId } = await startReconcile(workContext(context), { hub: 'default' });
    let looks = 0;
    await runInProcess(context, runId, async (_, input) => {
      if (input['runId'] !== runId || input['stage'] !== 'source') return;
      looks += 1;
      if (looks === 2) await runInProcess(context, backup.runId, async () => undefined);
    });
    expect((await read(runId)).result).toMatchObject({ from: 'backup', missing: 2, repaired: 2 });
  });

  it('is told the parent of an edge device that the export does not name', async () => {
    const up = await hub.createDevice({ deviceId: 'up', capabilities: { iotEdge: true } });
    const scope = up.deviceScope ?? '';
    const edge = { capabilities: { iotEdge: true } };
    const down = await hub.createDevice({ deviceId: 'down', ...edge, parentScopes: [scope] });
    await reconcile();
    expect(store.all('default').find(({ deviceId }) => deviceId === 'down')?.identity?.parent).toBe('up');
    await hub.updateDevice({ ...down, parentScopes: [] });
    expect((await reconcile()).result).toMatchObject({ different: 1, repaired: 1 });
    expect(store.all('default').find(({ deviceId }) => deviceId === 'down')?.identity?.parent).toBeUndefined();
  });
});

describe('a reconcile in trouble', () => {
  it('tells and does each thing once, though all its steps are done twice', async () => {
    await makeFleet(300);
    await reconcile();
    for (const n of [1, 2, 3]) await hub.updateDevice({ deviceId: idOf(n), status: 'disabled' });
    const written = store.written();
    const { runId } = await startReconcile(workContext(context), { hub: 'default' });
    const twins: Promise<unknown>[] = [];
    await runInProcess(context, runId, async (name, input) => {
      if (name !== WORK_STAGE) return;
      const kinds = kindsOfWork(context.mirrorStore);
      twins.push(takeStages(workContext(context), kinds, input as never).catch(() => undefined));
    });
    await Promise.all(twins);
    expect((await read(runId)).result).toMatchObject({ different: 3, repaired: 3, leftAlone: 0 });
    expect(await driftOf(await read(runId))).toHaveLength(3);
    expect(store.written() - written).toBe(3);
  });

  it('goes on where it was when it was lost in the midst of repairing', async () => {
    await makeFleet(200);
    let lost = 0;
    context = contextOf((await startAzurite()).connectionString, {
      ...store,
      async write(hubAlias, writes) {
        if (lost === 3) return store.write(hubAlias, writes);
        lost += 1;
        await store.write(hubAlias, writes.slice(0, 20));
        throw new Error('lost');
      },
    });
    const done = await reconcile();
    expect(lost).toBe(3);
    expect(done.result).toMatchObject({ missing: 200, repaired: 200 });
    expect(await driftOf(done)).toHaveLength(200);
    expect(store.written()).toBe(200);
  });

  it.each([
    ['waits for a store that does not answer', 3, { state: 'completed', result: { missing: 2, repaired: 2 } }],
    ['gives it up after an hour', 99, { state: 'failed', error: { code: 'mirrorUnavailable' } }],
  ])('%s', async (_, times, end) => {
    await makeFleet(2);
    let failures = 0;
    context = contextOf((await startAzurite()).connectionString, {
      ...store,
      rows(hubAlias, range) {
        failures += 1;
        if (failures > times) return store.rows(hubAlias, range);
        context.advance(60_000);
        throw new StoreUnavailable('503');
      },
    });
    expect(await reconcile()).toMatchObject(end);
  });

  it('is cancelled between two steps', async () => {
    await makeFleet(2);
    const { runId } = await startReconcile(workContext(context), { hub: 'default' });
    await runInProcess(context, runId, async (_, input) => {
      if (input['stage'] !== 'exportWatch') return;
      await context.runs.update(runId, (run) => ({ ...run, cancelRequestedAt: context.now().toISOString() }));
    });
    expect(await read(runId)).toMatchObject({ state: 'cancelled' });
    expect(store.written()).toBe(0);
    expect(await readLastReconcile(context.storage, 'default')).toBeUndefined();
  });
});

describe('of a hub', () => {
  const start = (request: { readonly dryRun?: boolean; readonly slot?: string } = {}) =>
    startReconcile(workContext(context), { hub: 'default', ...request });

  it('one reconcile goes on at a time, and one that only looks', async () => {
    const [one, two] = await Promise.all([start(), start()]);
    expect(two.runId).toBe(one.runId);
    expect((await start()).runId).toBe(one.runId);
    const dry = await start({ dryRun: true });
    expect(dry.runId).not.toBe(one.runId);
    expect((await start({ dryRun: true })).runId).toBe(dry.runId);
    await runInProcess(context, one.runId, async () => undefined);
    const next = await start();
    expect(next.runId).not.toBe(one.runId);
    expect((await start()).runId).toBe(next.runId);
  });

  it('one begins for each time of the schedule', async () => {
    const slot = '2026-11-26T12:00:00.000Z';
    const done = await reconcile({ slot });
    expect((await start({ slot })).runId).toBe(done.runId);
    expect((await start({ slot: '2026-11-26T18:00:00.000Z' })).runId).not.toBe(done.runId);
  });

  it('none begins when only others are mirrored', async () => {
    const other = { IOTHUB__spare: simulator.connectionString, MIRROR_EVENTS_spare: MIRROR_EVENTS };
    context = testContext((await startAzurite()).connectionString, { hub, environment: other });
    const refused = { code: 'mirrorOff', message: expect.stringContaining('default') };
    await expect(start()).rejects.toMatchObject(refused);
  });

  it('none begins when the mirror is off', async () => {
    context = testContext((await startAzurite()).connectionString, { hub });
    await expect(start()).rejects.toMatchObject({ code: 'mirrorOff', message: expect.stringContaining('off') });
    const { runId } = await startWork(workContext(context), countingStarter(), {
      kind: 'reconcile',
      hub: 'default',
      request: {},
    });
    await runInProcess(context, runId, async () => undefined);
    expect(await read(runId)).toMatchObject({ state: 'refused', error: { code: 'mirrorOff' } });
  });
});

async function atOnce<T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> {
  const left = [...items];
  const lane = async () => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item);
  };
  await Promise.all(numbers(16).map(lane));
}
