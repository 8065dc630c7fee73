import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { noteBlob } from '../../../../src/lib/mirror/notes/note.ts';
import { MOST_PENDING, readWantedReconcile } from '../../../../src/lib/mirror/notes/wantedReconcile.ts';
import { refreshStep } from '../../../../src/lib/mirror/refresh/refreshStep.ts';
import type { MirrorRow } from '../../../../src/lib/mirror/rows/row.ts';
import { StoreUnavailable } from '../../../../src/lib/mirror/store/mirrorStore.ts';
import { type Azurite, startAzurite } from '../../../helpers/azurite.ts';
import { type Drained, HUB, type RefreshedHub, withRefreshedHub } from './refreshedHub.ts';

let azurite: Azurite;
beforeAll(async () => {
  azurite = await startAzurite();
});
afterAll(() => azurite.stop());

const onHub = (work: (hub: RefreshedHub) => Promise<void>, wrap?: Parameters<typeof withRefreshedHub>[2]) =>
  withRefreshedHub(azurite.connectionString, work, wrap);
const ids = (...deviceIds: string[]) => deviceIds.map((deviceId) => ({ deviceId }));
const queriesOf = ({ replies }: Drained) => replies.reduce((sum, { queries }) => sum + queries, 0);
const unknown = (deviceId: string, since: string): MirrorRow => ({
  hub: HUB,
  deviceId,
  state: 'unknown',
  updatedAt: since,
  changes: [],
  wanted: { since },
});

