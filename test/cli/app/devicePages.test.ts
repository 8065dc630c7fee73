import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import { afterEach, expect, test } from 'vitest';

import type { Connection } from '../../../cli/app/connection.ts';
import { devicePages } from '../../../cli/app/devicePages.ts';

const server = createServer();
afterEach(() => void server.close());

/** An app that gives these pages, one a call; and what it was asked. */
async function appOf(pages: readonly object[]): Promise<{ readonly connection: Connection; readonly asked: string[] }> {
  const asked: string[] = [];
  server.removeAllListeners('request');
  server.on('request', ({ url = '' }, response) => {
    const page = pages[asked.push(url.slice(1)) - 1];
    response.writeHead(page === undefined ? 500 : 200).end(JSON.stringify(page ?? {}));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { connection: { api: { url } } as unknown as Connection, asked };
}

const rows = (...ids: readonly string[]) => ids.map((deviceId) => ({ deviceId }));
const { signal } = new AbortController();
const idsOf = (pages: readonly { readonly rows: readonly { readonly deviceId: string }[] }[]) =>
  pages.map((page) => page.rows.map(({ deviceId }) => deviceId));

test('pages follow each other to the last, and those without a row are passed over', async () => {
  const { connection, asked } = await appOf([
    { rows: [], next: 'a#b', scanned: 20_000 },
    { rows: rows('b', 'c'), next: 'c', scanned: 2 },
    { rows: [], next: 'x', scanned: 1 },
    { rows: rows('y'), scanned: 1 },
  ]);
  const scanned: number[] = [];
  const filters = new URLSearchParams([
    ['tag', 'site=faro'],
    ['tag', 'a=b&c'],
  ]);
  const query = { filters, limit: Number.POSITIVE_INFINITY, signal, onScanned: (count: number) => scanned.push(count) };
  const pages = await Array.fromAsync(devicePages(connection, query));
  expect(idsOf(pages)).toEqual([['b', 'c'], ['y']]);
  expect(pages.map(({ hasMore }) => hasMore)).toEqual([true, false]);
  expect(asked.map((path) => decodeURIComponent(path.replace('devices?tag=site%3Dfaro&tag=a%3Db%26c&', '')))).toEqual([
    'limit=1000',
    'limit=1000&after=a#b',
    'limit=1000&after=c',
    'limit=1000&after=x',
  ]);
  expect(scanned).toEqual([20_000, 20_002, 20_003]);
});

test('no more are asked for than are wanted, over all pages', async () => {
  const { connection, asked } = await appOf([
    { rows: rows('a', 'b'), next: 'b', scanned: 2 },
    { rows: rows('c'), next: 'c', scanned: 1 },
  ]);
  const pages = await Array.fromAsync(devicePages(connection, { filters: new URLSearchParams(), limit: 3, signal }));
  expect(idsOf(pages)).toEqual([['a', 'b'], ['c']]);
  expect(pages.at(-1)?.hasMore).toBe(true);
  expect(asked).toEqual(['devices?limit=3', 'devices?limit=1&after=b']);
});

test('where nothing matches there is one page without a row', async () => {
  const { connection } = await appOf([
    { rows: [], next: 'b', scanned: 2 },
    { rows: [], scanned: 0 },
  ]);
  const pages = await Array.fromAsync(devicePages(connection, { filters: new URLSearchParams(), limit: 3, signal }));
  expect(pages).toEqual([{ rows: [], hasMore: false }]);
});
