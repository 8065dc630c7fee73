import type { DatabaseSync } from 'node:sqlite';
import type { EventKind } from './eventKinds.ts';

export interface NewEvent {
  /** `foreign`: it is none of the hub, and its payload is a `ForeignEvent`. */
  readonly kind: EventKind | 'foreign';
  readonly deviceId: string;
  /** '' for a device. */
  readonly moduleId: string;
  /** What the body is made of (`bodyOf`). */
  readonly payload: string;
}

export interface LoggedEvent extends NewEvent {
  /** Within its partition, from 0. */
  readonly sequence: number;
  /** Position in the partition, in bytes as it were: rises with the sequence number and skips numbers, as offsets do. */
  readonly offset: number;
  readonly enqueuedMs: number;
}

/** How far a partition has come. With no event ever, `last` and `lastOffset` are -1. */
export interface Counters {
  /** Sequence number of the oldest event that is kept, or will be of the first. */
  readonly begin: number;
  readonly last: number;
  readonly lastOffset: number;
  readonly lastEnqueuedMs: number | undefined;
  readonly nextOffset: number;
}

/** The events of one partition: a table that only grows at its end. */
export interface PartitionTable {
  /** Set back by whoever rolls a transaction back. */
  counters: Counters;
  append(event: NewEvent, nowMs: number, retention: number): void;
  /** Events after a sequence number, oldest first; no more are read than are taken. */
  read(after: number, limit: number): Iterable<LoggedEvent>;
  /** The last event that is kept and for which `isBefore` holds, as for all that are older; undefined: for none. */
  lastWhere(isBefore: (event: LoggedEvent) => boolean): LoggedEvent | undefined;
  clear(): void;
}

/** Old events are removed this many at a time. */
const REMOVED_AT_ONCE = 1000;
/** What an event takes besides its payload, about: offsets only have to look like positions. */
const OVERHEAD_BYTES = 400;
const NO_EVENTS: Counters = { begin: 0, last: -1, lastOffset: -1, lastEnqueuedMs: undefined, nextOffset: 0 };
const COLUMNS = 'sequence, offset, enqueuedMs, kind, deviceId, moduleId, payload';

export function openPartitionTable(database: DatabaseSync, id: number): PartitionTable {
  const table = `events${id}`;
  database.exec(
    `CREATE TABLE IF NOT EXISTS ${table} (
       sequence INTEGER PRIMARY KEY, offset INTEGER NOT NULL, enqueuedMs INTEGER NOT NULL, kind TEXT NOT NULL,
       deviceId TEXT NOT NULL, moduleId TEXT NOT NULL, payload TEXT NOT NULL
     ) STRICT`,
  );
  const insertion = database.prepare(`INSERT INTO ${table} (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)`);
  const removal = database.prepare(`DELETE FROM ${table} WHERE sequence < ?`);
  const selection = database.prepare(`SELECT ${COLUMNS} FROM ${table} WHERE sequence > ? ORDER BY sequence LIMIT ?`);
  selection.setReturnArrays(true);
  const eventAt = (sequence: number): LoggedEvent | undefined => {
    const [row] = selection.all(sequence - 1, 1);
    return row && eventOf(row as unknown as unknown[]);
  };

  const opened: PartitionTable = {
    counters: countersOf(database, table),
    append: ({ kind, deviceId, moduleId, payload }, nowMs, retention) => {
      const { begin, last, nextOffset, lastEnqueuedMs = 0 } = opened.counters;
      const sequence = last + 1;
      // A clock that is set back does not turn the order of a partition around.
      const enqueuedMs = Math.max(nowMs, lastEnqueuedMs);
      insertion.run(sequence, nextOffset, enqueuedMs, kind, deviceId, moduleId, payload);
      const isFull = sequence - begin + 1 >= retention + REMOVED_AT_ONCE;
      const newBegin = isFull ? sequence + 1 - retention : begin;
      if (isFull) removal.run(newBegin);
      opened.counters = {
        begin: newBegin,
        last: sequence,
        lastOffset: nextOffset,
        lastEnqueuedMs: enqueuedMs,
        nextOffset: offsetAfter(nextOffset, payload),
      };
    },
    read: function* (after, limit) {
      for (const row of selection.iterate(after, limit)) yield eventOf(row as unknown as unknown[]);
    },
    lastWhere: (isBefore) => {
      let found: LoggedEvent | undefined;
      for (let low = opened.counters.begin, high = opened.counters.last; low <= high; ) {
        const middle = Math.floor((low + high) / 2);
        const event = eventAt(middle);
        if (event !== undefined && isBefore(event)) {
          found = event;
          low = middle + 1;
        } else {
          high = middle - 1;
        }
      }
      return found;
    },
    clear: () => {
      database.exec(`DELETE FROM ${table}`);
      opened.counters = NO_EVENTS;
    },
  };
  return opened;
}

/** The newest event is always kept: from it everything goes on after a restart. */
function countersOf(database: DatabaseSync, table: string): Counters {
  const first = database.prepare(`SELECT MIN(sequence) AS sequence FROM ${table}`).get();
  const last = database.prepare(`SELECT * FROM ${table} ORDER BY sequence DESC LIMIT 1`).get();
  if (last === undefined) return NO_EVENTS;
  const lastOffset = Number(last.offset);
  return {
    begin: Number(first?.sequence),
    last: Number(last.sequence),
    lastOffset,
    lastEnqueuedMs: Number(last.enqueuedMs),
    nextOffset: offsetAfter(lastOffset, String(last.payload)),
  };
}

function offsetAfter(offset: number, payload: string): number {
  return offset + OVERHEAD_BYTES + payload.length;
}

function eventOf(row: readonly unknown[]): LoggedEvent {
  const [sequence, offset, enqueuedMs, kind, deviceId, moduleId, payload] = row as [
    number,
    number,
    number,
    LoggedEvent['kind'],
    string,
    string,
    string,
  ];
  return { sequence, offset, enqueuedMs, kind, deviceId, moduleId, payload };
}
