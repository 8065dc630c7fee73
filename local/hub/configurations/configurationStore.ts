import type { DatabaseSync } from 'node:sqlite';
import type { IdentityStore } from '../registry/identityStore.ts';
import type { JsonObject } from '../twin/twinLimits.ts';

/** An automatic device configuration or edge deployment. `etag` is a counter. */
export interface ConfigurationRow {
  readonly id: string;
  readonly etag: number;
  readonly document: ConfigurationDocument;
}

export interface ConfigurationDocument {
  readonly schemaVersion: string;
  readonly labels: JsonObject;
  readonly content: JsonObject;
  readonly targetCondition: string;
  readonly createdTimeUtc: string;
  readonly lastUpdatedTimeUtc: string;
  readonly priority: number;
  /** Custom metric queries, by name. */
  readonly metricQueries: JsonObject;
}

export interface ConfigurationStore {
  find(id: string): ConfigurationRow | undefined;
  list(): ConfigurationRow[];
  /** Creates or replaces. */
  put(row: ConfigurationRow): void;
  remove(id: string): void;
  count(): number;
  clear(): void;
  /** `listener` is told of each change. */
  onWrite(listener: () => void): void;
}

/** A configuration that is removed is taken off the twins of `identities`, too. */
export function createConfigurationStore(
  database: DatabaseSync,
  identities: Pick<IdentityStore, 'forgetConfiguration' | 'forgetConfigurations'>,
): ConfigurationStore {
  const byId = database.prepare('SELECT id, etag, document FROM configurations WHERE id = ?');
  const all = database.prepare('SELECT id, etag, document FROM configurations ORDER BY id');
  const write = database.prepare('INSERT OR REPLACE INTO configurations (id, etag, document) VALUES (?, ?, ?)');
  const removal = database.prepare('DELETE FROM configurations WHERE id = ?');
  const counting = database.prepare('SELECT COUNT(*) AS n FROM configurations');
  const parsed = (row: unknown): ConfigurationRow => {
    const { id, etag, document } = row as { id: string; etag: number; document: string };
    return { id, etag, document: JSON.parse(document) };
  };
  const listeners: (() => void)[] = [];
  const tell = () => {
    for (const listener of listeners) listener();
  };
  return {
    find: (id) => {
      const row = byId.get(id);
      return row === undefined ? undefined : parsed(row);
    },
    list: () => all.all().map(parsed),
    put: ({ id, etag, document }) => {
      write.run(id, etag, JSON.stringify(document));
      tell();
    },
    remove: (id) => {
      removal.run(id);
      identities.forgetConfiguration(id);
      tell();
    },
    count: () => Number(counting.get()?.n),
    clear: () => {
      database.exec('DELETE FROM configurations');
      identities.forgetConfigurations();
      tell();
    },
    onWrite: (listener) => {
      listeners.push(listener);
    },
  };
}

/** The etag as the wire shows it: base64 of the counter (`MQ==`). */
export function configurationEtag(row: Pick<ConfigurationRow, 'etag'>): string {
  return Buffer.from(String(row.etag), 'latin1').toString('base64');
}
