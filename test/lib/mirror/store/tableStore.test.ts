import { inspect } from 'node:util';

import type { TableClient } from '@azure/data-tables';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import type { MirrorRow } from '../../../../src/lib/mirror/rows/row.ts';
import { bucketOf } from '../../../../src/lib/mirror/store/bucketOf.ts';
import type { MirrorStore, StoredRow } from '../../../../src/lib/mirror/store/mirrorStore.ts';
import { partitionOfDevice, rowKeyOf } from '../../../../src/lib/mirror/store/rowKeys.ts';
import { createTableStore } from '../../../../src/lib/mirror/store/tableStore.ts';
import { connectTable } from '../../../../src/lib/storage/table.ts';
import { type Azurite, startAzurite } from '../../../helpers/azurite.ts';
import { type Fate, type HttpProxy, startProxy } from '../../../helpers/proxy.ts';
import { describeStore, rowOf } from './storeContract.ts';

let azurite: Azurite;
beforeAll(async () => {
  azurite = await startAzurite();
});
afterAll(() => azurite.stop());

function connect(name: string, port?: number, callMs = 20_000): TableClient {
  const { connectionString: direct } = azurite;
  const connectionString = port === undefined ? direct : direct.replace(/(TableEndpoint=[^;]*:)\d+/, `$1${port}`);
  const noCredential = () => {
    throw new Error('a connection string needs no credential');
  };
  const times = { tryMs: 20_000, callMs, pauseMs: 1 };
  return connectTable({ kind: 'connectionString', connectionString }, name, noCredential, times);
}

describeStore('the store in Azure Table storage', async () => createTableStore(connect('contract')));

const hub = 'default';
const device = rowOf(hub, { deviceId: 'pump' });
const insert = (store: MirrorStore, ...rows: readonly MirrorRow[]) =>
  store.write(
    hub,
    rows.map((row) => ({ key: row, row })),
  );
const read = async (store: MirrorStore, key = device) => (await store.read(hub, [key], { fresh: true }))[0];

