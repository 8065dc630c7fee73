import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import { IDENTITY_COLUMNS, type IdentityRow, identityRowOf, type NewIdentityRow } from './identityRow.ts';

export interface RegistryCounts {
  readonly devices: number;
  readonly enabledDevices: number;
  readonly modules: number;
}

export type IdentityKind = 'devices' | 'modules' | 'all';

/** Told of each write: `before` is absent for a creation, `after` for a deletion. */
export type WriteListener = (before: IdentityRow | undefined, after: IdentityRow | undefined) => void;

/** Works along with transactions: what it writes before the commit is part of them. */
export interface TransactionFollower {
  beforeCommit(): void;
  rolledBack(): void;
}

/** The identities of the hub, behind functions. Everything is synchronous: SQLite runs in this process. */
export interface IdentityStore {
  find(deviceId: string, moduleId?: string): IdentityRow | undefined;
  /** The edge device that owns a scope. */
  findEdgeByScope(deviceScope: string): IdentityRow | undefined;
  insert(row: NewIdentityRow): IdentityRow;
  /** Writes `after` over `before`, the row as it was found; the ids never change. */
  update(before: IdentityRow, after: IdentityRow): void;
  remove(row: IdentityRow): void;
  modulesOf(deviceId: string): IdentityRow[];
  countModulesOf(deviceId: string): number;
  /** Rows created after `afterSeq`, oldest first. */
  page(kind: IdentityKind, afterSeq: number, limit: number): IdentityRow[];
  counts(): RegistryCounts;
  /** Runs `work` in one transaction; a throw undoes all of it. Not nested. */
  transaction<T>(work: () => T): T;
  clear(): void;
  onWrite(listener: WriteListener): void;
  follow(follower: TransactionFollower): void;
  /** How many twins have which `configurations`, JSON as in the column. Costs as much as the twins that have any. */
  configurationCounts(): readonly { readonly configurations: string; readonly twins: number }[];
  /**
   * Takes a configuration off the twins that it targets; their properties stay. Those that it was applied to forget the
   * others with it: what prevails now is to be applied anew.
   */
  forgetConfiguration(id: string): void;
  forgetConfigurations(): void;
}

const COLUMNS = Object.keys(IDENTITY_COLUMNS) as (keyof NewIdentityRow)[];
/** Setting the ids, too, would rewrite their index at each update. */
const CHANGEABLE = COLUMNS.filter((name) => name !== 'deviceId' && name !== 'moduleId' && name !== 'generationId');

