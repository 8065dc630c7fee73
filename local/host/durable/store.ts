import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { makePrivateFile } from '../../stack/privateFile.ts';
import type { HistoryEvent, ParentInstance } from './historyEvents.ts';

export type RuntimeStatus = 'Pending' | 'Running' | 'Suspended' | 'Completed' | 'Failed' | 'Terminated';

export function isFinished(status: RuntimeStatus): boolean {
  return status === 'Completed' || status === 'Failed' || status === 'Terminated';
}

/** Times are milliseconds since 1970; `input`, `output` and `customStatus` are JSON text, `output` of a failure plain text. */
export interface InstanceRow {
  readonly instanceId: string;
  readonly executionId: string;
  readonly name: string;
  readonly version: string | null;
  readonly status: RuntimeStatus;
  readonly input: string | null;
  readonly output: string | null;
  readonly customStatus: string | null;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly parent: ParentInstance | null;
}

/** One operation on its way to an entity. `input` is JSON text. */
export interface EntityOperation {
  readonly id: string;
  readonly name: string;
  readonly input: string | null;
  /** Who waits for the answer; absent for a signal. */
  readonly caller?: { readonly instanceId: string; readonly executionId: string };
}

export type MessageBody =
  | { readonly kind: 'event'; readonly event: HistoryEvent }
  | { readonly kind: 'terminate' | 'suspend' | 'resume'; readonly reason: string }
  | { readonly kind: 'operation'; readonly operation: EntityOperation };

export interface NewMessage {
  /** An instance id, or `@name@key` of an entity. */
  readonly target: string;
  /** The execution that it is meant for; null: whichever runs. */
  readonly executionId: string | null;
  /** Milliseconds since 1970; 0 puts it before all others. */
  readonly visibleAt: number;
  readonly body: MessageBody;
}

export interface Message {
  readonly seq: number;
  readonly executionId: string | null;
  readonly body: MessageBody;
}

export interface ActivityRow {
  readonly seq: number;
  readonly instanceId: string;
  readonly executionId: string;
  readonly taskId: number;
  readonly name: string;
  /** JSON text of an array with the one argument. */
  readonly input: string;
}

export interface EntityRow {
  readonly id: string;
  readonly exists: boolean;
  /** JSON text. */
  readonly state: string | null;
  readonly lastOperationAt: number;
}

export interface InstanceQuery {
  readonly createdFrom?: number;
  readonly createdTo?: number;
  readonly statuses?: readonly string[];
  readonly idPrefix?: string;
  /** Ids after this one. */
  readonly after?: string;
  readonly limit?: number;
}

export interface EntityQuery {
  readonly name?: string;
  readonly lastOperationFrom?: number;
  readonly lastOperationTo?: number;
  readonly after?: string;
  readonly limit?: number;
}

const schemaVersion = 1;

const schema = `
  CREATE TABLE instances (
    instance_id TEXT PRIMARY KEY,
    execution_id TEXT NOT NULL,
    name TEXT NOT NULL,
    version TEXT,
    status TEXT NOT NULL,
    input TEXT,
    output TEXT,
    custom_status TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    parent TEXT
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE history (
    instance_id TEXT NOT NULL,
    seq INTEGER NOT NULL,
    event TEXT NOT NULL,
    PRIMARY KEY (instance_id, seq)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE inbox (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    target TEXT NOT NULL,
    execution_id TEXT,
    visible_at INTEGER NOT NULL,
    body TEXT NOT NULL
  ) STRICT;
  CREATE INDEX inbox_by_target ON inbox (target, visible_at, seq);
  CREATE INDEX inbox_by_time ON inbox (visible_at, target);
  CREATE TABLE activities (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    instance_id TEXT NOT NULL,
    execution_id TEXT NOT NULL,
    task_id INTEGER NOT NULL,
    name TEXT NOT NULL,
    input TEXT NOT NULL
  ) STRICT;
  CREATE TABLE entities (
    id TEXT PRIMARY KEY,
    entity_exists INTEGER NOT NULL,
    state TEXT,
    last_operation_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  PRAGMA user_version = ${schemaVersion};
`;

