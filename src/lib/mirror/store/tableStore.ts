/**
 * The store of the mirror in Azure Table storage.
 *
 * Rows are read by key, one call each and several at once: a filter of several keys makes the service go through the whole
 * partition, and Azurite through the whole table.
 */

import type { TableClient } from '@azure/data-tables';

import { mapAhead, mapAtOnce } from './atOnce.ts';
import { bucketOf } from './bucketOf.ts';
import {
  BUCKETS,
  type KeyToRead,
  type MirrorStore,
  type ReadOptions,
  type RowWrite,
  type StoredRow,
  type WantedRow,
} from './mirrorStore.ts';
import { COUNT_SELECT, countOf, createQueueEntries, entryOf, type QueueEntries } from './queueEntries.ts';
import { readRange } from './readRange.ts';
import { createRecentRows, type RecentRows } from './recentRows.ts';
import { dueOf } from './rowChange.ts';
import { decodeRow, type Entity, isMarkAlone, type TableRow } from './rowEntity.ts';
import { identityOf, isRowKey, modulesRange, partitionOf, partitionOfDevice, queueRange, rowKeyOf } from './rowKeys.ts';
import { accessTable, type PageRequest, type TableAccess } from './tableAccess.ts';
import { createWriteGroups, type WriteGroups } from './writeGroups.ts';
import { type BucketWriter, dropFinished } from './writeTogether.ts';

/** Calls that run at once: as many as hide the way to the service, and do not crowd one that has a single thread. */
const READS_AT_ONCE = 16;
const WRITES_AT_ONCE = 8;
const QUEUES_AT_ONCE = 8;
/** Memory for rows that were read or written lately. */
const RECENT_BYTES = 64 * 1024 * 1024;
/** Rows that entries of the queue list, of those that are remembered. */
const MOST_LISTED = 50_000;
/** Rows that an entry of the queue lists, about, where events come in large numbers. */
const ROWS_OF_ENTRY = 8;

const ALL_BUCKETS: readonly number[] = Array.from({ length: BUCKETS }, (_, bucket) => bucket);

/** What the store works with. */
interface Parts {
  readonly table: TableAccess;
  readonly recent: RecentRows<TableRow>;
  readonly queue: QueueEntries;
}

export function createTableStore(client: TableClient): MirrorStore {
  const table = accessTable(client);
  const recent = createRecentRows<TableRow>(RECENT_BYTES);
  const parts: Parts = { table, recent, queue: createQueueEntries(MOST_LISTED) };
  const groups = createWriteGroups((partitionKey) => writerOf(parts, partitionKey), WRITES_AT_ONCE);
  return {
    prepare: () => table.prepare(),
    read: (hub, keys, options) => mapAtOnce(keys, READS_AT_ONCE, async (key) => readRow(parts, hub, key, options)),
    readDevice: (hub, deviceId) => readDevice(parts, hub, deviceId),
    write: (hub, writes) => writeRows(groups, hub, writes),
    rows: (hub, range = {}) => readRange(table, hub, range),
    wanted: (hub, options) => readWanted(parts, hub, options),
    countWanted: (hub, most) => countWanted(parts, hub, most),
  };
}

async function readRow(
  parts: Parts,
  hub: string,
  key: KeyToRead,
  options: ReadOptions = {},
): Promise<TableRow | undefined> {
  if (!isRowKey(key)) return undefined;
  const partitionKey = partitionOfDevice(hub, key.deviceId);
  const rowKey = rowKeyOf(key);
  if (options.fresh !== true) {
    const known = parts.recent.get(nameOf(partitionKey, rowKey));
    if (known !== undefined || key.likelyNew) return known;
  }
  return (await getRow(parts, hub, partitionKey, rowKey)).row;
}

interface GotRow {
  readonly row: TableRow | undefined;
  /** The mark of a device counts. */
  readonly isThere: boolean;
}

async function getRow(
  { table, recent, queue }: Parts,
  hub: string,
  partitionKey: string,
  rowKey: string,
): Promise<GotRow> {
  const since = queue.now();
  const entity = await table.get(partitionKey, rowKey);
  const row = entity === undefined || isMarkAlone(entity) ? undefined : decodeRow(hub, entity);
  if (row === undefined) recent.drop(nameOf(partitionKey, rowKey));
  else recent.keep(nameOf(partitionKey, rowKey), row);
  queue.settle(partitionKey, rowKey, dueOf(row?.row), since);
  return { row, isThere: entity !== undefined };
}

function nameOf(partitionKey: string, rowKey: string): string {
  return `${partitionKey}|${rowKey}`;
}

