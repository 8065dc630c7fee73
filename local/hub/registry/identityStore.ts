import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import type { TwinParts } from '../twin/twinColumns.ts';
import { IDENTITY_COLUMNS, type IdentityRow, identityRowOf, type NewIdentityRow } from './identityRow.ts';

export interface RegistryCounts {
  readonly devices: number;
  readonly enabledDevices: number;
  readonly modules: number;
}

export type IdentityKind = 'devices' | 'modules' | 'all';

/** Who writes: a call over REST (or the hub itself), or an import job. */
export type WriteOrigin = 'call' | 'job';

/** What the rows alone do not tell of a write. */
export type WriteHow =
  | { readonly kind: 'twinReplaced' }
  /** `patch` is what was merged into the twin. */
  | { readonly kind: 'twinPatched'; readonly patch: TwinParts }
  /** A module goes because its device does. */
  | { readonly kind: 'withDevice' };

/** Told of each write, within its transaction: `before` is absent for a creation, `after` for a deletion. */
export type WriteListener = (
  before: IdentityRow | undefined,
  after: IdentityRow | undefined,
  origin: WriteOrigin,
  how: WriteHow | undefined,
) => void;

/** Works along with transactions: what it writes before the commit is part of them, and is the hub's own doing. */
export interface TransactionFollower {
  beforeCommit?(): void;
  committed?(): void;
  rolledBack(): void;
}

/** The identities of the hub, behind functions. Everything is synchronous: SQLite runs in this process. */
export interface IdentityStore {
  find(deviceId: string, moduleId?: string): IdentityRow | undefined;
  /** The edge device that owns a scope. */
  findEdgeByScope(deviceScope: string): IdentityRow | undefined;
  insert(row: NewIdentityRow): IdentityRow;
  /** Writes `after` over `before`, the row as it was found; the ids never change. */
  update(before: IdentityRow, after: IdentityRow, how?: WriteHow): void;
  remove(row: IdentityRow, how?: WriteHow): void;
  modulesOf(deviceId: string): IdentityRow[];
  countModulesOf(deviceId: string): number;
  /** Rows created after `afterSeq`, oldest first. */
  page(kind: IdentityKind, afterSeq: number, limit: number): IdentityRow[];
  counts(): RegistryCounts;
  /** Runs `work` in one transaction; a throw undoes all of it. Not nested. A write outside of one has its own. */
  transaction<T>(work: () => T, origin?: WriteOrigin): T;
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
  let isOpen = false;
  let origin: WriteOrigin = 'call';
  const tell = (before: IdentityRow | undefined, after: IdentityRow | undefined, how?: WriteHow) => {
    for (const listener of listeners) listener(before, after, origin, how);
  };
  const transaction = <T>(work: () => T, by: WriteOrigin = 'call'): T => {
    const before = counts;
    database.exec('BEGIN IMMEDIATE');
    isOpen = true;
    origin = by;
    let result: T;
    try {
      result = work();
      origin = 'call';
      for (const follower of followers) follower.beforeCommit?.();
      database.exec('COMMIT');
    } catch (error) {
      database.exec('ROLLBACK');
      counts = before;
      for (const follower of followers) follower.rolledBack();
      throw error;
    } finally {
      isOpen = false;
      origin = 'call';
    }
    for (const follower of followers) follower.committed?.();
    return result;
  };
  const written = <T>(work: () => T): T => (isOpen ? work() : transaction(work));

  return {
    find: (deviceId, moduleId = '') => rowOf(byId.get(deviceId, moduleId)),
    findEdgeByScope: (deviceScope) => rowOf(byScope.get(deviceScope)),
    insert: (row) =>
      written(() => {
        const { lastInsertRowid } = insertion.run(...values(row));
        const inserted = { ...row, seq: Number(lastInsertRowid) };
        shift(row, 1);
        tell(undefined, inserted);
        return inserted;
      }),
    update: (before, after, how) =>
      written(() => {
        change.run(...CHANGEABLE.map((name): SQLInputValue => after[name]), before.seq);
        shift(before, -1);
        shift(after, 1);
        tell(before, after, how);
      }),
    remove: (row, how) =>
      written(() => {
        removal.run(row.seq);
        shift(row, -1);
        tell(row, undefined, how);
      }),
    modulesOf: (deviceId) => rowsOf(ofDevice.all(deviceId)),
    countModulesOf: (deviceId) => Number(countOfDevice.get(deviceId)?.n),
    page: (kind, afterSeq, limit) => rowsOf(pages[kind].all(afterSeq, limit)),
    counts: () => counts,
    transaction,
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
