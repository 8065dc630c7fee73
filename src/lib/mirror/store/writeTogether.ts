/** Writes of rows of one bucket, in one transaction; those whose row has changed are taken out. */

import { mapAtOnce } from './atOnce.ts';
import { StoreUnavailable } from './mirrorStore.ts';
import type { QueueEntries } from './queueEntries.ts';
import { type Change, dueOf, entriesOf, marks, operationsOf, withMarks } from './rowChange.ts';
import { isMarkAlone, type TableRow } from './rowEntity.ts';
import type { TableAccess } from './tableAccess.ts';
import { errorOf, isConflict, isEntityMissing, StoreRefused } from './tableErrors.ts';
import { MOST_OPERATIONS, type Operation } from './transaction.ts';

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
  readonly queue: QueueEntries;
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
  const { table, partitionKey, log, queue } = writer;
  const conflicts: Change[] = [];
  // Until the reply is there, and if none comes.
  for (const { rowKey, mark } of all) {
    log.unknown(rowKey);
    if (mark !== undefined) log.unknown(mark);
  }
  let rest = all;
  while (rest.length > 0) {
    const sent = withMarks(rest);
    const entries = entriesOf(partitionKey, sent);
    const since = queue.now();
    const reply = await table.transact(partitionKey, operationsOf(sent, entries));
    if ('etags' in reply) {
      noteWritten(writer, sent, reply.etags, since);
      for (const entry of entries) queue.add(entry);
      await dropFinished(writer);
      break;
    }
    const change = reply.at === undefined ? undefined : rest[reply.at];
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
  { partitionKey, log, queue }: BucketWriter,
  changes: readonly Change[],
  etags: readonly string[],
  since: number,
): void {
  for (const [at, { rowKey, write, lies, noModules }] of changes.entries()) {
    queue.settle(partitionKey, rowKey, dueOf(write.row), since);
    const etag = etags[at];
    if (write.row !== undefined && etag)
      log.written(rowKey, { row: write.row, etag, lies, ...(noModules ? { noModules } : {}) });
  }
}

/** Takes away entries of the queue of which nothing is left. Those that cannot be now are at another time. */
export async function dropFinished({ table, partitionKey, queue }: Omit<BucketWriter, 'log'>): Promise<void> {
  let rest = queue.finished(partitionKey).slice(0, MOST_OPERATIONS);
  while (rest.length > 0) {
    try {
      const operations = rest.map((rowKey): Operation => ({ kind: 'delete', rowKey }));
      const reply = await table.transact(partitionKey, operations);
      const gone = 'etags' in reply ? rest : isEntityMissing(reply.failure) ? rest.slice(reply.at).slice(0, 1) : [];
      if (gone.length === 0) return;
      queue.drop(partitionKey, gone);
      rest = rest.filter((rowKey) => !gone.includes(rowKey));
    } catch (error) {
      if (error instanceof StoreUnavailable || error instanceof StoreRefused) return;
      throw error;
    }
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
