/** Writes of rows of one bucket, in one transaction; those whose row has changed are taken out. */

import { mapAtOnce } from './atOnce.ts';
import { type Change, marks, operationsOf, withMarks } from './rowChange.ts';
import { isMarkAlone, type TableRow } from './rowEntity.ts';
import type { TableAccess } from './tableAccess.ts';
import { errorOf, isConflict, isEntityMissing } from './tableErrors.ts';
import type { Operation } from './transaction.ts';

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

/** Reads of ETags that run at once. */
const READS_AT_ONCE = 8;

/**
 * One transaction fails as a whole for one row that has changed: that one is taken out, and the rest is sent again. When that
 * fails too, more rows are likely to have changed, as after a move of a partition: all of them are looked at first, so that a
 * chunk needs three transactions or four, not one for each of them.
 *
 * @returns those whose row was no longer what was read; the others are done
 */
export async function writeTogether(writer: BucketWriter, all: readonly Change[]): Promise<readonly Change[]> {
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
  return conflicts;
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