/**
 * Everything the engine must not lose, in one SQLite file: instances, their history, the messages that wait for them
 * (completions, events, timers; invisible until their time), the activities that are still to be run, entities.
 * A commit is on disk when it returns; the file belongs to one process as long as that lives.
 */
export interface DurableStore {
  /** All or nothing; what `step` throws undoes it. */
  transaction<T>(step: () => T): T;
  instance(instanceId: string): InstanceRow | undefined;
  /** Inserts or replaces. */
  putInstance(row: InstanceRow): void;
  instances(query: InstanceQuery): InstanceRow[];
  /** The instance, its history and what waits for it. */
  deleteInstance(instanceId: string): void;
  history(instanceId: string): HistoryEvent[];
  appendHistory(instanceId: string, firstSeq: number, events: readonly HistoryEvent[]): void;
  clearHistory(instanceId: string): void;
  send(message: NewMessage): void;
  /** Visible messages, by time and then in the order of sending. */
  messages(target: string, now: number, limit: number): Message[];
  deleteMessages(seqs: readonly number[]): void;
  /** All messages of an instance, or those meant for one of its executions. */
  deleteMessagesFor(target: string, executionId?: string): void;
  /** Targets of messages that become visible after `after` and until `until`. */
  targetsDue(after: number, until: number): string[];
  /** When the first message after `now` becomes visible. */
  nextVisibleAt(now: number): number | undefined;
  addActivity(activity: Omit<ActivityRow, 'seq'>): number;
  activity(seq: number): ActivityRow | undefined;
  activitySeqs(): number[];
  deleteActivity(seq: number): void;
  entity(id: string): EntityRow | undefined;
  putEntity(row: EntityRow): void;
  /** The entity alone; operations that wait for it make it anew. */
  removeEntityState(id: string): void;
  /** The entity and what waits for it. */
  deleteEntity(id: string): void;
  entities(query: EntityQuery): EntityRow[];
  close(): void;
}

/**
 * Opens the file, or makes it.
 *
 * @throws Error naming the file when another process has it, when it has another schema, or when it is no database.
 */
