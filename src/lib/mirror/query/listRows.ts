/** `GET /api/devices`: rows of all hubs in one order, page by page, each page in a bounded time. */

import { isHubId } from '../rows/hubId.ts';
import { keyOf, type MirrorRow } from '../rows/row.ts';
import type { MirrorStore, RowRange, StoredRow } from '../store/mirrorStore.ts';
import { mergeRows } from './mergeRows.ts';
import { compareRows, isBehind, placeText } from './place.ts';
import { isSelective, matches, type RowQuery } from './rowQuery.ts';
import { type RowView, rowView } from './rowView.ts';

export interface RowPage {
  /** May be none although there is a `next`: few match. */
  readonly rows: readonly RowView[];
  /** What `after` goes on with; absent: there are no more. */
  readonly next?: string;
  /** Rows that were looked at. */
  readonly scanned: number;
}

export interface QueryContext {
  readonly store: MirrorStore;
  /** Aliases of the hubs that there are. */
  readonly hubs: readonly string[];
  /** When the last reconcile of a hub began, ISO UTC. */
  readonly reconciledAt: (hub: string) => Promise<string | undefined>;
  readonly now: () => Date;
}

/** Whatever ends a page first. A call of the HTTP API is cut off after 230 s in Azure, and people wait for it. */
export interface PageLimits {
  readonly scanned: number;
  readonly ms: number;
  /** Of what is answered: a row may have 40 KB. */
  readonly bytes: number;
}

export const PAGE_LIMITS: PageLimits = { scanned: 20_000, ms: 15_000, bytes: 4_000_000 };

/** @throws StoreUnavailable */
export async function listRows(
  context: QueryContext,
  query: RowQuery,
  limits: PageLimits = PAGE_LIMITS,
): Promise<RowPage> {
  const hubs = query.hub === undefined ? context.hubs : [query.hub];
  const selective = isSelective(query);
  const { found, last, scanned, isEnd } = await scan(context, hubs, { query, limits, selective });
  const again = selective ? context.store : undefined;
  const reconciled = new Map(
    await Promise.all(hubs.map(async (hub) => [hub, await context.reconciledAt(hub)] as const)),
  );
  const view = (row: MirrorRow): RowView => rowView(row, reconciled.get(row.hub));
  const { rows, cutAt } = await whole(again, found, { query, view, mostBytes: limits.bytes });
  const end = cutAt ?? (isEnd ? undefined : last);
  return { rows, ...(end === undefined ? {} : { next: placeText(placeOf(end, query, hubs.length)) }), scanned };
}

interface Scan {
  readonly query: RowQuery;
  readonly limits: PageLimits;
  readonly selective: boolean;
}

/** The rows that match, up to the first limit that is reached. */
async function scan({ store, now }: QueryContext, hubs: readonly string[], { query, limits, selective }: Scan) {
  const endsAt = now().getTime() + limits.ms;
  const found: MirrorRow[] = [];
  let scanned = 0;
  let last: MirrorRow | undefined;
  for await (const { row } of mergeRows(hubs.map((hub) => rowsOf(store, hub, query, selective)))) {
    // There is a row behind the last: else it was the last of all.
    const isLate = scanned % 100 === 0 && now().getTime() >= endsAt;
    if (last !== undefined && (found.length >= query.limit || scanned >= limits.scanned || isLate)) {
      return { found, last, scanned, isEnd: false };
    }
    last = row;
    scanned += 1;
    if (matches(row, query)) found.push(row);
  }
  return { found, last, scanned, isEnd: true };
}

const READ_AT_ONCE = 100;

interface Answer {
  readonly query: RowQuery;
  readonly view: (row: MirrorRow) => RowView;
  readonly mostBytes: number;
}

/**
 * What is answered of the rows that were found: read anew with their properties, where they were read without. What has
 * changed so that it matches no more is left out then.
 *
 * @param cutAt the row that the answer ends with, because more would be too large
 */
async function whole(store: MirrorStore | undefined, found: readonly MirrorRow[], { query, view, mostBytes }: Answer) {
  const rows: RowView[] = [];
  let bytes = 0;
  for (let start = 0; start < found.length; start += READ_AT_ONCE) {
    const chunk = found.slice(start, start + READ_AT_ONCE);
    const read = store === undefined ? chunk : await readAgain(store, chunk);
    for (const [index, row] of read.entries()) {
      if (row === undefined || !matches(row, query)) continue;
      const viewed = view(row);
      rows.push(viewed);
      bytes += JSON.stringify(viewed).length;
      if (bytes >= mostBytes && start + index + 1 < found.length) return { rows, cutAt: chunk[index] };
    }
  }
  return { rows };
}

/** In the order of `rows`. */
async function readAgain(store: MirrorStore, rows: readonly MirrorRow[]): Promise<(MirrorRow | undefined)[]> {
  const read = new Map<MirrorRow, MirrorRow | undefined>();
  for (const hub of new Set(rows.map((row) => row.hub))) {
    const ofHub = rows.filter((row) => row.hub === hub);
    const keys = ofHub.map(keyOf);
    // Who asks wants the row as it is, not as this process remembers it.
    const stored = await store.read(hub, keys, { fresh: true });
    for (const [index, row] of ofHub.entries()) read.set(row, stored[index]?.row);
  }
  return rows.map((row) => read.get(row));
}

/** All that may match in a hub, behind the place that is asked for. */
async function* rowsOf(store: MirrorStore, hub: string, query: RowQuery, selective: boolean) {
  const { id, prefix, after, modules } = query;
  if (id !== undefined) {
    if (!isHubId(id)) return;
    const rows = await store.readDevice(hub, id);
    yield* rows.filter(({ row }) => after === undefined || isAfter(row, after)).toSorted(byPlace);
    return;
  }
  // Its rows may be divided by the end of a page.
  if (after?.moduleId !== undefined && isHubId(after.deviceId)) {
    const rows = await store.readDevice(hub, after.deviceId);
    yield* rows.filter(({ row }) => isBehind(row, after)).toSorted(byPlace);
  }
  const range: RowRange = {
    presentOnly: true,
    ...(after === undefined ? {} : { after: after.deviceId }),
    ...(prefix === undefined ? {} : { prefix }),
    ...(modules === 'none' ? { of: 'devices' } : modules === 'too' ? {} : { of: 'modules' }),
    ...(selective ? { withoutProperties: true } : { expect: query.limit + 1 }),
  };
  yield* store.rows(hub, range);
}

function isAfter(row: MirrorRow, after: NonNullable<RowQuery['after']>): boolean {
  return row.deviceId > after.deviceId || (row.deviceId === after.deviceId && isBehind(row, after));
}

function byPlace(a: StoredRow, b: StoredRow): number {
  return compareRows(a.row, b.row);
}

/** As little as says where the row is. */
function placeOf(row: MirrorRow, { modules }: RowQuery, hubs: number) {
  const { hub, deviceId, moduleId = '' } = row;
  if (hubs > 1) return { deviceId, moduleId, hub };
  return modules === 'none' ? { deviceId } : { deviceId, moduleId };
}
