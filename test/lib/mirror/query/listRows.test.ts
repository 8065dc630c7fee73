import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';

import { listRows, PAGE_LIMITS, type PageLimits } from '../../../../src/lib/mirror/query/listRows.ts';
import { compareRows } from '../../../../src/lib/mirror/query/place.ts';
import { matches, parseRowQuery } from '../../../../src/lib/mirror/query/rowQuery.ts';
import { rowView } from '../../../../src/lib/mirror/query/rowView.ts';
import { type MirrorRow, UNKNOWN_VERSION } from '../../../../src/lib/mirror/rows/row.ts';
import { createMemoryMirrorStore, type MemoryMirrorStore } from '../../../helpers/memoryMirrorStore.ts';
import { AT, rowOf, tagged } from './sampleRows.ts';

const HUBS = ['a', 'b'];
const NOW = () => new Date(AT);
const reconciledAt = async () => undefined;

function storeOf(rows: readonly MirrorRow[]): MemoryMirrorStore {
  const store = createMemoryMirrorStore();
  store.put(...rows);
  return store;
}

/** All pages of a query, as its reader gets them. */
async function pagesOf(store: MemoryMirrorStore, query: string, limits: PageLimits = PAGE_LIMITS) {
  const pages = [];
  for (let after: string | undefined; ; ) {
    const params = new URLSearchParams(query);
    if (after !== undefined) params.set('after', after);
    const page = await listRows({ store, hubs: HUBS, reconciledAt, now: NOW }, parseRowQuery(params, HUBS), limits);
    pages.push(page);
    after = page.next;
    if (after === undefined) return pages;
  }
}

const idArbitrary = fc.string({ unit: fc.constantFrom(...'a#%'), minLength: 1, maxLength: 2 });
const rowArbitrary = fc
  .record({
    hub: fc.constantFrom(...HUBS),
    deviceId: idArbitrary,
    moduleId: fc.option(fc.constantFrom('$edgeAgent', 'm'), { nil: undefined }),
    state: fc.constantFrom('present', 'present', 'present', 'deleted', 'unknown'),
    site: fc.constantFrom('x', 'y', 1),
    status: fc.constantFrom('enabled', 'disabled'),
  })
  .map(({ hub, deviceId, moduleId, state, site, status }) =>
    tagged(
      deviceId,
      { site },
      {
        hub,
        state: state as MirrorRow['state'],
        identity: { status: status as 'enabled' },
        ...(moduleId === undefined ? {} : { moduleId }),
      },
    ),
  );
const queryArbitrary = fc.constantFrom(
  ...[
    '',
    'modules=true',
    'module=m',
    'hub=b&modules=true',
    'tag=site=x',
    'tag=site=1&modules=true',
    'prefix=a',
    'id=a',
  ],
  ...['status=disabled', 'prefix=%23&modules=true', 'id=%23&modules=true'],
);

test('whatever is asked for, the pages together are the rows that match, in order, none twice', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(rowArbitrary, { maxLength: 30 }),
      queryArbitrary,
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 8 }),
      async (rows, query, limit, scanned) => {
        const store = storeOf(rows);
        const pages = await pagesOf(store, `${query}&limit=${limit}`, { ...PAGE_LIMITS, scanned });
        const filter = parseRowQuery(new URLSearchParams(query), HUBS);
        const expected = HUBS.flatMap((hub) => store.all(hub))
          .filter((row) => matches(row, filter))
          .toSorted(compareRows);
        expect(pages.flatMap((page) => page.rows)).toEqual(expected.map((row) => rowView(row, undefined)));
        expect(pages.every((page) => page.rows.length <= limit && page.scanned <= scanned)).toBe(true);
      },
    ),
    { numRuns: 200 },
  );
});

describe('a page', () => {
  const many = Array.from({ length: 50 }, (_, at) => rowOf(`d-${String(at).padStart(2, '0')}`));

  it('has the id of its last row to go on with, and the last none', async () => {
    const pages = await pagesOf(storeOf(many), 'hub=a&limit=25');
    expect(pages.map(({ next, rows }) => [next, rows.length])).toEqual([
      ['d-24', 25],
      [undefined, 25],
    ]);
  });

  it('of few that match ends in time, empty, with a place to go on from', async () => {
    const store = storeOf([...many, tagged('d-99', { site: 'faro' })]);
    const pages = await pagesOf(store, 'hub=a&tag=site=faro', { ...PAGE_LIMITS, scanned: 30 });
    expect(pages.map(({ next, rows, scanned }) => [next, rows.length, scanned])).toEqual([
      ['d-29', 0, 30],
      [undefined, 1, 21],
    ]);
  });

  it('ends when its time is up', async () => {
    const hundreds = Array.from({ length: 250 }, (_, at) => rowOf(`d-${String(at).padStart(3, '0')}`));
    let ms = 0;
    const now = () => new Date(ms++ * 10_000);
    const query = parseRowQuery(new URLSearchParams('limit=1000'), HUBS);
    const page = await listRows({ store: storeOf(hundreds), hubs: ['a'], reconciledAt, now }, query);
    expect(page).toMatchObject({ next: 'd-099', scanned: 100 });
  });

  it.each(['', 'status=enabled'])('of large twins ends before it is too large (%s)', async (query) => {
    const large = many.map((row) => ({
      ...row,
      twin: { tags: {}, desired: { x: 'x'.repeat(9_000) }, reported: {}, version: 1 },
    }));
    const pages = await pagesOf(storeOf(large), `hub=a&${query}`, { ...PAGE_LIMITS, bytes: 100_000 });
    expect(pages.map(({ rows }) => rows.length)).toEqual([11, 11, 11, 11, 6]);
    expect(pages.flatMap(({ rows }) => rows)).toEqual(large.map((row) => rowView(row, undefined)));
  });

  it('leaves out what matches no more when it is read with its properties', async () => {
    const store = storeOf(many);
    const read = store.read.bind(store);
    store.read = (hub, keys) => {
      store.put(rowOf('d-03', { identity: { status: 'disabled' } }), rowOf('d-04', { state: 'deleted' }));
      return read(hub, keys);
    };
    const [page] = await pagesOf(store, 'status=enabled&limit=5');
    expect(page?.rows.map(({ deviceId }) => deviceId)).toEqual(['d-00', 'd-01', 'd-02']);
  });
});

test('a row shows what is known, and null for what is not', () => {
  const twin = { tags: {}, desired: {}, reported: {}, version: UNKNOWN_VERSION };
  const { checkedAt: _never, ...row } = rowOf('new', { identity: {}, moduleId: 'm', twin });
  expect(rowView(row, undefined)).toEqual({
    hub: 'a',
    deviceId: 'new',
    moduleId: 'm',
    status: null,
    statusReason: null,
    edge: null,
    parent: null,
    authenticationType: null,
    tags: {},
    properties: { desired: {} },
    version: null,
    updatedAt: AT,
    checkedAt: null,
  });
});
