/** What of the queue is due, in the portions in which the registry is read. */

import type { IdentityKey, MirrorRow } from '../rows/row.ts';
import type { StoredRow } from '../store/mirrorStore.ts';
import { deviceQueries, type IdsQuery, moduleQueries } from './queryTexts.ts';
import { operationsOf } from './readings.ts';
import { DAMAGED, readable, readDeviceRows, readRows } from './readRows.ts';
import type { RefreshContext } from './refreshContext.ts';
import { goesByGet } from './wants.ts';

/** Rows that one activity looks at. */
const MOST_ROWS = 500;
/** Of each bucket so many are listed: with all buckets full it is twice what is looked at. */
export const MOST_OF_BUCKET = 16;

/** One query, and the rows that wait for it. */
export interface QueryWork {
  readonly query: IdsQuery;
  readonly of: 'devices' | 'modules';
  readonly rows: readonly StoredRow[];
}

export interface DueWork {
  readonly queries: readonly QueryWork[];
  readonly gets: readonly StoredRow[];
  /** Registry operations that `gets` take. */
  readonly operations: number;
  /** How many were listed, and how many of them are not looked at this time. */
  readonly listed: number;
  readonly rest: number;
}

/**
 * Some of the rows that are due: any of them, so that rows which cannot be read hold up no others, however many they are.
 */
export async function dueWork(context: RefreshContext, hub: string): Promise<DueWork> {
  const { store, now } = context;
  const nowIso = now().toISOString();
  const listed: IdentityKey[] = await Array.fromAsync(store.wanted(hub, { dueBy: nowIso, most: MOST_OF_BUCKET }));
  const picked = shuffled(listed).slice(0, MOST_ROWS);
  const rows = await wantedRows(context, hub, picked);
  const gets = rows.filter(({ row }) => goesByGet(row, nowIso));
  const others = rows.filter(({ row }) => !goesByGet(row, nowIso));
  return {
    queries: alternating(
      workOf('devices', others.filter(isDevice)),
      workOf(
        'modules',
        others.filter((each) => !isDevice(each)),
      ),
    ),
    gets,
    operations: gets.reduce((sum, { row }) => sum + operationsOf(row), 0),
    listed: listed.length,
    rest: listed.length - picked.length,
  };
}

async function wantedRows(context: RefreshContext, hub: string, keys: readonly IdentityKey[]): Promise<StoredRow[]> {
  const isWanted = ({ row }: StoredRow): boolean => row.wanted !== undefined;
  const rows = await readRows(context, hub, keys);
  const known = readable(rows).filter(isWanted);
  // A store may remember rows as they were before they stood in the queue.
  const doubtful = keys.filter((_, at) => {
    const row = rows[at];
    return row !== DAMAGED && !(row !== undefined && isWanted(row));
  });
  const fresh = await readRows(context, hub, doubtful, { fresh: true });
  return [...known, ...readable(fresh).filter(isWanted)];
}

/** All modules that the store knows of the devices of a query, which shows all that there are; undefined: not known. */
export async function knownModules(
  context: RefreshContext,
  hub: string,
  { ids }: IdsQuery,
): Promise<StoredRow[] | undefined> {
  const rows = await Promise.all(ids.map((id) => readDeviceRows(context, hub, id)));
  if (rows.includes(DAMAGED)) return undefined;
  return rows.flatMap((each) => (each === DAMAGED ? [] : each)).filter((each) => !isDevice(each));
}

/** Whether a row waits for a query that is made now. */
export function waitsForQuery({ row }: StoredRow, nowIso: string): boolean {
  const { wanted } = row;
  return wanted !== undefined && (wanted.due ?? wanted.since) <= nowIso && !goesByGet(row, nowIso);
}

/** In how many seconds something more is due, if that is within `seconds`. */
export async function secondsUntilDue(
  { store, now }: RefreshContext,
  hub: string,
  seconds: number,
): Promise<number | undefined> {
  const at = now().getTime();
  const dueBy = new Date(at + seconds * 1000).toISOString();
  let soonest: number | undefined;
  for await (const { due } of store.wanted(hub, { dueBy, most: MOST_OF_BUCKET })) {
    const inSeconds = (Date.parse(due) - at) / 1000;
    if (inSeconds > 0) soonest = Math.min(soonest ?? seconds, inSeconds);
  }
  return soonest;
}

function isDevice({ row }: { readonly row: MirrorRow }): boolean {
  return row.moduleId === undefined;
}

const QUERIES = { devices: deviceQueries, modules: moduleQueries } as const;

function workOf(of: QueryWork['of'], rows: readonly StoredRow[]): QueryWork[] {
  const byDevice = new Map<string, StoredRow[]>();
  for (const each of rows) byDevice.set(each.row.deviceId, [...(byDevice.get(each.row.deviceId) ?? []), each]);
  return QUERIES[of]([...byDevice.keys()]).map((query) => ({
    query,
    of,
    rows: query.ids.flatMap((id) => byDevice.get(id) ?? []),
  }));
}

/** Devices do not keep modules waiting. */
function alternating<T>(some: readonly T[], others: readonly T[]): T[] {
  const both: T[] = [];
  for (let at = 0; at < Math.max(some.length, others.length); at += 1)
    both.push(...some.slice(at, at + 1), ...others.slice(at, at + 1));
  return both;
}

function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, order: Math.random() }))
    .sort((a, b) => a.order - b.order)
    .map(({ item }) => item);
}
