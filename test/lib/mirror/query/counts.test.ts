import { beforeEach, describe, expect, it } from 'vitest';

import { type CountContext, createCounts } from '../../../../src/lib/mirror/query/counts.ts';
import type { MirrorRow } from '../../../../src/lib/mirror/rows/row.ts';
import type { RowRange } from '../../../../src/lib/mirror/store/mirrorStore.ts';
import { MIRROR_CONTAINER } from '../../../../src/lib/storage/storage.ts';
import { startAzurite } from '../../../helpers/azurite.ts';
import { createMemoryMirrorStore, type MemoryMirrorStore } from '../../../helpers/memoryMirrorStore.ts';
import { testContext } from '../../../helpers/provisioningContext.ts';
import { AT, rowOf, tagged } from './sampleRows.ts';

let store: MemoryMirrorStore;
let context: CountContext;
let ms: number;
/** Buckets that were read. */
let read: number;

const fleet: readonly MirrorRow[] = [
  tagged('p-1', { site: 'faro', floor: 1 }),
  tagged('p-2', { site: 'faro' }, { identity: { status: 'disabled', edge: true } }),
  tagged('p-3', { site: 7 }, { identity: { status: 'enabled', parent: 'p-2' } }),
  rowOf('p-1', { moduleId: 'm' }),
  rowOf('gone', { state: 'deleted' }),
  rowOf('heard-of', { state: 'unknown' }),
  tagged('far', { site: 'faro' }, { hub: 'b' }),
];

beforeEach(async () => {
  const { storage } = testContext((await startAzurite()).connectionString);
  store = createMemoryMirrorStore();
  store.put(...fleet);
  [ms, read] = [0, 0];
  const rows = store.rows.bind(store);
  store.rows = (hub: string, range?: RowRange) => {
    read += 1;
    return rows(hub, range);
  };
  context = {
    store,
    container: storage.container(MIRROR_CONTAINER),
    hubs: ['a', 'b'],
    now: () => new Date(Date.parse(AT) + ms),
    sleep: async () => new Promise((resolve) => setTimeout(resolve, 5)),
  };
});

describe('devices', () => {
  it('are counted in sum and by what they have, those that are there alone', async () => {
    const { count } = createCounts(context);
    expect(await count(undefined, undefined)).toEqual({ devices: 4, modules: 1, at: AT });
    expect(await count('a', undefined)).toEqual({ devices: 3, modules: 1, at: AT });
    expect(await count(undefined, 'hub')).toMatchObject({ by: 'hub', groups: [group('a', 3), group('b', 1)] });
    expect(await count('a', 'status')).toMatchObject({ groups: [group('enabled', 2), group('disabled', 1)] });
    expect(await count('a', 'edge')).toMatchObject({ groups: [group('false', 2), group('true', 1)] });
    expect(await count('a', 'authenticationType')).toMatchObject({ groups: [group(null, 2), group('sas', 1)] });
    // Of all this each hub was read once.
    expect(read).toBe(2 * 64);
    expect(await count('a', 'parent')).toMatchObject({ groups: [group(null, 2), group('p-2', 1)] });
    expect(await count(undefined, 'tag.site')).toMatchObject({
      by: 'tag.site',
      groups: [group('faro', 3), group('7', 1)],
    });
    expect(await count('b', 'tag.floor')).toEqual({
      devices: 1,
      modules: 0,
      by: 'tag.floor',
      groups: [group(null, 1)],
      at: AT,
    });
  });

  it.each(['tags.site', 'tag.', 'tag.a..b', 'tag.$x', 'moduleId'])('are not counted by %s', async (by) => {
    await expect(createCounts(context).count('a', by)).rejects.toMatchObject({
      code: 'queryInvalid',
      message: 'by must be one of hub, status, edge, authenticationType, parent, or tag.PATH such as tag.site.',
    });
  });

  it('are not counted by what nearly each has its own of', async () => {
    store.put(...Array.from({ length: 5_001 }, (_, at) => tagged(`s-${at}`, { serial: `${at}` })));
    await expect(createCounts(context).count('a', 'tag.serial')).rejects.toMatchObject({
      code: 'tooManyGroups',
      message: 'By tag.serial the devices fall into more than 5000 groups.',
    });
  });
});

describe('a count', () => {
  it('is good for a minute, whichever instance of the app is asked', async () => {
    await createCounts(context).count('a', undefined);
    store.put(rowOf('new'));
    ms = 59_999;
    expect(await createCounts(context).count('a', undefined)).toMatchObject({ devices: 3, at: AT });
    ms = 60_000;
    expect(await createCounts(context).count('a', undefined)).toMatchObject({
      devices: 4,
      at: '2026-11-26T10:01:00.000Z',
    });
    expect(await createCounts(context).known('a')).toMatchObject({ devices: 4 });
    expect(await createCounts(context).known('b')).toBeUndefined();
  });

  it('is made once for all who ask at once', async () => {
    const instances = Array.from({ length: 3 }, () => createCounts(context));
    const asked = [...instances, ...instances].map(({ count }) => count('a', 'status'));
    expect(new Set((await Promise.all(asked)).map((count) => JSON.stringify(count))).size).toBe(1);
    expect(read).toBe(64);
  });

  it('that takes longer than a call may goes on with the next, with what was counted', async () => {
    const rows = store.rows.bind(store);
    const buckets: (number | undefined)[] = [];
    store.rows = (hub, range) => {
      buckets.push(range?.bucket);
      ms += 4_000;
      return rows(hub, range);
    };
    const { count } = createCounts(context);
    await expect(count('a', undefined)).rejects.toMatchObject({
      code: 'countUnderWay',
      message: 'The devices are being counted: 25 of 64 parts are done.',
    });
    await expect(count('a', undefined)).rejects.toMatchObject({ code: 'countUnderWay' });
    expect(await count('a', undefined)).toEqual({ devices: 3, modules: 1, at: AT });
    expect(buckets.toSorted((a = 0, b = 0) => a - b)).toEqual(Array.from({ length: 64 }, (_, bucket) => bucket));
    // Counting it took more than four minutes: nobody has to wait for the next at once.
    ms += 200_000;
    expect(await count('a', undefined)).toMatchObject({ at: AT });
    ms += 60_000;
    store.rows = rows;
    expect(await count('a', undefined)).toMatchObject({ devices: 3, at: context.now().toISOString() });
  });

  it('that was given up is taken over', async () => {
    const { count } = createCounts(context);
    const rows = store.rows.bind(store);
    store.rows = () => {
      throw new Error('no answer');
    };
    await expect(count('a', undefined)).rejects.toThrow('no answer');
    store.rows = rows;
    expect(await createCounts(context).count('a', undefined)).toMatchObject({ devices: 3 });
  });
});

function group(value: string | null, devices: number) {
  return { value, devices };
}