export function openStore(path: string): DurableStore {
  const db = openDatabase(path);
  const statements = new Map<string, StatementSync>();
  const sql = (text: string): StatementSync => {
    const known = statements.get(text);
    if (known !== undefined) {
      return known;
    }
    const statement = db.prepare(text);
    statements.set(text, statement);
    return statement;
  };
  const run = (text: string, ...values: SQLInputValue[]) => sql(text).run(...values);
  const get = <Row>(text: string, ...values: SQLInputValue[]) => sql(text).get(...values) as Row | undefined;
  const all = <Row>(text: string, ...values: SQLInputValue[]) => sql(text).all(...values) as unknown as Row[];

  return {
    transaction(step) {
      db.exec('BEGIN IMMEDIATE');
      try {
        const result = step();
        db.exec('COMMIT');
        return result;
      } catch (error) {
        if (db.isTransaction) {
          db.exec('ROLLBACK');
        }
        throw error;
      }
    },
    instance: (instanceId) => {
      const row = get<InstanceColumns>('SELECT * FROM instances WHERE instance_id = ?', instanceId);
      return row && toInstance(row);
    },
    putInstance(row) {
      run(
        `INSERT OR REPLACE INTO instances
          (instance_id, execution_id, name, version, status, input, output, custom_status, created_at, updated_at, parent)
          VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        row.instanceId,
        row.executionId,
        row.name,
        row.version,
        row.status,
        row.input,
        row.output,
        row.customStatus,
        row.createdAt,
        row.updatedAt,
        row.parent && JSON.stringify(row.parent),
      );
    },
    instances(query) {
      return all<InstanceColumns>(
        `SELECT * FROM instances
          WHERE instance_id > ?1 AND created_at >= ?2 AND created_at <= ?3
            AND (?4 IS NULL OR status IN (SELECT value FROM json_each(?4)))
            AND substr(instance_id, 1, length(?5)) = ?5
          ORDER BY instance_id LIMIT ?6`,
        query.after ?? '',
        query.createdFrom ?? 0,
        query.createdTo ?? Number.MAX_SAFE_INTEGER,
        query.statuses === undefined ? null : JSON.stringify(query.statuses),
        query.idPrefix ?? '',
        query.limit ?? -1,
      ).map(toInstance);
    },
    deleteInstance(instanceId) {
      run('DELETE FROM instances WHERE instance_id = ?', instanceId);
      run('DELETE FROM history WHERE instance_id = ?', instanceId);
      run('DELETE FROM inbox WHERE target = ?', instanceId);
    },
    history: (instanceId) =>
      all<{ event: string }>('SELECT event FROM history WHERE instance_id = ? ORDER BY seq', instanceId).map(
        (row) => JSON.parse(row.event) as HistoryEvent,
      ),
    appendHistory(instanceId, firstSeq, events) {
      for (const [index, event] of events.entries()) {
        run(
          'INSERT INTO history (instance_id, seq, event) VALUES (?, ?, ?)',
          instanceId,
          firstSeq + index,
          JSON.stringify(event),
        );
      }
    },
    clearHistory(instanceId) {
      run('DELETE FROM history WHERE instance_id = ?', instanceId);
    },
    send(message) {
      run(
        'INSERT INTO inbox (target, execution_id, visible_at, body) VALUES (?, ?, ?, ?)',
        message.target,
        message.executionId,
        message.visibleAt,
        JSON.stringify(message.body),
      );
    },
    messages: (target, now, limit) =>
      all<{ seq: number; execution_id: string | null; body: string }>(
        'SELECT seq, execution_id, body FROM inbox WHERE target = ? AND visible_at <= ? ORDER BY visible_at, seq LIMIT ?',
        target,
        now,
        limit,
      ).map((row) => ({
        seq: row.seq,
        executionId: row.execution_id,
        body: JSON.parse(row.body) as MessageBody,
      })),
    deleteMessages(seqs) {
      for (const seq of seqs) {
        run('DELETE FROM inbox WHERE seq = ?', seq);
      }
    },
    deleteMessagesFor(target, executionId) {
      if (executionId === undefined) {
        run('DELETE FROM inbox WHERE target = ?', target);
      } else {
        run('DELETE FROM inbox WHERE target = ? AND execution_id = ?', target, executionId);
      }
    },
    targetsDue: (after, until) =>
      all<{ target: string }>(
        'SELECT DISTINCT target FROM inbox WHERE visible_at > ? AND visible_at <= ?',
        after,
        until,
      ).map((row) => row.target),
    nextVisibleAt: (now) =>
      get<{ at: number | null }>('SELECT MIN(visible_at) AS at FROM inbox WHERE visible_at > ?', now)?.at ?? undefined,
    addActivity: (activity) =>
      Number(
        run(
          'INSERT INTO activities (instance_id, execution_id, task_id, name, input) VALUES (?, ?, ?, ?, ?)',
          activity.instanceId,
          activity.executionId,
          activity.taskId,
          activity.name,
          activity.input,
        ).lastInsertRowid,
      ),
    activity: (seq) => {
      const row = get<ActivityColumns>('SELECT * FROM activities WHERE seq = ?', seq);
      return (
        row && {
          seq: row.seq,
          instanceId: row.instance_id,
          executionId: row.execution_id,
          taskId: row.task_id,
          name: row.name,
          input: row.input,
        }
      );
    },
    activitySeqs: () => all<{ seq: number }>('SELECT seq FROM activities ORDER BY seq').map((row) => row.seq),
    deleteActivity(seq) {
      run('DELETE FROM activities WHERE seq = ?', seq);
    },
    entity: (id) => {
      const row = get<EntityColumns>('SELECT * FROM entities WHERE id = ?', id);
      return row && toEntity(row);
    },
    putEntity(row) {
      run(
        'INSERT OR REPLACE INTO entities (id, entity_exists, state, last_operation_at) VALUES (?, ?, ?, ?)',
        row.id,
        row.exists ? 1 : 0,
        row.state,
        row.lastOperationAt,
      );
    },
    removeEntityState(id) {
      run('DELETE FROM entities WHERE id = ?', id);
    },
    deleteEntity(id) {
      run('DELETE FROM entities WHERE id = ?', id);
      run('DELETE FROM inbox WHERE target = ?', id);
    },
    entities(query) {
      const prefix = query.name === undefined ? '@' : `@${query.name}@`;
      return all<EntityColumns>(
        `SELECT * FROM entities
          WHERE id > ?1 AND entity_exists = 1 AND substr(id, 1, length(?2)) = ?2
            AND last_operation_at >= ?3 AND last_operation_at <= ?4
          ORDER BY id LIMIT ?5`,
        query.after ?? '',
        prefix,
        query.lastOperationFrom ?? 0,
        query.lastOperationTo ?? Number.MAX_SAFE_INTEGER,
        query.limit ?? -1,
      ).map(toEntity);
    },
    close() {
      statements.clear();
      db.close();
    },
  };
}

interface InstanceColumns {
  readonly instance_id: string;
  readonly execution_id: string;
  readonly name: string;
  readonly version: string | null;
  readonly status: string;
  readonly input: string | null;
  readonly output: string | null;
  readonly custom_status: string | null;
  readonly created_at: number;
  readonly updated_at: number;
  readonly parent: string | null;
}

interface ActivityColumns {
  readonly seq: number;
  readonly instance_id: string;
  readonly execution_id: string;
  readonly task_id: number;
  readonly name: string;
  readonly input: string;
}

interface EntityColumns {
  readonly id: string;
  readonly entity_exists: number;
  readonly state: string | null;
  readonly last_operation_at: number;
}

function toInstance(row: InstanceColumns): InstanceRow {
  return {
    instanceId: row.instance_id,
    executionId: row.execution_id,
    name: row.name,
    version: row.version,
    status: row.status as RuntimeStatus,
    input: row.input,
    output: row.output,
    customStatus: row.custom_status,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    parent: row.parent === null ? null : (JSON.parse(row.parent) as ParentInstance),
  };
}

function toEntity(row: EntityColumns): EntityRow {
  return {
    id: row.id,
    exists: row.entity_exists === 1,
    state: row.state,
    lastOperationAt: row.last_operation_at,
  };
}

function openDatabase(path: string): DatabaseSync {
  let db: DatabaseSync | undefined;
  try {
    makePrivateFile(path);
    db = new DatabaseSync(path);
    // The lock is taken by the write below and kept until the process ends, however it ends. It comes before the WAL
    // mode, so that no shared-memory file is made.
    db.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;');
    db.exec('BEGIN IMMEDIATE');
    const found = (db.prepare('PRAGMA user_version').get() as { user_version: number }).user_version;
    if (found === 0) {
      db.exec(schema);
    } else if (found !== schemaVersion) {
      throw new Error(
        `Durable state file ${path} has schema version ${found}, this host knows version ${schemaVersion}. Delete the file to begin anew, or use the host that made it.`,
      );
    }
    db.exec('COMMIT');
    return db;
  } catch (error) {
    db?.close();
    throw openError(path, error);
  }
}

const sqliteBusy = 5;
const sqliteNotADatabase = 26;

function openError(path: string, error: unknown): Error {
  const code = (error as { errcode?: unknown }).errcode;
  const primaryCode = typeof code === 'number' ? code & 0xff : undefined;
  if (primaryCode === sqliteBusy) {
    return new Error(
      `Durable state file ${path} is in use by another process; stop that host, or give this one another data folder.`,
      {
        cause: error,
      },
    );
  }
  if (primaryCode === sqliteNotADatabase) {
    return new Error(`Durable state file ${path} is not a SQLite database.`, { cause: error });
  }
  return code === undefined && error instanceof Error
    ? error
    : new Error(`Durable state file ${path} cannot be opened: ${(error as Error).message}`, { cause: error });
}
