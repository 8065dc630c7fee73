import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { IdentityStore } from '../registry/identityStore.ts';
import type { EventKind } from './eventKinds.ts';
import { partitionOf } from './partitionOf.ts';

export interface NewEvent {
  readonly kind: EventKind;
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

/** What a partition holds. With no event ever, `last` and `lastOffset` are -1. */
export interface PartitionState {
  readonly id: number;
  /** Sequence number of the oldest event that is kept, or will be of the first. */
  readonly begin: number;
  readonly last: number;
  readonly lastOffset: number;
  readonly lastEnqueuedMs: number | undefined;
}

/** The events of a hub, in partitions. Part of the registry's database: an event and its change are committed together. */
export interface EventLog {
  /** The Event-Hubs-compatible name; a failover changes it. */
  readonly name: string;
  readonly createdMs: number;
  partitions(): readonly PartitionState[];
  partition(id: number): PartitionState | undefined;
  /** Only within a transaction of the registry. */
  append(event: NewEvent): void;
  /** Events after a sequence number, oldest first; no more are read than are taken. */
  read(partition: number, after: number, limit: number): Iterable<LoggedEvent>;
  /** The last event that is kept and for which `isBefore` holds, as for all that are older; undefined: for none. */
  lastWhere(partition: number, isBefore: (event: LoggedEvent) => boolean): LoggedEvent | undefined;
  /** Told of partitions with new events, after they are committed. */
  onAppended(listener: (partition: number) => void): void;
  /** As if another region took over: a new name, and partitions that begin anew. */
  failOver(): void;
}

export interface EventLogOptions {
  /** Base of the name, for a hub that has none yet or another one. */
  readonly name: string | undefined;
  readonly defaultName: string;
  /** How many partitions a new log has; absent: 4. */
  readonly partitions: number | undefined;
  /** How many events a partition keeps at least. */
  readonly retention: () => number;
  readonly now: () => number;
}

interface Counters {
  begin: number;
  last: number;
  lastOffset: number;
  nextOffset: number;
  lastMs: number | undefined;
}

interface Partition {
  readonly insertion: StatementSync;
  readonly after: StatementSync;
  readonly removal: StatementSync;
  counters: Counters;
}

const DEFAULT_PARTITIONS = 4;
const MAX_PARTITIONS = 128;
/** Old events are removed this many at a time. */
const REMOVED_AT_ONCE = 1000;
/** What an event takes besides its payload, about: offsets only have to look like positions. */
const OVERHEAD_BYTES = 400;

interface Saved {
  readonly name: string;
  readonly partitions: number;
  readonly failovers: number;
  readonly createdMs: number;
}

/**
 * Opens the log in the registry's database. Each partition is a table of its own, which only grows at its end.
 *
 * @throws Error when the log has another number of partitions: as on a live hub, that cannot change.
 */
export function openEventLog(database: DatabaseSync, store: IdentityStore, options: EventLogOptions): EventLog {
  let saved = openSaved(database, options);
  const partitions = Array.from({ length: saved.partitions }, (_, id) => openPartition(database, id));
  const listeners: ((partition: number) => void)[] = [];
  // Counters as they were before the transaction, by partition: what an event is appended to.
  const before = new Map<number, Counters>();

  store.follow({
    committed: () => {
      if (before.size === 0) return;
      const appended = [...before.keys()];
      before.clear();
      for (const id of appended) for (const listener of listeners) listener(id);
    },
    rolledBack: () => {
      for (const [id, counters] of before) demand(id).counters = counters;
      before.clear();
    },
  });

  const demand = (id: number): Partition => {
    const partition = partitions[id];
    if (partition === undefined) throw new Error(`There is no partition ${id}.`);
    return partition;
  };
  const eventAt = (partition: Partition, sequence: number): LoggedEvent | undefined => {
    const [row] = partition.after.all(sequence - 1, 1);
    return row === undefined ? undefined : eventOf(row as unknown as unknown[]);
  };
  const stateOf = (id: number, { counters }: Partition): PartitionState => ({
    id,
    begin: counters.begin,
    last: counters.last,
    lastOffset: counters.lastOffset,
    lastEnqueuedMs: counters.lastMs,
  });

  return {
    get name() {
      return saved.failovers === 0 ? saved.name : `${saved.name}-${saved.failovers + 1}`;
    },
    get createdMs() {
      return saved.createdMs;
    },
    partitions: () => partitions.map((partition, id) => stateOf(id, partition)),
    partition: (id) => {
      const partition = partitions[id];
      return partition && stateOf(id, partition);
    },
    append: ({ kind, deviceId, moduleId, payload }) => {
      const id = partitionOf(deviceId, partitions.length);
      const partition = demand(id);
      if (!before.has(id)) before.set(id, partition.counters);
      const { begin, last, nextOffset, lastMs } = partition.counters;
      const sequence = last + 1;
      // A clock that is set back does not turn the order of a partition around.
      const enqueuedMs = Math.max(options.now(), lastMs ?? 0);
      partition.insertion.run(sequence, nextOffset, enqueuedMs, kind, deviceId, moduleId, payload);
      const isFull = sequence - begin + 1 >= options.retention() + REMOVED_AT_ONCE;
      const newBegin = isFull ? sequence + 1 - options.retention() : begin;
      if (isFull) partition.removal.run(newBegin);
      partition.counters = {
        begin: newBegin,
        last: sequence,
        lastOffset: nextOffset,
        nextOffset: offsetAfter(nextOffset, payload),
        lastMs: enqueuedMs,
      };
    },
    read: function* (id, after, limit) {
      for (const row of demand(id).after.iterate(after, limit)) yield eventOf(row as unknown as unknown[]);
    },
    lastWhere: (id, isBefore) => {
      const partition = demand(id);
      let found: LoggedEvent | undefined;
      for (let low = partition.counters.begin, high = partition.counters.last; low <= high; ) {
        const middle = Math.floor((low + high) / 2);
        const event = eventAt(partition, middle);
        if (event !== undefined && isBefore(event)) {
          found = event;
          low = middle + 1;
        } else {
          high = middle - 1;
        }
      }
      return found;
    },
    onAppended: (listener) => {
      listeners.push(listener);
    },
    failOver: () => {
      store.transaction(() => {
        partitions.forEach((_, id) => {
          database.exec(`DELETE FROM events${id}`);
        });
        saved = { ...saved, failovers: saved.failovers + 1, createdMs: options.now() };
        writeSaved(database, saved);
      });
      for (const partition of partitions) partition.counters = emptyCounters();
    },
  };
}

function openSaved(database: DatabaseSync, options: EventLogOptions): Saved {
  database.exec(
    'CREATE TABLE IF NOT EXISTS eventLog (id INTEGER PRIMARY KEY CHECK (id = 1), saved TEXT NOT NULL) STRICT',
  );
  const row = database.prepare('SELECT saved FROM eventLog').get();
  const found = row === undefined ? undefined : (JSON.parse(String(row.saved)) as Saved);
  const wanted = options.partitions ?? found?.partitions ?? DEFAULT_PARTITIONS;
  if (!Number.isInteger(wanted) || wanted < 1 || wanted > MAX_PARTITIONS) {
    throw new Error(`--event-partitions must be a whole number from 1 to ${MAX_PARTITIONS}, not ${wanted}.`);
  }
  if (found !== undefined && found.partitions !== wanted) {
    throw new Error(
      `The hub has ${found.partitions} partitions of events, which cannot change: leave --event-partitions out, or take another data folder.`,
    );
  }
  const fresh = { name: options.defaultName, failovers: 0, createdMs: options.now(), partitions: wanted };
  const saved = { ...(found ?? fresh), ...(options.name !== undefined && { name: options.name }) };
  writeSaved(database, saved);
  return saved;
}

function writeSaved(database: DatabaseSync, saved: Saved): void {
  database.prepare('INSERT OR REPLACE INTO eventLog (id, saved) VALUES (1, ?)').run(JSON.stringify(saved));
}

function openPartition(database: DatabaseSync, id: number): Partition {
  const table = `events${id}`;
  database.exec(
    `CREATE TABLE IF NOT EXISTS ${table} (
       sequence INTEGER PRIMARY KEY, offset INTEGER NOT NULL, enqueuedMs INTEGER NOT NULL, kind TEXT NOT NULL,
       deviceId TEXT NOT NULL, moduleId TEXT NOT NULL, payload TEXT NOT NULL
     ) STRICT`,
  );
  const columns = 'sequence, offset, enqueuedMs, kind, deviceId, moduleId, payload';
  const after = database.prepare(`SELECT ${columns} FROM ${table} WHERE sequence > ? ORDER BY sequence LIMIT ?`);
  after.setReturnArrays(true);
  return {
    insertion: database.prepare(`INSERT INTO ${table} (${columns}) VALUES (?, ?, ?, ?, ?, ?, ?)`),
    after,
    removal: database.prepare(`DELETE FROM ${table} WHERE sequence < ?`),
    counters: countersOf(database, table),
  };
}

/** The newest event is always kept: from it everything goes on after a restart. */
function countersOf(database: DatabaseSync, table: string): Counters {
  const first = database.prepare(`SELECT MIN(sequence) AS sequence FROM ${table}`).get();
  const last = database.prepare(`SELECT * FROM ${table} ORDER BY sequence DESC LIMIT 1`).get();
  if (last === undefined) return emptyCounters();
  const lastOffset = Number(last.offset);
  return {
    begin: Number(first?.sequence),
    last: Number(last.sequence),
    lastOffset,
    nextOffset: offsetAfter(lastOffset, String(last.payload)),
    lastMs: Number(last.enqueuedMs),
  };
}

function emptyCounters(): Counters {
  return { begin: 0, last: -1, lastOffset: -1, nextOffset: 0, lastMs: undefined };
}

function offsetAfter(offset: number, payload: string): number {
  return offset + OVERHEAD_BYTES + payload.length;
}

function eventOf(row: readonly unknown[]): LoggedEvent {
  const [sequence, offset, enqueuedMs, kind, deviceId, moduleId, payload] = row as [
    number,
    number,
    number,
    EventKind,
    string,
    string,
    string,
  ];
  return { sequence, offset, enqueuedMs, kind, deviceId, moduleId, payload };
}
