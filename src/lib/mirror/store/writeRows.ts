/** Writes of rows, in transactions of one bucket each. */

import { mapAtOnce } from './atOnce.ts';
import type { RowWrite } from './mirrorStore.ts';
import { encodeRow, type TableRow } from './rowEntity.ts';
import { modulesKeyOf, queueKeyOf, rowKeyOf } from './rowKeys.ts';
import type { TableAccess } from './tableAccess.ts';
import { errorOf, isConflict, isEntityMissing } from './tableErrors.ts';
import { FRAME_OF_OPERATION, MOST_OF_TRANSACTION, MOST_OPERATIONS, type Operation } from './transaction.ts';

/** What is told of each row after its write. */
export interface RowLog {
  /** It lies there so now. */
  written(key: string, row: TableRow): void;
  /** What lies there is not known: it was removed, somebody was first, or the service did not say. */
  unknown(key: string): void;
}

export interface BucketWriter {
  readonly table: TableAccess;
  readonly partitionKey: string;
  readonly log: RowLog;
}

/** A write and what it does to the table. */
interface Change {
  readonly write: RowWrite;
  readonly rowKey: string;
  readonly row: Operation;
  readonly queue?: Operation | undefined;
  /** Key of the mark that its device has modules. */
  readonly mark?: string | undefined;
  readonly lies: 'whole' | 'split';
}

/** Reads of ETags that run at once. */
const READS_AT_ONCE = 8;

/** @returns the writes whose row was no longer what was read; the others are done */
export async function writeBucket(writer: BucketWriter, writes: readonly RowWrite[]): Promise<RowWrite[]> {
  const conflicts: RowWrite[] = [];
  let chunk: Change[] = [];
  let size = 0;
  let operations = 0;
  const send = async (): Promise<void> => {
    conflicts.push(...(await writeTogether(writer, chunk)));
    chunk = [];
    size = 0;
    operations = 0;
  };
  for (const write of writes) {
    const change = changeOf(write);
    if (change === undefined) continue;
    const bytes = (change.row.members?.length ?? 0) + 3 * FRAME_OF_OPERATION;
    if (operations + 3 > MOST_OPERATIONS || size + bytes > MOST_OF_TRANSACTION) await send();
    chunk.push(change);
    size += bytes;
    operations += 1 + (change.queue === undefined ? 0 : 1) + (change.mark === undefined ? 0 : 1);
  }
  if (chunk.length > 0) await send();
  return conflicts;
}

/** @throws RowTooLarge */
function changeOf(write: RowWrite): Change | undefined {
  const { key, row, before } = write;
  const rowKey = rowKeyOf(key);
  const queue = queueChangeOf(write);
  if (row === undefined) {
    // Nothing is to be removed where nothing was.
    if (before === undefined) return undefined;
    return { write, rowKey, row: { kind: 'delete', rowKey, etag: before.etag }, queue, lies: 'whole' };
  }
  const { members, isAll, lies } = encodeRow(key, row, before);
  if (before !== undefined) {
    const kind = isAll ? 'replace' : 'merge';
    return { write, rowKey, row: { kind, rowKey, etag: before.etag, members }, queue, lies };
  }
  const mark = key.moduleId === undefined ? undefined : modulesKeyOf(key.deviceId);
  return { write, rowKey, row: { kind: 'insert', rowKey, members }, queue, mark, lies };
}

/** The place in the queue is written only where it changes: by the ETag of its row it is what it was. */
function queueChangeOf({ key, row, before }: RowWrite): Operation | undefined {
  const due = dueOf(row);
  if (due === dueOf(before?.row)) return undefined;
  const rowKey = queueKeyOf(key);
  return due === undefined
    ? { kind: 'delete', rowKey }
    : { kind: 'merge', rowKey, members: `"Due":${JSON.stringify(due)}` };
}

function dueOf(row: RowWrite['row']): string | undefined {
  return row?.wanted === undefined ? undefined : (row.wanted.due ?? row.wanted.since);
}

/**
 * One transaction fails as a whole for one row that has changed: that one is taken out, and the rest is sent again. When that
 * fails too, more rows are likely to have changed, as after a move of a partition: all of them are looked at first, so that a
 * chunk needs three transactions or four, not one for each of them.
 */
async function writeTogether(writer: BucketWriter, all: readonly Change[]): Promise<RowWrite[]> {
  const { table, partitionKey, log } = writer;
  const conflicts: Change[] = [];
  // Until the reply is there, and if none comes.
  for (const { rowKey } of all) log.unknown(rowKey);
  let rest = all;
  while (rest.length > 0) {
    const operations = operationsOf(rest);
    const reply = await table.transact(partitionKey, operations);
    if ('etags' in reply) {
      noteWritten(rest, operations, reply.etags, log);
      break;
    }
    const failed = reply.at === undefined ? undefined : operations[reply.at];
    const change = rest.find(({ row, queue }) => failed !== undefined && (row === failed || queue === failed));
    if (change !== undefined && failed === change.queue && isEntityMissing(reply.failure)) {
      // It was in no queue, as after a restore of the table from elsewhere: there is nothing to take out.
      rest = rest.map((one) => (one === change ? { ...one, queue: undefined } : one));
      continue;
    }
    if (!isConflict(reply.failure) && !isEntityMissing(reply.failure)) throw errorOf(reply.failure);
    // A service that does not say which one: each row is looked at.
    const lost = change !== undefined && conflicts.length === 0 ? [change] : await changedOf(writer, rest);
    // Was it changed in between, and back? Then the one that is told, at least, so that this comes to an end.
    const taken = lost.length > 0 ? lost : [change ?? (rest[0] as Change)];
    conflicts.push(...taken);
    rest = rest.filter((one) => !taken.includes(one));
  }
  return conflicts.map(({ write }) => write);
}

/** The marks are once in a transaction, whichever of the rows of a device are in it, and after all that can fail. */
function operationsOf(changes: readonly Change[]): Operation[] {
  const marks = new Set(changes.flatMap(({ mark }) => mark ?? []));
  return [
    ...changes.flatMap(({ row, queue }) => (queue === undefined ? [row] : [row, queue])),
    ...[...marks].map((rowKey) => ({ kind: 'merge', rowKey }) as const),
  ];
}

function noteWritten(
  changes: readonly Change[],
  operations: readonly Operation[],
  etags: readonly string[],
  log: RowLog,
): void {
  const etagOf = new Map(operations.map((operation, at) => [operation, etags[at] ?? '']));
  for (const { rowKey, row, write, lies } of changes) {
    const etag = etagOf.get(row);
    if (write.row !== undefined && etag) log.written(rowKey, { row: write.row, etag, lies });
  }
}

/** Those whose row is no longer what was read. */
async function changedOf({ table, partitionKey }: BucketWriter, changes: readonly Change[]): Promise<Change[]> {
  const etags = await mapAtOnce(changes, READS_AT_ONCE, async ({ rowKey }) => {
    const entity = await table.get(partitionKey, rowKey, ['PartitionKey', 'RowKey', 'Timestamp']);
    return entity?.etag;
  });
  return changes.filter(({ write }, at) => etags[at] !== write.before?.etag);
}
