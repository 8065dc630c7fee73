/** What a write of a row does to the table. */

import { randomUUID } from 'node:crypto';

import type { MirrorRow } from '../rows/row.ts';
import type { RowWrite } from './mirrorStore.ts';
import { membersOfEntry, type QueueEntry } from './queueEntries.ts';
import { encodeRow, MODULES_MARK, type TableRow } from './rowEntity.ts';
import { queueKeyOf, rowKeyOf } from './rowKeys.ts';
import type { Operation } from './transaction.ts';

/** A write and what it does to the table. */
export interface Change {
  readonly write: RowWrite;
  readonly rowKey: string;
  readonly row: Operation;
  /** The row is wanted at this time, and was not before, or at another: an entry of the queue has to list it. */
  readonly due: string | undefined;
  /** Key of the device that is to be marked for it, that it has modules. */
  readonly mark?: string | undefined;
  readonly lies: 'whole' | 'split';
  readonly noModules: boolean;
}

/**
 * @param known tells of a row what is known of it
 * @returns undefined: there is nothing to do
 * @throws RowTooLarge
 */
export function changeOf(write: RowWrite, known: (rowKey: string) => TableRow | undefined): Change | undefined {
  const { key, row, before } = write;
  const rowKey = rowKeyOf(key);
  const isDevice = key.moduleId === undefined;
  const change = { write, rowKey, due: newDueOf(write), lies: 'whole', noModules: false } as const;
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
  const mark = isDevice ? undefined : markOf(key.deviceId, known);
  return { ...change, row: { kind: 'insert', rowKey, members }, mark, lies, noModules: isDevice };
}

/** The operation on the row of a device, and of its mark, if it is to have that. */
export function marks(row: Operation, hasModules: boolean): Operation {
  if (!hasModules) return row;
  const members = row.members === undefined ? MODULES_MARK : `${row.members},${MODULES_MARK}`;
  return { ...row, kind: row.kind === 'delete' ? 'replace' : row.kind, members };
}

/** The first module of a device marks it; undefined: it has the mark. */
function markOf(deviceId: string, known: (rowKey: string) => TableRow | undefined): string | undefined {
  const rowKey = rowKeyOf({ deviceId });
  const device = known(rowKey);
  return device === undefined || device.noModules ? rowKey : undefined;
}

/** By the ETag of its row it is known which entry lists it. */
function newDueOf({ row, before }: RowWrite): string | undefined {
  const due = dueOf(row);
  return due === dueOf(before?.row) ? undefined : due;
}

/** When a row is wanted; undefined: it is not. */
export function dueOf(row: MirrorRow | undefined): string | undefined {
  return row?.wanted === undefined ? undefined : (row.wanted.due ?? row.wanted.since);
}

/** No entity is in a transaction twice. First come the operations on rows, each at the place of its change. */
export function operationsOf(changes: readonly Change[], entries: readonly QueueEntry[]): Operation[] {
  const marks = new Set(changes.flatMap(({ mark }) => mark ?? []));
  return [
    ...changes.map(({ row }) => row),
    ...entries.map(
      ({ rowKey, due, of }): Operation => ({ kind: 'insert', rowKey, members: membersOfEntry({ due, of }) }),
    ),
    ...[...marks].map((rowKey): Operation => ({ kind: 'merge', rowKey, members: MODULES_MARK })),
  ];
}

/** Entries of the queue for all that are wanted: one for each time. */
export function entriesOf(partitionKey: string, changes: readonly Change[]): readonly QueueEntry[] {
  const wanted = new Map<string, string[]>();
  for (const { due, rowKey } of changes) {
    if (due === undefined) continue;
    const of = wanted.get(due);
    if (of === undefined) wanted.set(due, [rowKey]);
    else of.push(rowKey);
  }
  return [...wanted].map(([due, of]) => ({ partitionKey, rowKey: queueKeyOf(due, randomUUID()), due, of }));
}

/** Devices whose rows are written with those of their first modules get the mark with them. */
export function withMarks(changes: readonly Change[]): readonly Change[] {
  const marked = new Set(changes.flatMap(({ mark }) => mark ?? []));
  if (marked.size === 0) return changes;
  const written = new Set(changes.map(({ rowKey }) => rowKey));
  return changes.map((change) => {
    if (marked.has(change.rowKey)) return { ...change, noModules: false, row: marks(change.row, true) };
    return change.mark !== undefined && written.has(change.mark) ? { ...change, mark: undefined } : change;
  });
}
