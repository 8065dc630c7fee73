/**
 * What this process knows of the entries of the queue. An entry lists rows that were wanted at one time, with the transaction
 * that made them so, and is never changed: a row may have been read since, or be wanted at another time, and then it is listed
 * by another entry. An entry goes when that is so for all rows that it lists.
 */

import type { Entity } from './rowEntity.ts';

export interface QueueEntry {
  readonly partitionKey: string;
  readonly rowKey: string;
  /** ISO UTC: not before. */
  readonly due: string;
  /** Row keys of those that it lists. */
  readonly of: readonly string[];
}

export interface QueueEntries {
  /** A time of no clock: what is asked for now is as things are now, or later. */
  now(): number;
  /** There is such an entry. @returns the rows that are still wanted for it, as far as is known */
  add(entry: QueueEntry): readonly string[];
  /**
   * The row is, or was, as it was asked for at the time `since`, or later: entries of before that list it for another time than
   * `due` have nothing to say of it.
   *
   * @param due undefined: it is not wanted
   */
  settle(partitionKey: string, rowKey: string, due: string | undefined, since: number): void;
  /** How many rows are still wanted for an entry; undefined: nothing is known of it. */
  left(partitionKey: string, rowKey: string): number | undefined;
  /** Row keys of entries of which nothing is left. */
  finished(partitionKey: string): readonly string[];
  /** These are gone. */
  drop(partitionKey: string, rowKeys: readonly string[]): void;
}

/** Between row keys, which do not have it. */
const BETWEEN = '~';

/** An entry as members of an entity, in JSON. 100 of the longest row keys are 26,000 characters; a property has 32,000. */
export function membersOfEntry({ due, of }: Pick<QueueEntry, 'due' | 'of'>): string {
  return `"Due":${JSON.stringify(due)},"Rows":${JSON.stringify(of.join(BETWEEN))},"Count":${of.length}`;
}

/** What is to be asked for, to know how many rows entries list. */
export const COUNT_SELECT: readonly string[] = ['PartitionKey', 'RowKey', 'Count'];

/** How many rows an entry lists, of an entity with `COUNT_SELECT`. */
export function countOf(entity: Entity): number {
  return Number(entity['Count'] ?? 0);
}

export function entryOf(partitionKey: string, entity: Entity): QueueEntry {
  const { rowKey = '', Due: due, Rows: rows } = entity;
  return { partitionKey, rowKey, due: String(due), of: typeof rows === 'string' ? rows.split(BETWEEN) : [] };
}

interface Known {
  readonly entry: QueueEntry;
  readonly since: number;
  readonly left: Set<string>;
}

const nameOf = (partitionKey: string, rowKey: string): string => `${partitionKey}|${rowKey}`;

/** @param mostRows that are listed; the entries that were heard of first make room: they are heard of again when they are read */
export function createQueueEntries(mostRows: number): QueueEntries {
  const entries = new Map<string, Known>();
  const entriesOfRow = new Map<string, Set<Known>>();
  const finished = new Map<string, Set<string>>();
  let time = 0;
  let rows = 0;

  const forget = (known: Known, row: string): void => {
    if (!known.left.delete(row)) return;
    rows -= 1;
    const name = nameOf(known.entry.partitionKey, row);
    const others = entriesOfRow.get(name);
    others?.delete(known);
    if (others?.size === 0) entriesOfRow.delete(name);
  };
  const drop = (known: Known): void => {
    const { partitionKey, rowKey } = known.entry;
    for (const row of [...known.left]) forget(known, row);
    entries.delete(nameOf(partitionKey, rowKey));
    finished.get(partitionKey)?.delete(rowKey);
  };
  return {
    now: () => time,
    add(entry) {
      const { partitionKey, rowKey, of } = entry;
      const name = nameOf(partitionKey, rowKey);
      const before = entries.get(name);
      if (before !== undefined) return [...before.left];
      time += 1;
      const known: Known = { entry, since: time, left: new Set(of) };
      entries.set(name, known);
      rows += known.left.size;
      for (const row of known.left) {
        const ofRow = nameOf(partitionKey, row);
        entriesOfRow.set(ofRow, (entriesOfRow.get(ofRow) ?? new Set()).add(known));
      }
      for (const oldest of entries.values()) {
        if (rows <= mostRows || oldest === known) break;
        drop(oldest);
      }
      return of;
    },
    settle(partitionKey, row, due, since) {
      for (const known of [...(entriesOfRow.get(nameOf(partitionKey, row)) ?? [])]) {
        if (known.entry.due === due || known.since > since) continue;
        forget(known, row);
        if (known.left.size > 0) continue;
        const ofPartition = finished.get(partitionKey) ?? new Set();
        finished.set(partitionKey, ofPartition.add(known.entry.rowKey));
      }
    },
    left: (partitionKey, rowKey) => entries.get(nameOf(partitionKey, rowKey))?.left.size,
    finished: (partitionKey) => [...(finished.get(partitionKey) ?? [])],
    drop(partitionKey, rowKeys) {
      for (const rowKey of rowKeys) {
        const known = entries.get(nameOf(partitionKey, rowKey));
        if (known !== undefined) drop(known);
      }
    },
  };
}
