import type { DatabaseSync } from 'node:sqlite';

/** What a hub keeps of its event log, besides the events. */
export interface SavedLog {
  /** What the name is made of. */
  readonly name: string;
  readonly partitions: number;
  readonly failovers: number;
  readonly createdMs: number;
}

export interface WantedLog {
  /** For a hub that has no name yet, or another one. */
  readonly name: string | undefined;
  readonly defaultName: string;
  /** How many partitions a new log has; absent: 4. */
  readonly partitions: number | undefined;
  readonly now: () => number;
}

const DEFAULT_PARTITIONS = 4;
const MAX_PARTITIONS = 128;

/** The log that the database has, or a new one. */
export function openSavedLog(database: DatabaseSync, wanted: WantedLog): SavedLog {
  database.exec(
    'CREATE TABLE IF NOT EXISTS eventLog (id INTEGER PRIMARY KEY CHECK (id = 1), saved TEXT NOT NULL) STRICT',
  );
  const row = database.prepare('SELECT saved FROM eventLog').get();
  const found = row === undefined ? undefined : (JSON.parse(String(row.saved)) as SavedLog);
  const partitions = wanted.partitions ?? found?.partitions ?? DEFAULT_PARTITIONS;
  if (!Number.isInteger(partitions) || partitions < 1 || partitions > MAX_PARTITIONS) {
    throw new Error(`--event-partitions must be a whole number from 1 to ${MAX_PARTITIONS}, not ${partitions}.`);
  }
  if (found !== undefined && found.partitions !== partitions) {
    throw new Error(
      `The hub has ${found.partitions} partitions of events, which cannot change: leave --event-partitions out, or take another data folder.`,
    );
  }
  const fresh = { name: wanted.defaultName, failovers: 0, createdMs: wanted.now(), partitions };
  const saved = { ...(found ?? fresh), ...(wanted.name !== undefined && { name: wanted.name }) };
  saveLog(database, saved);
  return saved;
}

export function saveLog(database: DatabaseSync, saved: SavedLog): void {
  database.prepare('INSERT OR REPLACE INTO eventLog (id, saved) VALUES (1, ?)').run(JSON.stringify(saved));
}