describe('the table', () => {
  let table: TableClient;
  let store: MirrorStore;
  let tables = 0;
  beforeEach(() => {
    table = connect(`table${++tables}`);
    store = createTableStore(table);
  });

  it('is made when it is not there, whatever is done first, and again after somebody has deleted it', async () => {
    expect(await insert(store, device)).toEqual([]);
    await table.deleteTable();
    expect(await read(store)).toBeUndefined();
    await table.deleteTable();
    expect(await Array.fromAsync(store.rows(hub))).toEqual([]);
    await table.deleteTable();
    expect(await Array.fromAsync(store.wanted(hub, { dueBy: '9', most: 1 }))).toEqual([]);
    await table.deleteTable();
    expect(await store.readDevice(hub, 'pump')).toEqual([]);
    expect(await insert(store, device)).toEqual([]);
  });

  it('takes many large rows of one bucket, though a transaction has 4 MiB', async () => {
    const ids = Array.from({ length: 5000 }, (_, n) => `d${n}`).filter((id) => bucketOf(id) === 1);
    const text = 'x'.repeat(100 * 1024);
    const rows = ids.slice(0, 60).map((deviceId) => {
      const twin = { version: 1, tags: {}, desired: { text }, reported: {} };
      return rowOf(hub, { deviceId }, { twin, wanted: { since: '2026' } });
    });
    expect(await insert(store, ...rows)).toEqual([]);
    const listed = await Array.fromAsync(store.rows(hub, { bucket: 1 }));
    expect(listed.map(({ row }) => row.twin?.desired.text === text)).toEqual(new Array(60).fill(true));
    expect(await store.countWanted(hub, 100)).toBe(60);
  });

  it('keeps no piece of a twin that was once larger', async () => {
    const twin = { version: 1, tags: {}, desired: { text: 'x'.repeat(200_000) }, reported: {} };
    await insert(store, { ...device, twin });
    const entity = () => table.getEntity(partitionOfDevice(hub, 'pump'), rowKeyOf(device));
    expect(Object.keys(await entity())).toEqual(expect.arrayContaining(['Twin', 'Twin1', 'Twin2', 'Twin3']));
    const before = await read(store);
    await store.write(hub, [{ key: device, row: device, ...(before ? { before } : {}) }]);
    expect(Object.keys(await entity())).not.toContain('Twin1');
    expect((await read(store))?.row).toEqual(device);
  });

  it('sends of a row what has changed, and of a read that went through JSON all', async () => {
    await insert(store, device);
    const [before] = await store.read(hub, [device]);
    if (before === undefined) throw new Error('There is no row.');
    expect(await store.write(hub, [{ key: device, row: { ...before.row, checkedAt: '2026' }, before }])).toEqual([]);
    expect((await read(store))?.row).toEqual({ ...device, checkedAt: '2026' });
    const told = JSON.parse(JSON.stringify(await read(store))) as typeof before;
    expect(await store.write(hub, [{ key: device, row: { ...told.row, checkedAt: '2027' }, before: told }])).toEqual(
      [],
    );
    expect((await read(store))?.row).toEqual({ ...device, checkedAt: '2027' });
  });

  it('does not let a row that was read without its properties be written over', async () => {
    await insert(store, device);
    for await (const before of store.rows(hub, { withoutProperties: true })) {
      await expect(store.write(hub, [{ key: device, row: before.row, before }])).rejects.toThrow(
        'without its properties',
      );
    }
    expect((await read(store))?.row).toEqual(device);
  });

  describe('with a queue that another process has written', () => {
    const wanted = (deviceId: string, since: string) => rowOf(hub, { deviceId }, { wanted: { since } });
    const ids = Array.from({ length: 2000 }, (_, n) => `d${n}`)
      .filter((id) => bucketOf(id) === 5)
      .slice(0, 3) as [string, string, string];
    const due = async (of: MirrorStore) => {
      const rows = await Array.fromAsync(of.wanted(hub, { dueBy: '9', most: 10 }));
      return rows.map(({ deviceId, due }) => `${deviceId} ${due}`).toSorted();
    };
    const entries = async () => {
      const found: unknown[] = [];
      for await (const { rowKey } of table.listEntities()) if (rowKey?.startsWith('q')) found.push(rowKey);
      return found.length;
    };
    const satisfied = (before: StoredRow) => {
      const { wanted: _, ...row } = before.row;
      return { key: row, row, before };
    };
    const all = async (of: MirrorStore) =>
      (
        await of.read(
          hub,
          ids.map((deviceId) => ({ deviceId })),
        )
      ).flatMap((row) => row ?? []);

    it('lists what is wanted, each row once, as it is wanted now', async () => {
      await insert(store, ...ids.map((id) => wanted(id, '2026')));
      const other = createTableStore(table);
      expect(await due(other)).toEqual(ids.map((id) => `${id} 2026`).toSorted());
      const [first, ...others] = await all(other);
      if (first === undefined) throw new Error('There is no row.');
      const later = { ...first.row, wanted: { since: '2026', due: '2027' } };
      expect(await other.write(hub, [{ key: later, row: later, before: first }])).toEqual([]);
      const expected = [`${ids[0]} 2027`, `${ids[1]} 2026`, `${ids[2]} 2026`].toSorted();
      expect(await due(other)).toEqual(expected);
      expect(await due(createTableStore(table))).toEqual(expect.arrayContaining(expected));
      expect(await other.countWanted(hub, 10)).toBe(3);
      expect(await other.write(hub, others.map(satisfied))).toEqual([]);
      expect([await due(other), await other.countWanted(hub, 10), await entries()]).toEqual([[`${ids[0]} 2027`], 1, 1]);
    });

    it('may list what is wanted no more, until it is read: then it is taken out', async () => {
      await insert(store, ...ids.map((id) => wanted(id, '2026')));
      // Who did this is gone.
      expect(await createTableStore(table).write(hub, (await all(store)).map(satisfied))).toEqual([]);
      const other = createTableStore(table);
      expect(await due(other)).toHaveLength(3);
      await all(other);
      expect(await due(other)).toEqual([]);
      expect([await other.countWanted(hub, 10), await entries()]).toEqual([0, 0]);
      // This one still takes them for wanted.
      expect(await store.countWanted(hub, 10)).toBe(0);
    });

    it('loses no row that was wanted again meanwhile', async () => {
      await insert(store, ...ids.map((id) => wanted(id, '2026')));
      const other = createTableStore(table);
      const rows = await all(other);
      expect(await store.write(hub, (await all(store)).map(satisfied))).toEqual([]);
      expect(await entries()).toBe(0);
      const again = (
        await store.read(
          hub,
          rows.map(({ row }) => row),
        )
      ).flatMap((before) => {
        const row = before && { ...before.row, wanted: { since: '2026' } };
        return row === undefined ? [] : [{ key: row, row, before }];
      });
      expect(await store.write(hub, again)).toEqual([]);
      expect(await other.write(hub, rows.map(satisfied))).toHaveLength(3);
      for (const reader of [store, other, createTableStore(table)]) {
        expect(await due(reader)).toEqual(ids.map((id) => `${id} 2026`).toSorted());
        expect(await reader.countWanted(hub, 10)).toBe(3);
      }
    });

    it('gives so many of each bucket, and the others when those are read', async () => {
      const many = Array.from({ length: 20_000 }, (_, n) => `e${n}`).filter((id) => bucketOf(id) === 5);
      await insert(store, ...many.slice(0, 200).map((id) => wanted(id, '2026')));
      const other = createTableStore(table);
      const seen = new Set<string>();
      for (let round = 0; round < 4; round += 1) {
        const listed = await Array.fromAsync(other.wanted(hub, { dueBy: '9', most: 50 }));
        expect(listed).toHaveLength(50);
        for (const { deviceId } of listed) seen.add(deviceId);
        const rows = (await other.read(hub, listed)).flatMap((row) => row ?? []);
        expect(await other.write(hub, rows.map(satisfied))).toEqual([]);
      }
      expect(seen.size).toBe(200);
      expect([await due(other), await entries()]).toEqual([[], 0]);
    });
  });
});

