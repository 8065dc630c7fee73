import { describe, expect, it } from 'vitest';

import { applyEvents, RowsContended } from '../../../../src/lib/mirror/events/applyEvents.ts';
import type { MirrorEvent } from '../../../../src/lib/mirror/rows/mirrorEvent.ts';
import { keyText } from '../../../../src/lib/mirror/rows/row.ts';
import { type MirrorStore, RowTooLarge } from '../../../../src/lib/mirror/store/mirrorStore.ts';
import { createMemoryMirrorStore } from '../../../helpers/memoryMirrorStore.ts';
import { createRegistryModel } from '../../../helpers/registryModel.ts';

const HUB = 'default';
const now = () => new Date('2026-11-20T12:00:00.000Z');

function setUp(change: (store: MirrorStore) => Partial<MirrorStore> = () => ({})) {
  const kept = createMemoryMirrorStore();
  const calls: string[] = [];
  const counted: MirrorStore = {
    ...kept,
    read: (hub, keys, options) => {
      calls.push(`read ${keys.length}${options?.fresh ? ' fresh' : ''}`);
      return kept.read(hub, keys, options);
    },
    readDevice: (hub, deviceId) => {
      calls.push(`readDevice ${deviceId}`);
      return kept.readDevice(hub, deviceId);
    },
    write: (hub, writes) => {
      calls.push(`write ${writes.map(({ key }) => keyText(key)).join(' ')}`);
      return kept.write(hub, writes);
    },
  };
  const pauses: number[] = [];
  const sleep = async (ms: number) => {
    pauses.push(ms);
  };
  const context = { store: { ...counted, ...change(counted) }, now, sleep };
  const registry = createRegistryModel();
  const rows = () => Object.fromEntries(kept.all(HUB).map((row) => [keyText(row), row]));
  return { context, kept, calls, pauses, registry, rows };
}

describe('events of one batch', () => {
  it('are one write a row, whatever their number', async () => {
    const { context, calls, registry, rows } = setUp();
    registry.create({ deviceId: 'd1' });
    for (let n = 0; n < 50; n++) registry.patch({ deviceId: 'd1' }, { tags: { n } });
    registry.create({ deviceId: 'd2' });
    expect(await applyEvents(context, HUB, registry.events)).toEqual({ wanted: true, tooLarge: [] });
    expect(calls).toEqual(['read 2', 'write d1 d2']);
    expect(rows()['d1']).toMatchObject({ twin: { version: 52, tags: { n: 49 } } });
  });

  it('that were most likely applied before are looked up once', async () => {
    const { context, calls, registry } = setUp();
    registry.create({ deviceId: 'd1' });
    await applyEvents(context, HUB, registry.events);
    calls.length = 0;
    await applyEvents(context, HUB, registry.events, { again: true });
    expect(calls).toEqual(['read 1 fresh']);
  });

  it('that are known are looked up as they are stored, and written never', async () => {
    const { context, kept, calls, registry } = setUp();
    registry.create({ deviceId: 'd1' });
    registry.patch({ deviceId: 'd1' }, { tags: { a: 1 } });
    await applyEvents(context, HUB, registry.events);
    calls.length = 0;
    expect(await applyEvents(context, HUB, registry.events)).toEqual({ wanted: false, tooLarge: [] });
    expect(calls).toEqual(['read 1', 'read 1 fresh']);
    expect(kept.written()).toBe(1);
  });

  it('are judged by the row that is stored, not by one that is remembered', async () => {
    const { context, kept, registry, rows } = setUp((store) => {
      let old: Awaited<ReturnType<MirrorStore['read']>> | undefined;
      return {
        read: async (hub, keys, options) => {
          const found = await store.read(hub, keys, options);
          if (options?.fresh) return found;
          old ??= found;
          return old;
        },
      };
    });
    registry.create({ deviceId: 'd1' });
    registry.pass(10);
    registry.patch({ deviceId: 'd1' }, { tags: { a: 1 } });
    registry.remove({ deviceId: 'd1' });
    registry.create({ deviceId: 'd1' });
    registry.pass(10);
    registry.patch({ deviceId: 'd1' }, { tags: { a: 2 } });
    const [, , , , last] = registry.events as MirrorEvent[];
    await applyEvents({ ...context, store: kept }, HUB, registry.events.slice(0, 2));
    // Remembered with version 3 of the first life.
    await context.store.read(HUB, [{ deviceId: 'd1' }]);
    await applyEvents({ ...context, store: kept }, HUB, registry.events.slice(2, 4));
    await applyEvents(context, HUB, [last as MirrorEvent]);
    expect(rows()['d1']).toMatchObject({ twin: { version: 3, tags: { a: 2 } } });
  });
});

