import type { DatabaseSync } from 'node:sqlite';
import type { IdentityStore } from '../registry/identityStore.ts';
import { partitionOf } from './partitionOf.ts';
import {
  type Counters,
  type LoggedEvent,
  type NewEvent,
  openPartitionTable,
  type PartitionTable,
} from './partitionTable.ts';
import { openSavedLog, saveLog, type WantedLog } from './savedLog.ts';

export interface PartitionState extends Omit<Counters, 'nextOffset'> {
  readonly id: number;
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

export interface EventLogOptions extends WantedLog {
  /** How many events a partition keeps at least. */
  readonly retention: () => number;
}

/**
 * Opens the log in the registry's database.
 *
 * @throws Error when the log has another number of partitions: as on a live hub, that cannot change.
 */
export function openEventLog(database: DatabaseSync, store: IdentityStore, options: EventLogOptions): EventLog {
  let saved = openSavedLog(database, options);
  const tables = Array.from({ length: saved.partitions }, (_, id) => openPartitionTable(database, id));
  const listeners: ((partition: number) => void)[] = [];
  // Counters as they were before the transaction, by partition: of those that it appends to.
  const before = new Map<number, Counters>();
  const demand = (id: number): PartitionTable => {
    const table = tables[id];
    if (table === undefined) throw new Error(`There is no partition ${id}.`);
    return table;
  };

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

  return {
    get name() {
      return saved.failovers === 0 ? saved.name : `${saved.name}-${saved.failovers + 1}`;
    },
    get createdMs() {
      return saved.createdMs;
    },
    partitions: () => tables.map((table, id) => stateOf(id, table)),
    partition: (id) => {
      const table = tables[id];
      return table && stateOf(id, table);
    },
    append: (event) => {
      const id = partitionOf(event.deviceId, tables.length);
      const table = demand(id);
      if (!before.has(id)) before.set(id, table.counters);
      table.append(event, options.now(), options.retention());
    },
    read: (id, after, limit) => demand(id).read(after, limit),
    lastWhere: (id, isBefore) => demand(id).lastWhere(isBefore),
    onAppended: (listener) => {
      listeners.push(listener);
    },
    failOver: () => {
      const next = { ...saved, failovers: saved.failovers + 1, createdMs: options.now() };
      store.transaction(() => {
        for (const [id, table] of tables.entries()) {
          before.set(id, table.counters);
          table.clear();
        }
        saveLog(database, next);
      });
      saved = next;
    },
  };
}

function stateOf(id: number, { counters }: PartitionTable): PartitionState {
  const { nextOffset, ...shown } = counters;
  return { id, ...shown };
}
