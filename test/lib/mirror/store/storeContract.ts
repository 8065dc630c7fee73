/** What every store of the mirror has to pass. */

import { beforeAll, describe, expect, it } from 'vitest';

import type { IdentityKey, MirrorRow } from '../../../../src/lib/mirror/rows/row.ts';
import { bucketOf } from '../../../../src/lib/mirror/store/bucketOf.ts';
import {
  BUCKETS,
  type MirrorStore,
  type RowRange,
  type RowWrite,
  type StoredRow,
} from '../../../../src/lib/mirror/store/mirrorStore.ts';

/** A row as one is when its device has just been created; what is given beside the key is laid over it. */
export function rowOf(hub: string, key: IdentityKey, more: Partial<MirrorRow> = {}): MirrorRow {
  return {
    hub,
    ...key,
    state: 'present',
    identity: { status: 'enabled', edge: false },
    twin: { version: 1, tags: { site: 'faro' }, desired: { interval: 60 }, reported: { battery: 0.5 } },
    order: { at: '2026-11-20T02:00:00.1234567Z', partition: 'MIRROR_EVENTS/0', sequence: 1 },
    updatedAt: '2026-11-20T02:00:01.000Z',
    changes: [{ at: '2026-11-20T02:00:00.1234567Z', by: 'event', what: ['created'] }],
    ...more,
  };
}

const wantedSince = (since: string, due?: string) => ({ wanted: { since, ...(due === undefined ? {} : { due }) } });