describe('two who write the same rows', () => {
  it('end in what both have to say', async () => {
    const { context, registry, rows } = setUp();
    registry.create({ deviceId: 'd1' });
    await applyEvents(context, HUB, registry.events);
    for (let n = 0; n < 20; n++) registry.patch({ deviceId: 'd1' }, { tags: { [`k${n}`]: n } });
    const [first, second] = [registry.events.slice(1, 11), registry.events.slice(1)];
    await Promise.all([applyEvents(context, HUB, first), applyEvents(context, HUB, second)]);
    expect(rows()['d1']?.twin).toEqual((registry.get({ deviceId: 'd1' }) as { twin: unknown }).twin);
  });

  it('give up when they meet again and again', async () => {
    const { context, pauses, registry } = setUp(() => ({ write: async (_, writes) => writes }));
    registry.create({ deviceId: 'd1' });
    await expect(applyEvents(context, HUB, registry.events)).rejects.toThrow(RowsContended);
    expect(pauses.length).toBe(9);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(400);
  });
});

describe('modules', () => {
  it('go with their device', async () => {
    const { context, calls, registry, rows } = setUp();
    registry.create({ deviceId: 'd1' });
    for (const moduleId of ['m1', 'm2']) registry.create({ deviceId: 'd1', moduleId });
    registry.create({ deviceId: 'd2' });
    await applyEvents(context, HUB, registry.events);
    calls.length = 0;
    registry.pass(1);
    registry.remove({ deviceId: 'd1' });
    await applyEvents(context, HUB, registry.events.slice(-1));
    expect(calls.filter((call) => call.startsWith('write'))).toEqual(['write d1', 'write d1/m1 d1/m2']);
    const states = Object.entries(rows()).map(([name, { state, wanted }]) => [name, state, wanted === undefined]);
    expect(states).toEqual([
      ['d1', 'deleted', true],
      ['d1/m1', 'deleted', true],
      ['d1/m2', 'deleted', true],
      ['d2', 'present', false],
    ]);
  });

  it('are looked for only where there may be some', async () => {
    const { context, calls, registry, rows } = setUp();
    for (const deviceId of ['d1', 'd2', 'd3']) registry.create({ deviceId });
    registry.create({ deviceId: 'd2', moduleId: 'm1' });
    await applyEvents(context, HUB, registry.events);
    const before = registry.events.length;
    registry.pass(1);
    registry.create({ deviceId: 'd3', moduleId: 'm1' });
    for (const deviceId of ['d1', 'd2', 'd3']) registry.remove({ deviceId });
    calls.length = 0;
    await applyEvents(context, HUB, registry.events.slice(before));
    expect(calls.filter((call) => call.startsWith('readDevice'))).toEqual(['readDevice d2', 'readDevice d3']);
    expect(Object.values(rows()).map(({ state }) => state)).toEqual(new Array(5).fill('deleted'));
  });

  it('go with it also when that failed the first time', async () => {
    let isDown = true;
    const { context, registry, rows } = setUp((store) => ({
      readDevice: async (hub, deviceId) => {
        if (isDown) throw new Error('down');
        return store.readDevice(hub, deviceId);
      },
    }));
    registry.create({ deviceId: 'd1' });
    registry.create({ deviceId: 'd1', moduleId: 'm1' });
    await applyEvents(context, HUB, registry.events);
    registry.pass(1);
    registry.remove({ deviceId: 'd1' });
    await expect(applyEvents(context, HUB, registry.events.slice(-1))).rejects.toThrow('down');
    expect(rows()['d1/m1']).toMatchObject({ state: 'present' });
    isDown = false;
    await applyEvents(context, HUB, registry.events.slice(-1));
    expect(rows()['d1/m1']).toMatchObject({ state: 'deleted' });
  });

  it('of which a late event tells, after their device was deleted, are read by GET', async () => {
    const { context, registry, rows } = setUp();
    registry.create({ deviceId: 'd1' });
    registry.create({ deviceId: 'd1', moduleId: 'm1' });
    registry.remove({ deviceId: 'd1' });
    const [device, module, deleted] = registry.events as [MirrorEvent, MirrorEvent, MirrorEvent];
    await applyEvents(context, HUB, [device, deleted]);
    await applyEvents(context, HUB, [module]);
    expect(rows()['d1/m1']).toMatchObject({
      state: 'present',
      wanted: { byGet: true },
      deletedAt: now().toISOString(),
    });
  });

  it.each<['write' | 'readDevice', object]>([
    ['write', { state: 'deleted' }],
    ['readDevice', { state: 'present', wanted: { byGet: true }, deletedAt: now().toISOString() }],
  ])('that come while their device goes are found by one of the two: at its %s', async (at, row) => {
    let isFirst = true;
    const { context, kept, registry, rows } = setUp((store) => {
      const meanwhile = async () => {
        if (!isFirst || rows()['d1'] === undefined) return;
        isFirst = false;
        await applyEvents({ store: kept, now, sleep: async () => {} }, HUB, [late]);
      };
      return {
        write: async (hub, writes) => {
          if (at === 'write') await meanwhile();
          return store.write(hub, writes);
        },
        readDevice: async (hub, deviceId) => {
          const found = await store.readDevice(hub, deviceId);
          await meanwhile();
          return found;
        },
      };
    });
    registry.create({ deviceId: 'd1' });
    // A device that never had a module is not asked for any.
    if (at === 'readDevice') registry.create({ deviceId: 'd1', moduleId: 'm0' });
    const known = registry.events.length;
    registry.create({ deviceId: 'd1', moduleId: 'm1' });
    const late = registry.events[known] as MirrorEvent;
    registry.pass(5);
    registry.remove({ deviceId: 'd1' });
    await applyEvents(context, HUB, registry.events.slice(0, known));
    await applyEvents(context, HUB, registry.events.slice(known + 1));
    expect(rows()['d1/m1']).toMatchObject(row);
  });
});

