import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { makePrivateFile } from '../../stack/privateFile.ts';
import { IDENTITY_COLUMNS } from './identityRow.ts';

const identityColumns = Object.entries(IDENTITY_COLUMNS)
  .map(([name, type]) => `${name} ${type}`)
  .join(', ');

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS identities (seq INTEGER PRIMARY KEY, ${identityColumns}, UNIQUE (deviceId, moduleId));
  CREATE INDEX IF NOT EXISTS identitiesByEdgeScope ON identities (deviceScope) WHERE iotEdge = 1;
  CREATE INDEX IF NOT EXISTS identitiesByConfigurations ON identities (configurations) WHERE configurations IS NOT NULL;
  CREATE TABLE IF NOT EXISTS configurations (id TEXT PRIMARY KEY, etag INTEGER NOT NULL, document TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS jobs (
    jobId TEXT PRIMARY KEY, type TEXT NOT NULL, status TEXT NOT NULL, foreignJob INTEGER NOT NULL, request TEXT NOT NULL,
    createdMs INTEGER NOT NULL, startedMs INTEGER, endedMs INTEGER, failureReason TEXT, progress INTEGER NOT NULL,
    inputEtag TEXT, position INTEGER NOT NULL, lines INTEGER NOT NULL, configurationsDone INTEGER NOT NULL
  );
  CREATE TABLE IF NOT EXISTS jobErrors (
    n INTEGER PRIMARY KEY, jobId TEXT NOT NULL, kind TEXT NOT NULL, line TEXT NOT NULL
  );
  CREATE INDEX IF NOT EXISTS jobErrorsByJob ON jobErrors (jobId, kind);
`;

/**
 * Opens the registry's database: `registry.sqlite` in the folder given, else in memory. Committed work survives
 * `kill -9`: the write-ahead log is written at each commit, and flushed to disk at checkpoints only.
 */
export function openDatabase(folder: string | undefined): DatabaseSync {
  const path = folder === undefined ? ':memory:' : join(folder, 'registry.sqlite');
  // SQLite gives the files that it makes beside it the mode of this one.
  if (folder !== undefined) makePrivateFile(path);
  const database = new DatabaseSync(path);
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -65536;');
  addConfigurationsColumn(database);
  database.exec(SCHEMA);
  return database;
}

/** A data folder may be older than the column. */
function addConfigurationsColumn(database: DatabaseSync): void {
  const columns = database.prepare("SELECT name FROM pragma_table_info('identities')").all();
  if (columns.length === 0 || columns.some(({ name }) => name === 'configurations')) return;
  database.exec(`ALTER TABLE identities ADD COLUMN configurations ${IDENTITY_COLUMNS.configurations}`);
}
