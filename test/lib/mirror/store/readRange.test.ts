/** How much is asked for, and when; that what is asked for is right, the contract of stores tests with a table. */

import { setImmediate as tick } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';

import { BUCKETS } from '../../../../src/lib/mirror/store/mirrorStore.ts';
import { readRange } from '../../../../src/lib/mirror/store/readRange.ts';
import type { Entity } from '../../../../src/lib/mirror/store/rowEntity.ts';
import type { PageRequest, TableAccess } from '../../../../src/lib/mirror/store/tableAccess.ts';

const HEAD = { state: 'unknown', updatedAt: '2026', twin: { version: 1, tags: {} } };
const bytes = (value: unknown) => Buffer.from(JSON.stringify(value));

/** A table with so many rows in each partition, whose twins have so many bytes; what was asked of it. */
function createTable(rows: number, twinBytes = 10) {
  const asked: PageRequest[] = [];
  const seen = { most: 0, fails: false };
  let running = 0;
  const entityOf = (partitionKey: string, at: number): Entity => ({
    // In turn of all partitions.
    rowKey: `i${String(at).padStart(6, '0')}-${partitionKey.slice(-2)}`,
    etag: 'e',
    Row: bytes(HEAD),
    Twin: bytes({ desired: { text: 'x'.repeat(twinBytes) }, reported: {} }),
    Changes: bytes([]),
  });
  const page: TableAccess['page'] = async (request) => {
    asked.push(request);
    running += 1;
    seen.most = Math.max(seen.most, running);
    await tick();
    running -= 1;
    if (seen.fails) throw new Error('no page');
    const from = Number(request.token ?? 0);
    const size = Math.min(request.size, rows - from);
    const entities = Array.from({ length: size }, (_, at) => entityOf(request.partitionKey, from + at));
    return from + size < rows ? { entities, token: String(from + size) } : { entities };
  };
  return { table: { page } as TableAccess, asked, seen };
}

const take = async (rows: AsyncIterable<unknown>, most: number): Promise<number> => {
  let taken = 0;
  for await (const _ of rows) {
    taken += 1;
    if (taken === most) break;
  }
  return taken;
};

describe('rows of all buckets', () => {
  it('are asked for in few pages, some at once, and all come in order', async () => {
    const { table, asked, seen } = createTable(1000);
    const ids = (await Array.fromAsync(readRange(table, 'hub', {}))).map(({ row }) => row.deviceId);
    expect(ids).toHaveLength(BUCKETS * 1000);
    expect(ids).toEqual(ids.toSorted());
    expect(seen.most).toBe(8);
    expect(asked.length).toBeLessThanOrEqual(BUCKETS * 7);
  });

  it('are read no further than is likely to be taken', async () => {
    const { table, asked } = createTable(1000);
    expect(await take(readRange(table, 'hub', { expect: 64 }), 64)).toBe(64);
    expect(asked).toHaveLength(BUCKETS);
    expect(Math.max(...asked.map(({ size }) => size))).toBeLessThan(10);
  });

  it('that are large are few in memory', async () => {
    const { table, asked } = createTable(300, 100_000);
    expect(await take(readRange(table, 'hub', { expect: 64 }), BUCKETS * 30)).toBe(BUCKETS * 30);
    expect(Math.max(...asked.map(({ size }) => size))).toBeLessThanOrEqual(5);
  });

  it('are asked for no more once a bucket cannot be read', async () => {
    const { table, asked, seen } = createTable(1000);
    seen.fails = true;
    await expect(take(readRange(table, 'hub', {}), 1)).rejects.toThrow('no page');
    for (let round = 0; round < BUCKETS; round += 1) await tick();
    expect(asked.length).toBeLessThanOrEqual(16);
  });

  it('may fail in a page that nobody waits for any more', async () => {
    const { table, seen } = createTable(1000);
    const rows = readRange(table, 'hub', {});
    // The next page of some bucket is on its way.
    for (let taken = 0; taken <= 16 * BUCKETS; taken += 1) await rows.next();
    seen.fails = true;
    await rows.return();
    for (let round = 0; round < 3; round += 1) await tick();
  });
});

describe('rows of one bucket', () => {
  it('are asked for in large pages, the next one while the one before is taken', async () => {
    const { table, asked, seen } = createTable(5000);
    const rows = readRange(table, 'hub', { bucket: 7 });
    for (let taken = 0; taken < 130; taken += 1) await rows.next();
    expect(asked.map(({ size }) => size)).toEqual([250, 1000]);
    expect(await take(rows, 10_000)).toBe(5000 - 130);
    expect(asked.length).toBe(6);
    expect(new Set(asked.map(({ partitionKey }) => partitionKey))).toEqual(new Set(['hub|07']));
    expect(seen.most).toBe(1);
  });
});