describe('an event that makes a row too large', () => {
  const refusing =
    (names: readonly string[]) =>
    (store: MirrorStore): Partial<MirrorStore> => ({
      write: async (hub, writes) => {
        const large = writes.find(({ key, row }) => names.includes(keyText(key)) && JSON.stringify(row).length > 1_000);
        if (large !== undefined) throw new RowTooLarge(large.key);
        return store.write(hub, writes);
      },
    });
  const text = 'x'.repeat(2_000);

  it('is told, holds up no other, and has the registry asked', async () => {
    const { context, registry, rows } = setUp(refusing(['d1', 'd3']));
    for (const deviceId of ['d1', 'd2', 'd3']) registry.create({ deviceId });
    await applyEvents(context, HUB, registry.events);
    for (const deviceId of ['d1', 'd2', 'd3']) registry.patch({ deviceId }, { tags: { text } });
    const { tooLarge } = await applyEvents(context, HUB, registry.events.slice(3));
    expect(tooLarge.map(keyText)).toEqual(['d1', 'd3']);
    expect(rows()['d2']).toMatchObject({ twin: { version: 3 } });
    for (const name of ['d1', 'd3']) {
      expect(rows()[name]).toMatchObject({ twin: { version: 2 }, wanted: { byGet: true } });
    }
  });

  it('does not keep its device from being deleted', async () => {
    const { context, registry, rows } = setUp(refusing(['d1']));
    registry.create({ deviceId: 'd1' }, { tags: { text } });
    registry.pass(1);
    registry.remove({ deviceId: 'd1' });
    const { tooLarge } = await applyEvents(context, HUB, registry.events.slice(0, 1));
    expect(tooLarge.map(({ kind }) => kind)).toEqual(['created']);
    expect(rows()['d1']).toMatchObject({ state: 'unknown', wanted: { byGet: true } });
    expect(await applyEvents(context, HUB, registry.events.slice(1))).toMatchObject({ tooLarge: [] });
    expect(rows()['d1']).toMatchObject({ state: 'deleted' });
  });
});