describe('a refresh', () => {
  it('completes rows from the registry: status, edge, parent, twin, and no key', async () => {
    await onHub(async ({ client, want, refresh, row, store }) => {
      const edge = await client.createDevice({ deviceId: 'edge', capabilities: { iotEdge: true } });
      const scope = edge.deviceScope ?? '';
      await client.createDevice({ deviceId: 'below', capabilities: { iotEdge: true }, parentScopes: [scope] });
      await client.createDevice({ deviceId: 'leaf', status: 'disabled', statusReason: 'stolen', deviceScope: scope });
      await client.updateTwin({ deviceId: 'leaf', tags: { site: 'faro' }, desired: { a: { b: 1 } } });
      await client.createDevice({ deviceId: 'whole' });
      await client.createModule({ deviceId: 'whole', moduleId: 'valve' });
      await want([...ids('edge', 'below', 'leaf'), { deviceId: 'whole', moduleId: 'valve' }], { runId: 'r1' });
      expect(await refresh()).toMatchObject({ state: 'done' });
      const leaf = {
        status: 'disabled',
        statusReason: 'stolen',
        edge: false,
        parent: 'edge',
        authenticationType: 'sas',
      };
      expect(row('leaf')).toMatchObject({
        state: 'present',
        identity: leaf,
        twin: { tags: { site: 'faro' }, desired: { a: { b: 1 } }, reported: {} },
        lastRun: 'r1',
        checkedAt: expect.any(String),
      });
      expect(row('edge')?.identity).toEqual({ status: 'enabled', edge: true, authenticationType: 'sas' });
      expect(row('below')?.identity).toMatchObject({ edge: true, parent: 'edge' });
      expect(row('whole', 'valve')).toMatchObject({ state: 'present', identity: { authenticationType: 'sas' } });
      // The same by GET.
      await want(ids('leaf'), { mayBeGone: true });
      await refresh();
      expect(row('leaf')).toMatchObject({ identity: leaf, twin: { tags: { site: 'faro' }, version: 3 } });
      expect(row('leaf')?.changes).toHaveLength(1);
      expect(store.isIdle()).toBe(true);
      expect(JSON.stringify(store.all(HUB))).not.toMatch(/[Kk]ey|\$metadata|\$version/);
    });
  });

  it('finds the modules that a hub makes with an edge device, and those that came with them', async () => {
    await onHub(async ({ client, want, refresh, row }) => {
      await client.createDevice({ deviceId: 'edge', capabilities: { iotEdge: true } });
      await client.createModule({ deviceId: 'edge', moduleId: 'camera' });
      await want(ids('edge'));
      await refresh();
      for (const moduleId of ['$edgeAgent', '$edgeHub', 'camera']) expect(row('edge', moduleId)?.state).toBe('present');
    });
  });

  it('reads ids of whatever characters', async () => {
    await onHub(async ({ client, want, refresh, row, store }) => {
      const odd = ["o'clock", "''", '#1', 'a?b', '%41', '$x', 'a=(b),c;@!*'];
      for (const deviceId of odd) await client.createDevice({ deviceId });
      await want(ids(...odd));
      await refresh();
      expect(odd.map((deviceId) => row(deviceId)?.state)).toEqual(odd.map(() => 'present'));
      await want(ids(...odd), { mayBeGone: true });
      await refresh();
      expect(odd.map((deviceId) => row(deviceId)?.state)).toEqual(odd.map(() => 'present'));
      expect(store.isIdle()).toBe(true);
    });
  });

  it('reads more devices than a query takes, and modules of more pages than one', async () => {
    await onHub(async ({ client, want, refresh, store }) => {
      const many = Array.from({ length: 130 }, (_, at) => ({ deviceId: `d${at}` }));
      for (let at = 0; at < many.length; at += 100) {
        await client.bulk(
          many.slice(at, at + 100).map(({ deviceId: id }) => ({ id, importMode: 'create', status: 'enabled' })),
        );
      }
      const modules = Array.from({ length: 130 }, (_, at) => ({ deviceId: `d${at % 4}`, moduleId: `m${at}` }));
      await Promise.all(modules.map((module) => client.createModule(module)));
      await want([...many, ...modules]);
      const drained = await refresh();
      expect(store.isIdle()).toBe(true);
      expect(store.all(HUB).filter(({ state }) => state === 'present')).toHaveLength(260);
      // Two of devices, and two pages of modules.
      expect(queriesOf(drained)).toBe(4);
    });
  });

  it('tries again what a query does not show yet, and then asks for it by GET', async () => {
    await onHub(async ({ client, want, refresh, row, setOptions }) => {
      await setOptions({ queryLagMs: 60_000 });
      await client.createDevice({ deviceId: 'new' });
      await want(ids('new', 'never'));
      const { waits } = await refresh();
      expect(row('new')).toMatchObject({ state: 'present', twin: { version: 2 } });
      expect(row('never')?.state).toBe('deleted');
      expect(waits.slice(0, 3)).toEqual([1, 2, 5]);
    });
  });

  it('does not count what a query shows of an older version than an event has told of', async () => {
    await onHub(async ({ client, want, refresh, row, store, setOptions, context }) => {
      await client.createDevice({ deviceId: 'd1' });
      await want(ids('d1'));
      await refresh();
      await setOptions({ queryLagMs: 60_000 });
      const { version = 0 } = await client.updateTwin({ deviceId: 'd1', tags: { v: 2 } });
      store.put({ ...(row('d1') as MirrorRow), wanted: { since: context.now().toISOString(), version } });
      context.advance(5);
      expect((await refresh()).replies.reduce((sum, { again }) => sum + again, 0)).toBe(3);
      expect(row('d1')).toMatchObject({ twin: { version, tags: { v: 2 } } });
    });
  });

  it('lifts a young tombstone by GET alone', async () => {
    await onHub(async ({ client, context, want, refresh, row, store }) => {
      await client.createDevice({ deviceId: 'd1' });
      const deletedAt = context.now().toISOString();
      store.put({ hub: HUB, deviceId: 'd1', state: 'deleted', deletedAt, updatedAt: deletedAt, changes: [] });
      await want(ids('d1'));
      expect(queriesOf(await refresh())).toBe(0);
      expect(row('d1')?.state).toBe('present');
    });
  });

  it('buries a device that is gone, with its modules', async () => {
    await onHub(async ({ client, context, want, refresh, row }) => {
      await client.createDevice({ deviceId: 'd1' });
      await client.createModule({ deviceId: 'd1', moduleId: 'm1' });
      await want([...ids('d1'), { deviceId: 'd1', moduleId: 'm1' }]);
      await refresh();
      await client.deleteDevice({ deviceId: 'd1' });
      context.advance(60_000);
      await want(ids('d1'), { mayBeGone: true });
      await refresh();
      expect([row('d1')?.state, row('d1', 'm1')?.state]).toEqual(['deleted', 'deleted']);
    });
  });

  it('reads what is gone a second time, if it may be too new to be readable', async () => {
    let readable: (() => Promise<void>) | undefined;
    await onHub(
      async ({ client, want, refresh, row, store, setOptions }) => {
        await client.createDevice({ deviceId: 'new' });
        await client.createModule({ deviceId: 'new', moduleId: 'm1' });
        await setOptions({ readLagMs: 60_000 });
        readable = () => setOptions({ readLagMs: 0 });
        await want([...ids('new'), { deviceId: 'new', moduleId: 'm1' }], { mayBeGone: true });
        await refresh();
        expect([row('new')?.state, row('new', 'm1')?.state]).toEqual(['present', 'present']);
        expect(row('new')?.changes.map(({ what }) => what)).toEqual([['found'], ['deleted']]);
        expect(store.isIdle()).toBe(true);
      },
      (store) => ({
        ...store,
        async write(hub, writes) {
          if (writes.some(({ key, row }) => key.moduleId === undefined && row?.state === 'deleted')) await readable?.();
          return store.write(hub, writes);
        },
      }),
    );
  });

  it('does not complete an edge device before its modules are wanted', async () => {
    let tries = 0;
    await onHub(
      async ({ client, want, refresh, row }) => {
        await client.createDevice({ deviceId: 'edge', capabilities: { iotEdge: true } });
        await want(ids('edge'));
        await refresh();
        expect(tries).toBe(2);
        expect([row('edge')?.state, row('edge', '$edgeHub')?.state]).toEqual(['present', 'present']);
      },
      (store) => ({
        ...store,
        async write(hub, writes) {
          const isOfModules = writes.some(({ key, row }) => key.moduleId !== undefined && row?.state === 'unknown');
          if (isOfModules && ++tries === 1) return writes;
          return store.write(hub, writes);
        },
      }),
    );
  });

  it('reads a module of a device that is disabled', async () => {
    await onHub(async ({ client, want, refresh, row }) => {
      await client.createDevice({ deviceId: 'd1' });
      await client.createModule({ deviceId: 'd1', moduleId: 'm1' });
      const device = await client.getDevice('d1');
      await client.updateDevice({ ...device, deviceId: 'd1', status: 'disabled' });
      await want([{ deviceId: 'd1', moduleId: 'm1' }], { mayBeGone: true });
      await refresh();
      expect(row('d1', 'm1')?.state).toBe('present');
    });
  });

  it('leaves a row as it is that was changed while the registry was read, and reads it once more', async () => {
    const order = { at: '2026-11-20T02:00:00.0000000Z', partition: 'p/0', sequence: 7 };
    let tries = 0;
    await onHub(
      async ({ client, want, refresh, row }) => {
        await client.createDevice({ deviceId: 'd1' });
        await want(ids('d1'));
        await refresh();
        expect(tries).toBe(2);
        expect(row('d1')).toMatchObject({ state: 'present', order });
      },
      (store) => ({
        ...store,
        async write(hub, writes) {
          tries += writes.length;
          const [before] = await store.read(hub, ids('d1'));
          if (tries === 1 && before !== undefined) store.put({ ...before.row, order });
          return store.write(hub, writes);
        },
      }),
    );
  });
});

