/** Rows by range: of one bucket, page by page, and of all buckets merged into one order. */

import { createGate, heldBack } from './atOnce.ts';
import { BUCKETS, type RowRange, type StoredRow } from './mirrorStore.ts';
import { decodeRow, type Entity, isMarkAlone, PARTIAL_SELECT, sizeOf } from './rowEntity.ts';
import { type KeyRange, partitionOf, rowRange } from './rowKeys.ts';
import { type Page, type PageRequest, quoted, type TableAccess } from './tableAccess.ts';

/** How much is read ahead of whoever takes the rows. */
interface Ahead {
  /** Rows of the first page, while it is not known how large they are. */
  readonly first: number;
  readonly mostRows: number;
  readonly mostBytes: number;
}

/** Rows of a page of one bucket that is read alone, and of one of all of them, which are in memory at once. */
const MOST_ROWS = { alone: 1000, merged: 250 };
const MOST_BYTES = { alone: 8 * 1024 * 1024, merged: 512 * 1024 };
const FIRST_PAGE = { alone: 250, merged: 32 };
/** Pages that are asked for at once. */
const PAGES_AT_ONCE = 8;

type Ask = (request: PageRequest) => Promise<Page>;

export async function* readRange(
  table: TableAccess,
  hub: string,
  range: RowRange,
): AsyncGenerator<StoredRow, void, void> {
  const keys = rowRange(range);
  if (keys === undefined) return;
  const isAlone = range.bucket !== undefined;
  const buckets = range.bucket === undefined ? Array.from({ length: BUCKETS }, (_, bucket) => bucket) : [range.bucket];
  // Twice what falls to a bucket on average: half of a page is taken before the next one is asked for.
  const share = Math.ceil((2 * (range.expect ?? Number.POSITIVE_INFINITY)) / buckets.length) + 2;
  const ahead: Ahead = {
    first: Math.min(isAlone ? FIRST_PAGE.alone : FIRST_PAGE.merged, share),
    mostRows: isAlone ? MOST_ROWS.alone : MOST_ROWS.merged,
    mostBytes: isAlone ? MOST_BYTES.alone : MOST_BYTES.merged,
  };
  let isOver = false;
  const gate = createGate(PAGES_AT_ONCE);
  // Nothing more is asked for when one bucket cannot be read, or nobody takes more rows.
  const ask: Ask = (request) => gate(async () => (isOver ? { entities: [] } : table.page(request)));
  const sources = buckets.map((bucket) => entitiesOf(ask, requestOf(partitionOf(hub, bucket), keys, range), ahead));
  try {
    for await (const entity of merged(sources)) {
      if (!isMarkAlone(entity)) yield decodeRow(hub, entity, range.withoutProperties);
    }
  } finally {
    isOver = true;
  }
}

function requestOf(partitionKey: string, range: KeyRange, { of, presentOnly, withoutProperties }: RowRange) {
  const filters = [
    ...(presentOnly ? [`State eq ${quoted('present')}`] : []),
    ...(of === undefined ? [] : [`IsModule eq ${of === 'modules'}`]),
  ];
  return {
    partitionKey,
    range,
    ...(filters.length === 0 ? {} : { filter: filters.join(' and ') }),
    ...(withoutProperties ? { select: PARTIAL_SELECT } : {}),
  };
}

/** The entities of one bucket. Half way through a page the next one is asked for, so that nobody waits for it. */
async function* entitiesOf(
  askPage: Ask,
  request: Omit<PageRequest, 'size' | 'token'>,
  ahead: Ahead,
): AsyncGenerator<Entity, void, void> {
  const ask = (token: string | undefined, size: number) => heldBack(askPage({ ...request, size, token }));
  let page: Page = await ask(undefined, ahead.first);
  for (;;) {
    const { entities, token } = page;
    const size = sizeOfNext(entities, ahead);
    let next: Promise<Page> | undefined;
    for (const [at, entity] of entities.entries()) {
      if (token !== undefined && next === undefined && at >= entities.length / 2) next = ask(token, size);
      yield entity;
    }
    if (token === undefined) return;
    page = await (next ?? ask(token, size));
  }
}

/** Pages grow, as long as what they hold is small. */
function sizeOfNext(entities: readonly Entity[], { first, mostRows, mostBytes }: Ahead): number {
  if (entities.length === 0) return mostRows;
  const mean = entities.reduce((sum, entity) => sum + sizeOf(entity), 0) / entities.length;
  return Math.max(1, Math.min(mostRows, Math.floor(mostBytes / mean), 4 * Math.max(first, entities.length)));
}

/** Entities of sources that are each in order, in one order: by row key, code unit by code unit, as the service has it. */
async function* merged(sources: readonly AsyncGenerator<Entity, void, void>[]): AsyncGenerator<Entity, void, void> {
  const heads = await Promise.all(sources.map(async (source) => ({ source, result: await source.next() })));
  // The last one is the next to come.
  const waiting: { readonly source: AsyncGenerator<Entity, void, void>; readonly entity: Entity }[] = [];
  const put = (source: AsyncGenerator<Entity, void, void>, result: IteratorResult<Entity, void>): void => {
    if (result.done) return;
    const key = result.value.rowKey ?? '';
    let low = 0;
    let high = waiting.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((waiting[middle]?.entity.rowKey ?? '') > key) low = middle + 1;
      else high = middle;
    }
    waiting.splice(low, 0, { source, entity: result.value });
  };
  for (const { source, result } of heads) put(source, result);
  for (let head = waiting.pop(); head !== undefined; head = waiting.pop()) {
    yield head.entity;
    put(head.source, await head.source.next());
  }
}
