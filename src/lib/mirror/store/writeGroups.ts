/**
 * Writes of rows, those of one bucket together, whoever asks for them: while a transaction of a bucket runs, what comes for it
 * waits, and is the next one. So the batches of several partitions of events need not many more transactions than one does.
 */

import type { RowWrite } from './mirrorStore.ts';
import { type Change, changeOf } from './rowChange.ts';
import { rowKeyOf } from './rowKeys.ts';
import { StoreRefused } from './tableErrors.ts';
import { FRAME_OF_OPERATION, MOST_OF_TRANSACTION, MOST_OPERATIONS } from './transaction.ts';
import { type BucketWriter, writeTogether } from './writeTogether.ts';

export interface WriteGroups {
  /**
   * @param call once `isOver`, nothing more of it is begun
   * @returns the writes whose row was no longer what was read; the others are done
   * @throws RowTooLarge
   */
  write(partitionKey: string, writes: readonly RowWrite[], call: { readonly isOver: boolean }): Promise<RowWrite[]>;
}

/** What one call has for one bucket. */
interface Job {
  readonly call: { readonly isOver: boolean };
  /** Those that are not begun, the next one last. */
  readonly writes: RowWrite[];
  /** The next one of them, if it did not fit any more. */
  next: Change | undefined;
  readonly conflicts: RowWrite[];
  readonly resolve: (conflicts: RowWrite[]) => void;
  readonly reject: (error: unknown) => void;
  hasFailed: boolean;
}

interface Part {
  readonly job: Job;
  readonly changes: readonly Change[];
}

/** @param atOnce transactions, each of another bucket */
export function createWriteGroups(writerOf: (partitionKey: string) => BucketWriter, atOnce: number): WriteGroups {
  const waiting = new Map<string, Job[]>();
  const running = new Set<string>();

  const begin = (): void => {
    for (const partitionKey of waiting.keys()) {
      if (running.size >= atOnce) return;
      if (!running.has(partitionKey)) void run(partitionKey);
    }
  };
  const run = async (partitionKey: string): Promise<void> => {
    running.add(partitionKey);
    const writer = writerOf(partitionKey);
    const parts = takeParts(waiting.get(partitionKey) ?? [], writer);
    if (parts.length > 0) await writeParts(writer, parts);
    // Others may have come meanwhile.
    const jobs = waiting.get(partitionKey) ?? [];
    for (const job of jobs) if (!isLeft(job)) job.resolve(job.conflicts);
    // What is left is behind all others.
    const left = jobs.filter(isLeft);
    waiting.delete(partitionKey);
    if (left.length > 0) waiting.set(partitionKey, left);
    running.delete(partitionKey);
    begin();
  };
  return {
    write: (partitionKey, writes, call) =>
      new Promise((resolve, reject) => {
        const todo = inOrder(writes).toReversed();
        const job: Job = { call, writes: todo, next: undefined, conflicts: [], resolve, reject, hasFailed: false };
        waiting.set(partitionKey, [...(waiting.get(partitionKey) ?? []), job]);
        begin();
      }),
  };
}

function isLeft({ call, writes, next, hasFailed }: Job): boolean {
  return !hasFailed && !call.isOver && (next !== undefined || writes.length > 0);
}

function fail(job: Job, error: unknown): void {
  job.hasFailed = true;
  job.reject(error);
}

/** As many writes as one transaction has room for. No row is in it twice. */
function takeParts(jobs: readonly Job[], { log }: BucketWriter): readonly Part[] {
  const keys = new Set<string>();
  const dues = new Set<string>();
  let [size, operations] = [0, 0];
  const takeNext = (job: Job): Change | undefined => {
    while (job.next === undefined) {
      const write = job.writes.pop();
      if (write === undefined) return undefined;
      job.next = changeOf(write, log.known);
    }
    const { next: change } = job;
    const bytes = (change.row.members?.length ?? 0) + MOST_OF_CHANGE * FRAME_OF_OPERATION;
    if (operations + MOST_OF_CHANGE > MOST_OPERATIONS || size + bytes > MOST_OF_TRANSACTION) return undefined;
    if (keys.has(change.rowKey)) return undefined;
    keys.add(change.rowKey);
    size += bytes;
    const isFirst = change.due !== undefined && !dues.has(change.due);
    if (change.due !== undefined) dues.add(change.due);
    operations += 1 + (isFirst ? 1 : 0) + (change.mark === undefined ? 0 : 1);
    job.next = undefined;
    return change;
  };
  return jobs.filter(isLeft).flatMap((job) => {
    const changes: Change[] = [];
    try {
      for (let change = takeNext(job); change !== undefined; change = takeNext(job)) changes.push(change);
    } catch (error) {
      fail(job, error);
      return [];
    }
    return changes.length === 0 ? [] : [{ job, changes }];
  });
}

/** Operations of a change: on its row, on the entry of the queue that lists it, on the mark of its device. */
const MOST_OF_CHANGE = 3;

async function writeParts(writer: BucketWriter, parts: readonly Part[]): Promise<void> {
  try {
    const lost = new Set(
      (
        await writeTogether(
          writer,
          parts.flatMap(({ changes }) => changes),
        )
      ).map(({ write }) => write),
    );
    for (const { job, changes } of parts) {
      for (const { write } of changes) if (lost.has(write)) job.conflicts.push(write);
    }
  } catch (error) {
    // What the service takes of none is no fault of the others.
    if (error instanceof StoreRefused && parts.length > 1) {
      for (const part of parts) await writeParts(writer, [part]);
    } else {
      for (const { job } of parts) fail(job, error);
    }
  }
}

/** A device before its modules, so that it is marked for them with the write of its row. */
function inOrder(writes: readonly RowWrite[]): readonly RowWrite[] {
  return writes.some(({ key }) => key.moduleId !== undefined)
    ? writes.toSorted((one, other) => (rowKeyOf(one.key) < rowKeyOf(other.key) ? -1 : 1))
    : writes;
}
