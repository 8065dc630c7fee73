import type { HubSettings } from './hubOptions.ts';
import type { IdentityRow } from './registry/identityRow.ts';
import type { IdentityStore, RegistryCounts } from './registry/identityStore.ts';
import { msOfTicks } from './times.ts';

/** What readers see while parts of the hub lag behind the registry. With all lags at 0 that is the registry itself. */
export interface Consistency {
  /** Whether a GET finds an identity yet: a new one may take seconds to become readable. */
  isReadable(row: IdentityRow): boolean;
  /** Whether the query index differs from the registry now. */
  isBehind(): boolean;
  /** Rows with `after < seq <= last` as the query index has them: before their latest writes, deleted ones included. */
  asIndexed(kind: 'devices' | 'modules', rows: readonly IdentityRow[], after: number, last: number): IdentityRow[];
  statistics(): RegistryCounts;
  clear(): void;
}

type LagSettings = Pick<HubSettings, 'readLagMs' | 'queryLagMs' | 'statisticsLagMs'>;

interface EarlierState {
  readonly writtenMs: number;
  readonly row: IdentityRow | undefined;
}

const WRITES_BETWEEN_CLEANUPS = 10_000;

/** Follows the store's writes and remembers what rows were before them for as long as the query index lags. */
export function createConsistency(store: IdentityStore, settings: LagSettings, now: () => number): Consistency {
  const earlier = new Map<string, EarlierState[]>();
  let statistics: { readonly atMs: number; readonly counts: RegistryCounts } | undefined;
  let writes = 0;
  const keyOf = ({ deviceId, moduleId }: IdentityRow) => `${deviceId}\n${moduleId}`;

  store.onWrite((before, after) => {
    const subject = after ?? before;
    if (settings.queryLagMs <= 0 || subject === undefined) return;
    // A long import without a query in between must not pile up its whole past.
    writes += 1;
    if (writes % WRITES_BETWEEN_CLEANUPS === 0) forgetIndexed();
    const key = keyOf(subject);
    const states = earlier.get(key);
    const state = { writtenMs: now(), row: before };
    if (states) states.push(state);
    else earlier.set(key, [state]);
  });

  const forgetIndexed = () => {
    const indexedMs = now() - settings.queryLagMs;
    for (const [key, states] of earlier) {
      const kept = states.filter(({ writtenMs }) => writtenMs > indexedMs);
      if (kept.length === 0) earlier.delete(key);
      else if (kept.length < states.length) earlier.set(key, kept);
    }
  };

  return {
    isReadable: (row) => settings.readLagMs <= 0 || now() - msOfTicks(row.generationId) >= settings.readLagMs,
    isBehind: () => {
      if (earlier.size > 0) forgetIndexed();
      return earlier.size > 0;
    },
    asIndexed: (kind, rows, after, last) => {
      if (earlier.size > 0) forgetIndexed();
      if (earlier.size === 0) return [...rows];
      const view = rows.filter((row) => !earlier.has(keyOf(row)));
      for (const [oldest] of earlier.values()) {
        const row = oldest?.row;
        if (row === undefined || row.seq <= after || row.seq > last) continue;
        if ((row.moduleId === '') === (kind === 'devices')) view.push(row);
      }
      return view.sort((a, b) => a.seq - b.seq);
    },
    statistics: () => {
      const atMs = now();
      if (statistics === undefined || atMs - statistics.atMs >= settings.statisticsLagMs) {
        statistics = { atMs, counts: store.counts() };
      }
      return statistics.counts;
    },
    clear: () => {
      earlier.clear();
      statistics = undefined;
    },
  };
}