describe('a table service that fails', () => {
  let proxy: HttpProxy;
  let store: MirrorStore;
  let fateOf: (isTransaction: boolean) => Fate | undefined;
  beforeAll(async () => {
    const target = Number(new URL(azurite.tableUrl).port);
    proxy = await startProxy(target, ({ url }) => fateOf(url?.endsWith('$batch') === true));
    fateOf = () => undefined;
    store = createTableStore(connect('failing', proxy.port));
    await insert(store, { ...device, wanted: { since: '2026' } });
  });
  afterEach(() => {
    fateOf = () => undefined;
  });
  afterAll(() => proxy.close());

  const usesOf = (used: MirrorStore): readonly (readonly [string, () => Promise<unknown>])[] => [
    ['prepare', () => used.prepare()],
    ['read', () => read(used)],
    ['readDevice', () => used.readDevice(hub, 'pump')],
    ['write', () => insert(used, rowOf(hub, { deviceId: 'new' }))],
    ['rows', () => Array.fromAsync(used.rows(hub))],
    ['wanted', () => Array.fromAsync(used.wanted(hub, { dueBy: '9', most: 1 }))],
    ['countWanted', () => used.countWanted(hub, 1)],
  ];
  const json = { 'content-type': 'application/json' };
  const odata = (code: string) => JSON.stringify({ 'odata.error': { code, message: { lang: 'en-US', value: 'No.' } } });
  const fates: readonly (readonly [name: string, fate: Fate, callMs: number])[] = [
    ['500', { status: 500, headers: json, body: odata('InternalError') }, 20_000],
    ['503 without a body', { status: 503 }, 20_000],
    ['503 that asks for an hour', { status: 503, headers: { 'retry-after': '3600' } }, 100],
    ['429', { status: 429, headers: json, body: odata('TooManyRequests') }, 20_000],
    ['403', { status: 403, headers: json, body: odata('AuthenticationFailed') }, 20_000],
    ['cut connections', 'cut', 20_000],
    ['silence', 'hang', 100],
  ];

  it.each(fates)('with %s is told as unavailable by each call, without a secret', async (_, fate, callMs) => {
    const uses = usesOf(createTableStore(connect('failing', proxy.port, callMs)));
    fateOf = () => fate;
    const errors = await Promise.all(
      uses.map(([, use]) =>
        use().then(
          () => 'no error',
          (error: unknown) => error,
        ),
      ),
    );
    for (const [at, error] of errors.entries()) {
      expect(error, uses[at]?.[0]).toMatchObject({ name: 'StoreUnavailable' });
      const told = inspect(error, { depth: 10, showHidden: true });
      expect(told).not.toMatch(/SharedKey|signature|authorization/i);
      expect(told).not.toContain(/AccountKey=([^;]+)/.exec(azurite.connectionString)?.[1]);
    }
    fateOf = () => undefined;
    expect((await read(store))?.row.deviceId).toBe('pump');
  });

  it.each<Fate>([{ status: 500 }, { status: 503 }, { status: 503, headers: { 'retry-after': '0' } }, 'cut'])(
    'for a moment (%j) is asked again',
    async (fate) => {
      for (const [name, use] of usesOf(store)) {
        let left = 2;
        fateOf = () => (left-- > 0 ? fate : undefined);
        await expect(use(), name).resolves.not.toThrow();
      }
    },
  );

  it('after it has done a write is told as a conflict, for it was asked again, and what is read then is what was written', async () => {
    let left = 1;
    fateOf = (isTransaction) => (isTransaction && left-- > 0 ? 'cutReply' : undefined);
    const row = rowOf(hub, { deviceId: 'lost' });
    expect((await insert(store, row)).map(({ key }) => key.deviceId)).toEqual(['lost']);
    expect((await store.read(hub, [row]))[0]?.row).toEqual(row);
  });

  it('in the middle of a write of many leaves no memory of rows that may not be so', async () => {
    const [before] = await store.read(hub, [device]);
    if (before === undefined) throw new Error('There is no row.');
    fateOf = (isTransaction) => (isTransaction ? 'cutReply' : undefined);
    const row = { ...before.row, lastRun: 'lost' };
    // The first try has been done: the second one meets its result.
    expect(await store.write(hub, [{ key: row, row, before }]).catch(() => 'unavailable')).toBe('unavailable');
    expect((await store.read(hub, [device]))[0]?.row.lastRun).toBe('lost');
  });

  it('refuses what is wrong with a request for good', async () => {
    fateOf = () => ({ status: 400, headers: json, body: odata('InvalidInput') });
    for (const [name, use] of usesOf(store)) await expect(use(), name).rejects.toMatchObject({ name: 'StoreRefused' });
  });

  it.each<Fate>([
    { status: 202, body: 'what is this?' },
    { status: 200, body: '<html>a proxy</html>' },
    { status: 404, body: '<html>nothing here</html>' },
  ])('that replies to a transaction with %j is none', async (fate) => {
    fateOf = (isTransaction) => (isTransaction ? fate : undefined);
    await expect(insert(store, rowOf(hub, { deviceId: 'x' }))).rejects.toMatchObject({ name: 'StoreUnavailable' });
  });

  it('that does not say which row of a transaction has changed is asked for each of them', async () => {
    const ids = Array.from({ length: 2000 }, (_, n) => `f${n}`).filter((id) => bucketOf(id) === 3);
    const rows = ids.slice(0, 10).map((deviceId) => rowOf(hub, { deviceId }));
    await insert(store, ...rows.slice(2, 4));
    const reply = `--changesetresponse_1\r\n\r\nHTTP/1.1 409 Conflict\r\n\r\n${odata('EntityAlreadyExists')}\r\n--changesetresponse_1--`;
    let left = 1;
    const headers = { 'content-type': 'multipart/mixed; boundary=batchresponse_1' };
    fateOf = (isTransaction) => (isTransaction && left-- > 0 ? { status: 202, headers, body: reply } : undefined);
    expect((await insert(store, ...rows)).map(({ key }) => key.deviceId)).toEqual(ids.slice(2, 4));
    expect(await Array.fromAsync(store.rows(hub, { prefix: 'f', bucket: 3 }))).toHaveLength(10);
  });
});
