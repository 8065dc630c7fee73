/** Writes of rows, in transactions of one bucket each. */

import { mapAtOnce } from './atOnce.ts';
import type { RowWrite } from './mirrorStore.ts';
import { encodeRow, isMarkAlone, MODULES_MARK, type TableRow } from './rowEntity.ts';
import { queueKeyOf, rowKeyOf } from './rowKeys.ts';
import type { TableAccess } from './tableAccess.ts';
import { errorOf, isConflict, isEntityMissing } from './tableErrors.ts';
import { FRAME_OF_OPERATION, MOST_OF_TRANSACTION, MOST_OPERATIONS, type Operation } from './transaction.ts';

/** What is known of rows, and told of each after its write. */
export interface RowLog {
  known(key: string): TableRow | undefined;
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
  /** Key of the device that is to be marked for it, that it has modules. */
  readonly mark?: string | undefined;
  readonly lies: 'whole' | 'split';
  readonly noModules: boolean;
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
  for (const write of inOrder(writes)) {
    const change = changeOf(write, writer.log);
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

/** A device before its modules, so that it is marked for them with the write of its row. */
function inOrder(writes: readonly RowWrite[]): readonly RowWrite[] {
  return writes.some(({ key }) => key.moduleId !== undefined)
    ? writes.toSorted((one, other) => (rowKeyOf(one.key) < rowKeyOf(other.key) ? -1 : 1))
    : writes;
}

/** @throws RowTooLarge */
function changeOf(write: RowWrite, log: RowLog): Change | undefined {
  const { key, row, before } = write;
  const rowKey = rowKeyOf(key);
  const isDevice = key.moduleId === undefined;
  const change = { write, rowKey, queue: queueChangeOf(write), lies: 'whole', noModules: false } as const;
  if (row === undefined) {
    // Nothing is to be removed where nothing was.
    if (before === undefined) return undefined;
    return { ...change, row: marks({ kind: 'delete', rowKey, etag: before.etag }, isDevice && !before.noModules) };
  }
  const { members, isAll, lies } = encodeRow(key, row, before);
  if (before !== undefined) {
    const noModules = isDevice && before.noModules === true;
    const operation: Operation = { kind: isAll ? 'replace' : 'merge', rowKey, etag: before.etag, members };
    return { ...change, row: marks(operation, isAll && isDevice && !noModules), lies, noModules };
  }
  const mark = isDevice ? undefined : markOf(key.deviceId, log);
  return { ...change, row: { kind: 'insert', rowKey, members }, mark, lies, noModules: isDevice };
}

/** The operation on the row of a device, and of its mark, if it is to have that. */
function marks(row: Operation, hasModules: boolean): Operation {
  if (!hasModules) return row;
  const members = row.members === undefined ? MODULES_MARK : `${row.members},${MODULES_MARK}`;
  return { ...row, kind: row.kind === 'delete' ? 'replace' : row.kind, members };
}

/** The first module of a device marks it; undefined: it has the mark. */
function markOf(deviceId: string, log: RowLog): string | undefined {
  const rowKey = rowKeyOf({ deviceId });
  const device = log.known(rowKey);
  return device === undefined || device.noModules ? rowKey : undefined;
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
  for (const { rowKey, mark } of all) {
    log.unknown(rowKey);
    if (mark !== undefined) log.unknown(mark);
  }
  let rest = all;
  while (rest.length > 0) {
    const sent = withMarks(rest);
    const operations = operationsOf(sent);
    const reply = await table.transact(partitionKey, operations);
    if ('etags' in reply) {
      noteWritten(sent, operations, reply.etags, log);
      break;
    }
    const failed = reply.at === undefined ? undefined : operations[reply.at];
    const change =
      rest[sent.findIndex(({ row, queue }) => failed !== undefined && (row === failed || queue === failed))];
    if (change !== undefined && failed === change.queue && isEntityMissing(reply.failure)) {
      // It was in no queue, as after a restore of the table from elsewhere: there is nothing to take out.
      rest = rest.map((one) => (one === change ? { ...one, queue: undefined } : one));
      continue;
    }
    if (!isConflict(reply.failure) && !isEntityMissing(reply.failure)) throw errorOf(reply.failure);
    // A service that does not say which one: each row is looked at.
    const looks = await lookAt(writer, change !== undefined && conflicts.length === 0 ? [change] : rest);
    // Was it changed in between, and back? Then the one that is told, at least, so that this comes to an end.
    if (looks.size === 0) looks.set(change ?? (rest[0] as Change), 'lost');
    for (const [one, look] of looks) if (look === 'lost') conflicts.push(one);
    rest = rest.flatMap((one) => {
      const look = looks.get(one);
      return look === 'lost' ? [] : (look ?? one);
    });
  }
  return conflicts.map(({ write }) => write);
}

/** No entity is in a transaction twice: a device whose row is written with that of its first module is marked there. */
function operationsOf(changes: readonly Change[]): Operation[] {
  const marks = new Set(changes.flatMap(({ mark }) => mark ?? []));
  return [
    ...changes.flatMap(({ row, queue }) => (queue === undefined ? [row] : [row, queue])),
    // After all that can fail.
    ...[...marks].map((rowKey): Operation => ({ kind: 'merge', rowKey, members: MODULES_MARK })),
  ];
}

/** Devices whose rows are written with those of their first modules get the mark with them. */
function withMarks(changes: readonly Change[]): readonly Change[] {
  const marked = new Set(changes.flatMap(({ mark }) => mark ?? []));
  if (marked.size === 0) return changes;
  const written = new Set(changes.map(({ rowKey }) => rowKey));
  return changes.map((change) => {
    if (marked.has(change.rowKey)) return { ...change, noModules: false, row: marks(change.row, true) };
    return change.mark !== undefined && written.has(change.mark) ? { ...change, mark: undefined } : change;
  });
}

function noteWritten(
  changes: readonly Change[],
  operations: readonly Operation[],
  etags: readonly string[],
  log: RowLog,
): void {
  const etagOf = new Map(operations.map((operation, at) => [operation, etags[at] ?? '']));
  for (const { rowKey, row, write, lies, noModules } of changes) {
    const etag = etagOf.get(row);
    if (write.row !== undefined && etag)
      log.written(rowKey, { row: write.row, etag, lies, ...(noModules ? { noModules } : {}) });
  }
}

/** Those whose row is no longer what was read: `lost`, or, over the mark of a device without a row, another change. */
async function lookAt(writer: BucketWriter, changes: readonly Change[]): Promise<Map<Change, Change | 'lost'>> {
  const [one] = changes;
  // What was told of it is all there is to know.
  if (changes.length === 1 && one !== undefined && one.row.kind !== 'insert') return new Map([[one, 'lost']]);
  const found = await mapAtOnce(changes, READS_AT_ONCE, async (change) => {
    const { row } = change;
    const entity = await writer.table.get(writer.partitionKey, row.rowKey, LOOK);
    if (entity?.etag === row.etag) return undefined;
    if (row.kind !== 'insert' || entity === undefined || !isMarkAlone(entity)) return 'lost';
    return { ...change, row: marks({ ...row, kind: 'replace', etag: entity.etag }, true), noModules: false };
  });
  return new Map(changes.flatMap((change, at) => (found[at] === undefined ? [] : [[change, found[at]]])));
}

const LOOK = ['PartitionKey', 'RowKey', 'Timestamp', 'State', 'HasModules'];