/** Each test works on a hub of its own. */
export function describeStore(name: string, open: () => Promise<MirrorStore>): void {
  describe(name, () => {
    let store: MirrorStore;
    let hubs = 0;
    const newHub = () => `hub${++hubs}`;
    beforeAll(async () => {
      store = await open();
      await store.prepare();
    });

    const insert = async (hub: string, ...rows: readonly MirrorRow[]): Promise<readonly RowWrite[]> =>
      store.write(
        hub,
        rows.map((row) => ({ key: row, row })),
      );
    /** As the store has them, not as it remembers them. */
    const readAll = (hub: string, keys: readonly IdentityKey[]) => store.read(hub, keys, { fresh: true });
    const one = async (hub: string, key: IdentityKey): Promise<StoredRow> => {
      const [stored] = await readAll(hub, [key]);
      if (stored === undefined) throw new Error(`There is no row of ${key.deviceId}.`);
      return stored;
    };
    const texts = async (rows: AsyncIterable<IdentityKey>): Promise<string[]> =>
      (await Array.fromAsync(rows)).map(({ deviceId, moduleId }) => (moduleId ? `${deviceId}/${moduleId}` : deviceId));
    const list = async (hub: string, range?: RowRange): Promise<string[]> =>
      texts((await Array.fromAsync(store.rows(hub, range))).map(({ row }) => row)[Symbol.iterator]() as never);
    const queue = async (hub: string, dueBy = '9', most = 1000): Promise<string[]> =>
      (await texts(store.wanted(hub, { dueBy, most }))).toSorted();

    it('may be prepared again', async () => {
      await expect(store.prepare()).resolves.toBeUndefined();
    });

    it('gives rows as they were written, in the order they are asked for, and none for those that are not there', async () => {
      const hub = newHub();
      const device = rowOf(hub, { deviceId: 'pump' }, { ...wantedSince('2026-11-20T02:00:00Z'), lastRun: 'run' });
      const module = rowOf(hub, { deviceId: 'pump', moduleId: 'valve' });
      const bare: MirrorRow = {
        hub,
        deviceId: 'x',
        state: 'unknown',
        updatedAt: '2026-11-20T02:00:01.000Z',
        changes: [],
      };
      expect(await insert(hub, device, module, bare)).toEqual([]);
      const read = await readAll(hub, [
        bare,
        { deviceId: 'none' },
        module,
        device,
        { deviceId: 'pump', moduleId: 'x' },
      ]);
      expect(read.map((stored) => stored?.row)).toEqual([bare, undefined, module, device, undefined]);
      expect(await readAll(hub, [])).toEqual([]);
      expect(await readAll(newHub(), [device])).toEqual([undefined]);
    });

    it('keeps ids with every character that hubs take, and says that there is no row of ids that none takes', async () => {
      const hub = newHub();
      const characters = "!#$%'()*+,-.0123456789:;=?@ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz";
      const keys: IdentityKey[] = [
        { deviceId: characters },
        { deviceId: characters, moduleId: characters },
        { deviceId: "'".repeat(128), moduleId: "';?#%".repeat(26).slice(0, 128) },
        { deviceId: "%23')" },
        { deviceId: 'a+b%2Bc' },
        { deviceId: 'A+b%2Bc' },
      ];
      expect(await insert(hub, ...keys.map((key) => rowOf(hub, key, wantedSince('2026-11-20T02:00:00Z'))))).toEqual([]);
      const read = await readAll(hub, keys);
      expect(read.map((stored) => stored?.row)).toEqual(
        keys.map((key) => rowOf(hub, key, wantedSince('2026-11-20T02:00:00Z'))),
      );
      expect(await queue(hub)).toHaveLength(keys.length);
      expect(
        await store.write(
          hub,
          read.map((before) => ({ key: before?.row as MirrorRow, row: undefined, before })),
        ),
      ).toEqual([]);
      expect(await list(hub)).toEqual([]);
      expect(await queue(hub)).toEqual([]);
      expect(
        await readAll(hub, [{ deviceId: 'ü' }, { deviceId: '' }, { deviceId: 'a b' }, { deviceId: 'a/b' }]),
      ).toEqual(new Array(4).fill(undefined));
    });

    it('writes over a row only as it was read, and says which were no longer so', async () => {
      const hub = newHub();
      await insert(hub, rowOf(hub, { deviceId: 'a' }));
      const before = await one(hub, { deviceId: 'a' });
      const write = { key: before.row, row: { ...before.row, lastRun: '1' }, before };
      expect(await store.write(hub, [write])).toEqual([]);
      const late = { key: before.row, row: { ...before.row, lastRun: '2' }, before };
      expect(await store.write(hub, [late])).toEqual([late]);
      const again = { key: before.row, row: { ...before.row, lastRun: '3' } };
      expect(await store.write(hub, [again])).toEqual([again]);
      const gone = { key: before.row, row: undefined, before };
      expect(await store.write(hub, [gone])).toEqual([gone]);
      expect((await one(hub, { deviceId: 'a' })).row.lastRun).toBe('1');
      const now = await one(hub, { deviceId: 'a' });
      expect(now.etag).not.toBe(before.etag);
      expect(await store.write(hub, [{ key: now.row, row: undefined, before: now }])).toEqual([]);
      expect(await readAll(hub, [now.row])).toEqual([undefined]);
      const overNone = { key: now.row, row: now.row, before: now };
      expect(await store.write(hub, [overNone])).toEqual([overNone]);
      expect(await store.write(hub, [{ key: now.row, row: undefined }])).toEqual([]);
      expect(await insert(hub, now.row)).toEqual([]);
    });

    it('writes all others when some of many have changed, wherever these stand', async () => {
      const hub = newHub();
      const inOneBucket = Array.from({ length: 4000 }, (_, n) => `d${n}`)
        .filter((id) => bucketOf(id) === 7)
        .slice(0, 20);
      const ids = [...inOneBucket, ...Array.from({ length: 10 }, (_, n) => `other${n}`)];
      await insert(hub, ...ids.map((deviceId) => rowOf(hub, { deviceId })));
      for (const lost of [[0], [19], [3, 4, 10, 19, 27], ids.map((_, at) => at)]) {
        const read = await readAll(
          hub,
          ids.map((deviceId) => ({ deviceId })),
        );
        const writes = read.flatMap((before) =>
          before === undefined
            ? []
            : [{ key: before.row, row: { ...before.row, lastRun: 'late', ...wantedSince('2026') }, before }],
        );
        const first = lost
          .flatMap((at) => writes[at] ?? [])
          .map((write) => ({ ...write, row: { ...write.row, lastRun: 'first' } }));
        expect(await store.write(hub, first)).toEqual([]);
        const conflicts = await store.write(hub, writes);
        expect(conflicts.map(({ key }) => key.deviceId).toSorted()).toEqual(lost.map((at) => ids[at]).toSorted());
        for (const { row } of await Array.fromAsync(store.rows(hub))) {
          expect(row.lastRun, row.deviceId).toBe(lost.some((at) => ids[at] === row.deviceId) ? 'first' : 'late');
        }
      }
      // Rows that are new, among them one that is not.
      const fresh = [...inOneBucket.slice(0, 1), ...inOneBucket.map((id) => `${id}!`)].map((deviceId) =>
        rowOf(hub, { deviceId }),
      );
      expect((await insert(hub, ...fresh)).map(({ key }) => key.deviceId)).toEqual(inOneBucket.slice(0, 1));
      expect(await list(hub)).toHaveLength(50);
    });

    it('lets one of many that write at once be first, and tells all others', async () => {
      const hub = newHub();
      const row = rowOf(hub, { deviceId: 'a' });
      const insertions = await Promise.all(Array.from({ length: 10 }, () => insert(hub, row)));
      expect(insertions.filter((conflicts) => conflicts.length === 0)).toHaveLength(1);
      const before = await one(hub, row);
      const updates = await Promise.all(
        Array.from({ length: 10 }, (_, n) =>
          store.write(hub, [{ key: row, row: { ...row, lastRun: `${n}` }, before }]),
        ),
      );
      const winner = updates.findIndex((conflicts) => conflicts.length === 0);
      expect(updates.filter((conflicts) => conflicts.length === 0)).toHaveLength(1);
      expect((await one(hub, row)).row.lastRun).toBe(`${winner}`);
    });

    it('keeps the largest twin that a hub has, and says of a row that none can be so large', async () => {
      const hub = newHub();
      const text = (bytes: number) => ({ text: '"ü\n'.repeat(bytes / 4) });
      const twin = { version: 2, tags: text(8 * 1024), desired: text(32 * 1024), reported: text(32 * 1024) };
      const changes = Array.from({ length: 20 }, () => ({
        at: '2026',
        by: 'event' as const,
        what: ['x'.repeat(1024)],
      }));
      const large = rowOf(hub, { deviceId: 'a' }, { twin, changes });
      expect(await insert(hub, large)).toEqual([]);
      const before = await one(hub, large);
      expect(before.row).toEqual(large);
      // And smaller again, and larger.
      const small = rowOf(hub, large);
      expect(await store.write(hub, [{ key: large, row: small, before }])).toEqual([]);
      expect((await one(hub, large)).row).toEqual(small);
      expect(await store.write(hub, [{ key: large, row: large, before: await one(hub, large) }])).toEqual([]);
      expect((await one(hub, large)).row).toEqual(large);
      const tooLarge = rowOf(hub, { deviceId: 'b' }, { twin: { ...twin, reported: text(2 ** 20) } });
      await expect(insert(hub, tooLarge)).rejects.toMatchObject({ name: 'RowTooLarge', key: { deviceId: 'b' } });
    });

    it('keeps what a write leaves as it was, and drops what it leaves out', async () => {
      const hub = newHub();
      const row = rowOf(hub, { deviceId: 'a' }, wantedSince('2026'));
      await insert(hub, row);
      const first = await one(hub, row);
      const { wanted: _, twin, ...others } = first.row;
      const checked: MirrorRow = {
        ...others,
        checkedAt: '2026-11-20T03:00:00Z',
        ...(twin === undefined ? {} : { twin }),
      };
      expect(await store.write(hub, [{ key: row, row: checked, before: first }])).toEqual([]);
      const second = await one(hub, row);
      expect(second.row).toEqual(checked);
      const tombstone: MirrorRow = {
        hub,
        deviceId: 'a',
        state: 'deleted',
        deletedAt: '2026-11-20T04:00:00Z',
        updatedAt: '2026-11-20T04:00:00Z',
        changes: second.row.changes,
      };
      expect(await store.write(hub, [{ key: row, row: tombstone, before: second }])).toEqual([]);
      expect((await one(hub, row)).row).toEqual(tombstone);
    });

    it('gives a device and its modules, and no others', async () => {
      const hub = newHub();
      const keys = ['a', 'a/m2', 'a/m1', 'a!', 'a!/m', 'a-', 'b', 'c/only'].map((text) => {
        const [deviceId = '', moduleId] = text.split('/');
        return moduleId === undefined ? { deviceId } : { deviceId, moduleId };
      });
      await insert(hub, ...keys.map((key) => rowOf(hub, key)));
      const of = async (deviceId: string) =>
        (await store.readDevice(hub, deviceId)).map(({ row }) =>
          row.moduleId ? `${row.deviceId}/${row.moduleId}` : row.deviceId,
        );
      expect(await of('a')).toEqual(['a', 'a/m1', 'a/m2']);
      expect(await of('a!')).toEqual(['a!', 'a!/m']);
      expect(await of('b')).toEqual(['b']);
      expect(await of('c')).toEqual(['c/only']);
      expect(await of('none')).toEqual([]);
      expect(await of('no id')).toEqual([]);
      const removed = await store.readDevice(hub, 'a');
      expect(
        await store.write(
          hub,
          removed.map((before) => ({ key: before.row, row: undefined, before })),
        ),
      ).toEqual([]);
      expect(await of('a')).toEqual([]);
      expect(await list(hub)).toEqual(['a!', 'a!/m', 'a-', 'b', 'c/only']);
    });

    it('says of a device that it has no modules only as long as that is so, and tells a write over it when it is not', async () => {
      const hub = newHub();
      const device = rowOf(hub, { deviceId: 'a' });
      const module = rowOf(hub, { deviceId: 'a', moduleId: 'm' });
      const states = [[device], [device, module], [module, device], [module], []];
      await insert(hub, device);
      const alone = await one(hub, device);
      await insert(hub, module);
      if (alone.noModules) {
        const write = { key: device, row: { ...device, lastRun: 'late' }, before: alone };
        expect(await store.write(hub, [write])).toEqual([write]);
      }
      expect((await one(hub, device)).noModules).toBeUndefined();
      // Whatever is written next, in whichever order the two came.
      for (const [at, rows] of states.entries()) {
        const deviceId = `b${at}`;
        for (const row of rows) await insert(hub, { ...row, deviceId });
        const device = { ...rowOf(hub, { deviceId }), lastRun: 'x' };
        for (const more of [{}, { tags: { a: 'x'.repeat(70_000) } }, {}]) {
          const [before] = await readAll(hub, [device]);
          if (before?.noModules) expect(rows).not.toContain(module);
          const row = { ...device, twin: { version: 1, tags: {}, desired: {}, reported: {}, ...more } };
          expect(await store.write(hub, [{ key: device, row, before }])).toEqual([]);
          const [known] = await store.read(hub, [device]);
          if (known?.noModules) expect(rows).not.toContain(module);
        }
        const [before] = await readAll(hub, [device]);
        expect(await store.write(hub, [{ key: device, row: undefined, before }])).toEqual([]);
        expect(await readAll(hub, [device])).toEqual([undefined]);
        expect(await list(hub, { prefix: deviceId })).toEqual(rows.includes(module) ? [`${deviceId}/m`] : []);
        expect(await insert(hub, device)).toEqual([]);
        expect((await store.readDevice(hub, deviceId)).map(({ row }) => row.moduleId)).toEqual(
          rows.includes(module) ? [undefined, 'm'] : [undefined],
        );
        if ((await one(hub, device)).noModules) expect(rows).not.toContain(module);
      }
    });

    it('marks a device whose row is written with that of its first module, and one that others change meanwhile', async () => {
      const hub = newHub();
      const device = rowOf(hub, { deviceId: 'a' });
      const modules = ['m', 'n'].map((moduleId) => rowOf(hub, { deviceId: 'a', moduleId }));
      expect(await insert(hub, ...modules, device)).toEqual([]);
      const before = await one(hub, device);
      expect(before.noModules).toBeUndefined();
      const other = rowOf(hub, { deviceId: 'b' });
      await insert(hub, other);
      const old = await one(hub, other);
      expect(await store.write(hub, [{ key: other, row: { ...other, lastRun: 'first' }, before: old }])).toEqual([]);
      const late = { key: other, row: { ...other, lastRun: 'late' }, before: old };
      const module = rowOf(hub, { deviceId: 'b', moduleId: 'm' });
      expect(await store.write(hub, [late, { key: module, row: module }])).toEqual([late]);
      expect((await one(hub, other)).noModules).toBeUndefined();
      expect((await store.readDevice(hub, 'b')).map(({ row }) => row)).toEqual([
        { ...other, lastRun: 'first' },
        module,
      ]);
      const gone = await one(hub, other);
      const next = rowOf(hub, { deviceId: 'b', moduleId: 'n' });
      expect(
        await store.write(hub, [
          { key: next, row: next },
          { key: other, row: undefined, before: gone },
        ]),
      ).toEqual([]);
      expect((await store.readDevice(hub, 'b')).map(({ row }) => row)).toEqual([module, next]);
    });

    it('finds the modules of a device that were written at once, when some of them were there before', async () => {
      const hub = newHub();
      const modules = Array.from({ length: 150 }, (_, n) => ({
        deviceId: 'edge',
        moduleId: `m${String(n).padStart(3, '0')}`,
      }));
      const rows = modules.map((key) => rowOf(hub, key, wantedSince('2026')));
      await insert(hub, ...rows.slice(0, 1));
      await insert(hub, rowOf(hub, { deviceId: 'edge' }));
      expect((await insert(hub, ...rows)).map(({ key }) => key.moduleId)).toEqual(['m000']);
      const found = await store.readDevice(hub, 'edge');
      expect(found.map(({ row }) => row.moduleId)).toEqual([undefined, ...modules.map(({ moduleId }) => moduleId)]);
      expect(await store.countWanted(hub, 1000)).toBe(150);
    });

    describe('lists rows', () => {
      let hub: string;
      const ids = [
        ...Array.from({ length: 150 }, (_, n) => `device-${n}`),
        'A',
        'Z',
        '_',
        'a',
        'a!',
        'a#',
        'a%',
        'a-',
        'a?',
        'aa',
        'z',
      ];
      const modules = ['a/m', 'a/b', 'a!/m', 'device-1/edge', 'device-10/edge'];
      const ordered = [...ids, ...modules].toSorted((a, b) => (a.replace('/', '\0') < b.replace('/', '\0') ? -1 : 1));
      const idOf = (text: string) => text.split('/')[0] ?? '';
      beforeAll(async () => {
        hub = newHub();
        const rows = [...ids, ...modules].map((text) => {
          const [deviceId = '', moduleId] = text.split('/');
          const state = text === 'device-3' ? 'deleted' : text === 'z' ? 'unknown' : 'present';
          return rowOf(hub, moduleId === undefined ? { deviceId } : { deviceId, moduleId }, {
            state,
            ...wantedSince('2026'),
          });
        });
        await insert(hub, ...rows);
        await insert(newHub(), rowOf(`hub${hubs}`, { deviceId: 'of another hub'.replaceAll(' ', '-') }));
      });

      it('of all buckets in one order, by the codes of the characters of their ids', async () => {
        expect(await list(hub)).toEqual(ordered);
        expect(await list(hub, { expect: 5 })).toEqual(ordered);
        expect(await list('none')).toEqual([]);
      });

      it('of each bucket', async () => {
        const all = await Promise.all(Array.from({ length: BUCKETS }, (_, bucket) => list(hub, { bucket })));
        expect(all).toEqual(all.map((_, bucket) => ordered.filter((text) => bucketOf(idOf(text)) === bucket)));
      });

      it.each(['a', 'a!', '', 'zz', 'a ', 'a&', 'device-1\u0000', 'device-1'])(
        'after %j, whether it is an id or not',
        async (after) => {
          const expected = ordered.filter((text) => idOf(text) > after);
          expect(await list(hub, { after })).toEqual(expected);
          expect(await list(hub, { after, prefix: 'device-' })).toEqual(
            expected.filter((text) => text.startsWith('device-')),
          );
        },
      );

      it.each(['a!', 'device-1', '', 'none', 'ä', 'a/'])('that begin with %j', async (prefix) => {
        expect(await list(hub, { prefix })).toEqual(ordered.filter((text) => idOf(text).startsWith(prefix)));
      });

      it('of devices or modules only, of those that are present only', async () => {
        expect(await list(hub, { of: 'modules' })).toEqual(ordered.filter((text) => text.includes('/')));
        expect(await list(hub, { of: 'devices' })).toEqual(ordered.filter((text) => !text.includes('/')));
        const present = ordered.filter((text) => text !== 'device-3' && text !== 'z');
        expect(await list(hub, { presentOnly: true })).toEqual(present);
        expect(await list(hub, { presentOnly: true, of: 'devices', prefix: 'device-' })).toEqual(
          present.filter((text) => text.startsWith('device-') && !text.includes('/')),
        );
      });

      it('without their properties and changes', async () => {
        const rows = await Array.fromAsync(store.rows(hub, { withoutProperties: true, prefix: 'device-1' }));
        const whole = await Array.fromAsync(store.rows(hub, { prefix: 'device-1' }));
        expect(rows.map(({ etag }) => etag)).toEqual(whole.map(({ etag }) => etag));
        expect(rows.map(({ row }) => row)).toEqual(
          whole.map(({ row }) => ({ ...row, changes: [], twin: { ...row.twin, desired: {}, reported: {} } })),
        );
      });

      it('as long as somebody takes them', async () => {
        const taken: string[] = [];
        for await (const { row } of store.rows(hub)) {
          taken.push(row.deviceId);
          if (taken.length === 3) break;
        }
        expect(taken).toEqual(ordered.slice(0, 3).map(idOf));
      });
    });

    describe('has a queue of rows that are wanted', () => {
      it('from when on they are due', async () => {
        const hub = newHub();
        await insert(
          hub,
          rowOf(hub, { deviceId: 'now' }, wantedSince('2026-11-20T02:00:00Z')),
          rowOf(hub, { deviceId: 'now', moduleId: 'm' }, wantedSince('2026-11-20T02:00:00Z')),
          rowOf(hub, { deviceId: 'later' }, wantedSince('2026-11-20T02:00:00Z', '2026-11-20T03:00:00Z')),
          rowOf(hub, { deviceId: 'not' }),
        );
        expect(await queue(hub, '2026-11-20T01:59:59Z')).toEqual([]);
        expect(await queue(hub, '2026-11-20T02:00:00Z')).toEqual(['now', 'now/m']);
        expect(await queue(hub, '2026-11-20T03:00:00Z')).toEqual(['later', 'now', 'now/m']);
        const [later] = (await Array.fromAsync(store.wanted(hub, { dueBy: '9', most: 9 }))).filter(
          ({ deviceId }) => deviceId === 'later',
        );
        expect(later).toEqual({ deviceId: 'later', due: '2026-11-20T03:00:00Z' });
      });

      it('that follows each write of a row, and only such as are done', async () => {
        const hub = newHub();
        const row = rowOf(hub, { deviceId: 'a' });
        await insert(hub, row);
        const first = await one(hub, row);
        const put = async (before: StoredRow, more: Partial<MirrorRow>) =>
          store.write(hub, [{ key: row, row: { ...row, ...more }, before }]);
        await put(first, wantedSince('1'));
        expect(await queue(hub)).toEqual(['a']);
        const second = await one(hub, row);
        expect(await put(first, {})).toHaveLength(1);
        expect(await queue(hub)).toEqual(['a']);
        await put(second, wantedSince('1', '5'));
        expect(await queue(hub, '4')).toEqual([]);
        expect(await queue(hub, '5')).toEqual(['a']);
        await put(await one(hub, row), {});
        expect(await queue(hub)).toEqual([]);
        const last = await one(hub, row);
        expect(await put(second, wantedSince('2'))).toHaveLength(1);
        expect(await queue(hub)).toEqual([]);
        await put(last, wantedSince('3'));
        const before = await one(hub, row);
        await store.write(hub, [{ key: row, row: undefined, before }]);
        expect(await queue(hub)).toEqual([]);
        expect(await store.countWanted(hub, 10)).toBe(0);
      });

      it('that gives so many of each bucket, and is counted no further than asked', async () => {
        const hub = newHub();
        const ids = Array.from({ length: 130 }, (_, n) => `d${n}`);
        await insert(hub, ...ids.map((deviceId, n) => rowOf(hub, { deviceId }, wantedSince(`${n % 2}`))));
        const taken = await queue(hub, '9', 1);
        expect(taken).toHaveLength(new Set(ids.map(bucketOf)).size);
        expect(new Set(taken.map(bucketOf)).size).toBe(taken.length);
        expect(await queue(hub, '0')).toHaveLength(65);
        expect(await store.countWanted(hub, 1000)).toBe(130);
        expect(await store.countWanted(hub, 100)).toBe(100);
        expect(await store.countWanted(hub, 0)).toBe(0);
        expect(await store.countWanted('none', 10)).toBe(0);
      });
    });

    it('may give rows of a moment ago to who writes, and finds out by the write whether they have changed', async () => {
      const hub = newHub();
      const row = rowOf(hub, { deviceId: 'a' });
      const recent = async () => (await store.read(hub, [row]))[0];
      await insert(hub, row);
      const before = await recent();
      expect(before?.row).toEqual(row);
      const other = await open();
      const [theirs] = await other.read(hub, [row]);
      await other.write(hub, [{ key: row, row: { ...row, lastRun: 'other' }, ...(theirs ? { before: theirs } : {}) }]);
      expect((await one(hub, row)).row.lastRun).toBe('other');
      const write = { key: row, row: { ...row, lastRun: 'mine' }, ...(before ? { before } : {}) };
      expect(await store.write(hub, [write])).toEqual([write]);
      expect((await recent())?.row.lastRun).toBe('other');
      const [isNew] = await store.read(hub, [{ deviceId: 'b', likelyNew: true }]);
      expect(isNew).toBeUndefined();
      await other.write(hub, [{ key: { deviceId: 'b' }, row: rowOf(hub, { deviceId: 'b' }) }]);
      const late = { key: { deviceId: 'b' }, row: rowOf(hub, { deviceId: 'b' }, { lastRun: 'mine' }) };
      expect(await store.write(hub, [late])).toEqual([late]);
    });
  });
}
