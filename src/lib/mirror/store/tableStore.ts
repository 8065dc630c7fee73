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
import { readRange } from './readRange.ts';
import { createRecentRows, type RecentRows } from './recentRows.ts';
import { decodeRow, type Entity, isMarkAlone, type TableRow } from './rowEntity.ts';
import {
  identityOf,
  isRowKey,
  modulesRange,
  partitionOf,
  partitionOfDevice,
  QUEUE_RANGE,
  rowKeyOf,
} from './rowKeys.ts';
import { accessTable, type PageRequest, quoted, type TableAccess } from './tableAccess.ts';
import { createWriteGroups, type WriteGroups } from './writeGroups.ts';
import type { BucketWriter } from './writeTogether.ts';

/** Calls that run at once: as many as hide the way to the service, and do not crowd one that has a single thread. */
const READS_AT_ONCE = 16;
const WRITES_AT_ONCE = 8;
const QUEUES_AT_ONCE = 8;
/** Memory for rows that were read or written lately. */
const RECENT_BYTES = 64 * 1024 * 1024;

type Recent = RecentRows<TableRow>;

const ALL_BUCKETS: readonly number[] = Array.from({ length: BUCKETS }, (_, bucket) => bucket);

export function createTableStore(client: TableClient): MirrorStore {
  const table = accessTable(client);
  const recent = createRecentRows<TableRow>(RECENT_BYTES);
  const groups = createWriteGroups((partitionKey) => writerOf(table, recent, partitionKey), WRITES_AT_ONCE);
  return {
    prepare: () => table.prepare(),
    read: (hub, keys, options) =>
      mapAtOnce(keys, READS_AT_ONCE, async (key) => readRow(table, recent, hub, key, options)),
    readDevice: (hub, deviceId) => readDevice(table, recent, hub, deviceId),
    write: (hub, writes) => writeRows(groups, hub, writes),
    rows: (hub, range = {}) => readRange(table, hub, range),
    wanted: (hub, options) => readWanted(table, hub, options),
    countWanted: (hub, most) => countWanted(table, hub, most),
  };
}

async function readRow(
  table: TableAccess,
  recent: Recent,
  hub: string,
  key: KeyToRead,
  options: ReadOptions = {},
): Promise<StoredRow | undefined> {
  if (!isRowKey(key)) return undefined;
  const partitionKey = partitionOfDevice(hub, key.deviceId);
  const rowKey = rowKeyOf(key);
  const name = nameOf(partitionKey, rowKey);
  if (options.fresh !== true) {
    const known = recent.get(name);
    if (known !== undefined || key.likelyNew) return known;
  }
  const entity = await table.get(partitionKey, rowKey);
  if (entity === undefined) recent.drop(name);
  return entity && keepRow(recent, hub, partitionKey, entity);
}

function keepRow(recent: Recent, hub: string, partitionKey: string, entity: Entity): TableRow | undefined {
  const name = nameOf(partitionKey, entity.rowKey ?? '');
  if (isMarkAlone(entity)) {
    recent.drop(name);
    return undefined;
  }
  const row = decodeRow(hub, entity);
  recent.keep(name, row);
  return row;
}

function nameOf(partitionKey: string, rowKey: string): string {
  return `${partitionKey}|${rowKey}`;
}

/** A range is slow where all rows are gone through for it, as in Azurite: only devices with the mark are asked for modules. */
async function readDevice(
  table: TableAccess,
  recent: Recent,
  hub: string,
  deviceId: string,
): Promise<readonly StoredRow[]> {
  if (!isRowKey({ deviceId })) return [];
  const partitionKey = partitionOfDevice(hub, deviceId);
  const keep = (entity: Entity) => keepRow(recent, hub, partitionKey, entity) ?? [];
  const entity = await table.get(partitionKey, rowKeyOf({ deviceId }));
  if (entity === undefined) recent.drop(nameOf(partitionKey, rowKeyOf({ deviceId })));
  const device = entity === undefined ? [] : [entity].flatMap(keep);
  if (entity === undefined || device[0]?.noModules) return device;
  const modules = await allOf(table, { partitionKey, range: modulesRange(deviceId) });
  return [...device, ...modules.flatMap(keep)];
}

function writerOf(table: TableAccess, recent: Recent, partitionKey: string): BucketWriter {
  return {
    table,
    partitionKey,
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
  table: TableAccess,
  hub: string,
  { dueBy, most }: { readonly dueBy: string; readonly most: number },
): AsyncGenerator<WantedRow, void, void> {
  const ofBucket = (bucket: number) =>
    allOf(
      table,
      { partitionKey: partitionOf(hub, bucket), range: QUEUE_RANGE, filter: `Due le ${quoted(dueBy)}` },
      most,
    );
  for await (const entities of mapAhead(ALL_BUCKETS, QUEUES_AT_ONCE, ofBucket)) {
    for (const entity of entities) yield { ...identityOf(entity.rowKey ?? ''), due: String(entity['Due']) };
  }
}

async function countWanted(table: TableAccess, hub: string, most: number): Promise<number> {
  let count = 0;
  const ofBucket = (bucket: number) =>
    allOf(
      table,
      { partitionKey: partitionOf(hub, bucket), range: QUEUE_RANGE, select: ['PartitionKey', 'RowKey'] },
      most - count,
    );
  for await (const entities of mapAhead(ALL_BUCKETS, QUEUES_AT_ONCE, ofBucket)) {
    count += entities.length;
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