/** A range is slow where all rows are gone through for it, as in Azurite: only devices with the mark are asked for modules. */
async function readDevice(parts: Parts, hub: string, deviceId: string): Promise<readonly StoredRow[]> {
  if (!isRowKey({ deviceId })) return [];
  const { table, recent } = parts;
  const partitionKey = partitionOfDevice(hub, deviceId);
  const device = await getRow(parts, hub, partitionKey, rowKeyOf({ deviceId }));
  const rows = device.row === undefined ? [] : [device.row];
  if (!device.isThere || device.row?.noModules) return rows;
  const modules = await allOf(table, { partitionKey, range: modulesRange(deviceId) });
  for (const entity of modules) {
    const row = decodeRow(hub, entity);
    recent.keep(nameOf(partitionKey, entity.rowKey ?? ''), row);
    rows.push(row);
  }
  return rows;
}

function writerOf({ table, recent, queue }: Parts, partitionKey: string): BucketWriter {
  return {
    table,
    partitionKey,
    queue,
    log: {
      known: (rowKey) => recent.get(nameOf(partitionKey, rowKey)),
      written: (rowKey, row) => recent.keep(nameOf(partitionKey, rowKey), row),
      unknown: (rowKey) => recent.drop(nameOf(partitionKey, rowKey)),
    },
  };
}

async function writeRows(groups: WriteGroups, hub: string, writes: readonly RowWrite[]): Promise<readonly RowWrite[]> {
  const call = { isOver: false };
  const all = [...byBucket(writes)].map(async ([bucket, ofBucket]) => {
    try {
      return await groups.write(partitionOf(hub, bucket), ofBucket, call);
    } catch (error) {
      call.isOver = true;
      throw error;
    }
  });
  // What has begun is waited for: no write goes on behind the back of whoever handles the error.
  await Promise.allSettled(all);
  return (await Promise.all(all)).flat();
}

function byBucket(writes: readonly RowWrite[]): Map<number, RowWrite[]> {
  const buckets = new Map<number, RowWrite[]>();
  for (const write of writes) {
    const bucket = bucketOf(write.key.deviceId);
    const ofBucket = buckets.get(bucket);
    if (ofBucket === undefined) buckets.set(bucket, [write]);
    else ofBucket.push(write);
  }
  return buckets;
}

async function* readWanted(
  parts: Parts,
  hub: string,
  { dueBy, most }: { readonly dueBy: string; readonly most: number },
): AsyncGenerator<WantedRow, void, void> {
  const ofBucket = (bucket: number) => wantedOf(parts, partitionOf(hub, bucket), dueBy, most);
  for await (const rows of mapAhead(ALL_BUCKETS, QUEUES_AT_ONCE, ofBucket)) yield* rows;
}

async function wantedOf(
  { table, queue }: Parts,
  partitionKey: string,
  dueBy: string,
  most: number,
): Promise<WantedRow[]> {
  await dropFinished({ table, partitionKey, queue });
  const request = { partitionKey, range: queueRange(dueBy), size: Math.ceil(most / ROWS_OF_ENTRY) };
  const rows: WantedRow[] = [];
  for (let token: string | undefined; ; ) {
    const page = await table.page({ ...request, token });
    for (const entity of page.entities) {
      const entry = entryOf(partitionKey, entity);
      for (const rowKey of queue.add(entry)) rows.push({ ...identityOf(rowKey), due: entry.due });
    }
    token = page.token;
    if (token === undefined || rows.length >= most) return rows.slice(0, most);
  }
}

async function countWanted({ table, queue }: Parts, hub: string, most: number): Promise<number> {
  let count = 0;
  const ofBucket = async (bucket: number): Promise<number> => {
    const partitionKey = partitionOf(hub, bucket);
    const range = queueRange();
    const entities = await allOf(table, { partitionKey, range, select: COUNT_SELECT }, most - count);
    return entities.reduce((sum, each) => sum + (queue.left(partitionKey, each.rowKey ?? '') ?? countOf(each)), 0);
  };
  for await (const rows of mapAhead(ALL_BUCKETS, QUEUES_AT_ONCE, ofBucket)) {
    count += rows;
    if (count >= most) return most;
  }
  return count;
}

/** The entities of a range, `most` of them. */
async function allOf(
  table: TableAccess,
  request: Omit<PageRequest, 'size' | 'token'>,
  most = Number.POSITIVE_INFINITY,
): Promise<readonly Entity[]> {
  const entities: Entity[] = [];
  let token: string | undefined;
  do {
    const size = Math.min(1000, most - entities.length);
    if (size <= 0) break;
    const page = await table.page({ ...request, size, token });
    entities.push(...page.entities);
    token = page.token;
  } while (token !== undefined);
  return entities;
}