export function createIdentityStore(database: DatabaseSync): IdentityStore {
  const select = (rest: string) => {
    const statement = database.prepare(`SELECT seq, ${COLUMNS.join(', ')} FROM identities ${rest}`);
    statement.setReturnArrays(true);
    return statement;
  };
  const byId = select('WHERE deviceId = ? AND moduleId = ?');
  const byScope = select('WHERE deviceScope = ? AND iotEdge = 1');
  const ofDevice = select("WHERE deviceId = ? AND moduleId > '' ORDER BY moduleId");
  const countOfDevice = database.prepare(
    "SELECT COUNT(*) AS n FROM identities WHERE deviceId = ? AND moduleId > '' AND moduleId NOT LIKE '$%'",
  );
  const pages = {
    devices: select("WHERE seq > ? AND moduleId = '' ORDER BY seq LIMIT ?"),
    modules: select("WHERE seq > ? AND moduleId > '' ORDER BY seq LIMIT ?"),
    all: select('WHERE seq > ? ORDER BY seq LIMIT ?'),
  };
  const insertion = database.prepare(
    `INSERT INTO identities (${COLUMNS.join(', ')}) VALUES (${COLUMNS.map(() => '?').join(', ')})`,
  );
  const change = database.prepare(
    `UPDATE identities SET ${CHANGEABLE.map((name) => `${name} = ?`).join(', ')} WHERE seq = ?`,
  );
  const removal = database.prepare('DELETE FROM identities WHERE seq = ?');
  const countOfConfigurations = database.prepare(
    'SELECT configurations, COUNT(*) AS twins FROM identities WHERE configurations IS NOT NULL GROUP BY configurations',
  );
  const forgetting = database.prepare(
    `UPDATE identities SET configurations = CASE json_extract(configurations, ?1 || '.status') WHEN 'Applied' THEN NULL
       ELSE NULLIF(json_remove(configurations, ?1), '{}') END
     WHERE configurations IS NOT NULL`,
  );
  const rowOf = (found: unknown) => (found === undefined ? undefined : identityRowOf(found as unknown[]));
  const rowsOf = (found: unknown) => (found as unknown[][]).map(identityRowOf);
  const values = (row: NewIdentityRow): SQLInputValue[] => COLUMNS.map((name) => row[name]);

  // Counting a million rows takes a scan: the totals are kept here, and counted once at the start.
  let counts = countAll(database);
  const listeners: WriteListener[] = [];
  const followers: TransactionFollower[] = [];
  const shift = (row: NewIdentityRow, by: 1 | -1) => {
    const enabled = row.moduleId === '' && row.status === 'enabled' ? by : 0;
    counts = {
      devices: counts.devices + (row.moduleId === '' ? by : 0),
      enabledDevices: counts.enabledDevices + enabled,
      modules: counts.modules + (row.moduleId === '' ? 0 : by),
    };
  };
  const tell = (before: IdentityRow | undefined, after: IdentityRow | undefined) => {
    for (const listener of listeners) listener(before, after);
  };

  return {
    find: (deviceId, moduleId = '') => rowOf(byId.get(deviceId, moduleId)),
    findEdgeByScope: (deviceScope) => rowOf(byScope.get(deviceScope)),
    insert: (row) => {
      const { lastInsertRowid } = insertion.run(...values(row));
      const inserted = { ...row, seq: Number(lastInsertRowid) };
      shift(row, 1);
      tell(undefined, inserted);
      return inserted;
    },
    update: (before, after) => {
      change.run(...CHANGEABLE.map((name): SQLInputValue => after[name]), before.seq);
      shift(before, -1);
      shift(after, 1);
      tell(before, after);
    },
    remove: (row) => {
      removal.run(row.seq);
      shift(row, -1);
      tell(row, undefined);
    },
    modulesOf: (deviceId) => rowsOf(ofDevice.all(deviceId)),
    countModulesOf: (deviceId) => Number(countOfDevice.get(deviceId)?.n),
    page: (kind, afterSeq, limit) => rowsOf(pages[kind].all(afterSeq, limit)),
    counts: () => counts,
    transaction: (work) => {
      const before = counts;
      database.exec('BEGIN IMMEDIATE');
      try {
        const result = work();
        for (const follower of followers) follower.beforeCommit();
        database.exec('COMMIT');
        return result;
      } catch (error) {
        database.exec('ROLLBACK');
        counts = before;
        for (const follower of followers) follower.rolledBack();
        throw error;
      }
    },
    clear: () => {
      database.exec('DELETE FROM identities');
      counts = countAll(database);
    },
    onWrite: (listener) => {
      listeners.push(listener);
    },
    follow: (follower) => {
      followers.push(follower);
    },
    configurationCounts: () =>
      countOfConfigurations.all().map(({ configurations, twins }) => ({
        configurations: String(configurations),
        twins: Number(twins),
      })),
    forgetConfiguration: (id) => {
      forgetting.run(`$."${id}"`);
    },
    forgetConfigurations: () => {
      database.exec('UPDATE identities SET configurations = NULL WHERE configurations IS NOT NULL');
    },
  };
}

function countAll(database: DatabaseSync): RegistryCounts {
  const row = database
    .prepare(
      `SELECT COUNT(*) AS total, SUM(moduleId = '') AS devices,
              SUM(moduleId = '' AND status = 'enabled') AS enabledDevices FROM identities`,
    )
    .get();
  const devices = Number(row?.devices ?? 0);
  return { devices, enabledDevices: Number(row?.enabledDevices ?? 0), modules: Number(row?.total ?? 0) - devices };
}