describe('trouble', () => {
  it('of the hub is waited out; the queue stays, and the budget is told of throttles', async () => {
    await onHub(async ({ client, want, refresh, row, setFaults }) => {
      await client.createDevice({ deviceId: 'd1' });
      await want(ids('d1'));
      // The client tries each call three times.
      await setFaults([
        { operation: 'queryDevices', status: 429, count: 6 },
        { operation: 'queryDevices', drop: true, count: 3 },
      ]);
      const { waits, signals, state } = await refresh();
      expect(waits).toEqual([5, 10, 20]);
      expect(signals).toEqual(['throttled budget@default-queries', 'throttled budget@default-queries']);
      expect([state, row('d1')?.state]).toEqual(['done', 'present']);
    });
  });

  it('with rights is waited out, too; what a hub has no queries for is read by GET', async () => {
    await onHub(async ({ client, want, refresh, row, setFaults }) => {
      await client.createDevice({ deviceId: 'd1' });
      await want(ids('d1'));
      await setFaults([
        { operation: 'queryDevices', status: 401, count: 1 },
        { operation: 'queryDevices', code: 'OperationNotAvailableInCurrentTier', status: 403, count: 1 },
      ]);
      const drained = await refresh();
      expect([drained.waits, queriesOf(drained)]).toEqual([[5], 2]);
      expect(row('d1')).toMatchObject({ state: 'present' });
    });
  });

  it('with one row holds up no other', async () => {
    await onHub(async ({ client, want, refresh, row, store, setFaults, context }) => {
      for (const deviceId of ['bad', 'refused', 'good']) await client.createDevice({ deviceId });
      await want(ids('refused', '.', '..'), { mayBeGone: true });
      await want(ids('good'));
      const since = context.now().toISOString();
      // No row of ours: its changes are no list.
      store.put({ ...unknown('bad', since), changes: 7 as never });
      await setFaults([{ operation: 'getDevice', ids: ['refused'], code: 'ArgumentInvalid', status: 400 }]);
      context.advance(5);
      const { state } = await refresh();
      expect([state, row('good')?.state]).toEqual(['done', 'present']);
      const late = context.now().getTime() + 30 * 60_000;
      const isLate = ['bad', 'refused', '.', '..'].map((id) => Date.parse(row(id)?.wanted?.due ?? '') > late);
      expect(isLate).toEqual([true, true, true, true]);
    });
  });

  it('with the store ends the refresh; one that begins later finds the queue', async () => {
    let away = true;
    await onHub(
      async ({ client, want, refresh, row }) => {
        await client.createDevice({ deviceId: 'd1' });
        await want(ids('d1'));
        expect(await refresh()).toMatchObject({ state: 'stopped' });
        away = false;
        await refresh();
        expect(row('d1')?.state).toBe('present');
      },
      (store) => ({
        ...store,
        async write(hub, writes) {
          if (away) throw new StoreUnavailable('The store is away.');
          return store.write(hub, writes);
        },
      }),
    );
  });
});

describe('a queue that is too long', () => {
  it('is left to a reconcile, which is asked for once; if that was in vain, it is read all the same', async () => {
    await onHub(async ({ refresh, refreshContext, context, store }) => {
      const since = context.now().toISOString();
      store.put(...Array.from({ length: MOST_PENDING + 1 }, (_, at) => unknown(`d${at}`, since)));
      context.advance(5);
      expect(await refresh()).toMatchObject({ state: 'over', replies: [{ over: true, queries: 0 }] });
      expect(await readWantedReconcile(context.storage, HUB)).toMatchObject({ reason: expect.stringMatching(/20000/) });
      expect(await refresh()).toMatchObject({ state: 'over' });
      const look = { hub: HUB, look: true, queries: 0, msPerQuery: 0, operations: 0, msPerOperation: 0 };
      // It has begun.
      await noteBlob(context.storage, `wanted-reconcile/${HUB}`).delete();
      const during = async (more: object) => {
        const record = { kind: 'reconcile', runId: 'r1', hub: HUB, state: 'running', request: {}, ...more };
        async function* ids() {
          yield { runId: 'r1', final: false };
        }
        const runs = { ids, read: async () => record } as unknown as typeof refreshContext.runs;
        return (await refreshStep({ ...refreshContext, runs }, look)).over === true;
      };
      expect([
        await during({}),
        await during({ hub: 'west' }),
        await during({ request: { dryRun: true } }),
        await during({ suspendedAt: since }),
      ]).toEqual([true, false, false, false]);
      // It has ended.
      const reply = await refreshStep(refreshContext, look);
      expect(reply.over).toBeUndefined();
      expect(reply.left.queries).toBeGreaterThan(5);
      context.advance(60 * 60_000);
      expect(await refreshStep(refreshContext, look)).toMatchObject({ over: true });
    });
  });
});
