/**
 * Rows that were read or written lately, so that an event of a device that was heard of a moment ago needs no read. They may
 * be stale: who writes over one finds out, by its ETag.
 */

import type { StoredRow } from './mirrorStore.ts';

export interface RecentRows<Row extends StoredRow = StoredRow> {
  get(name: string): Row | undefined;
  /** @param bytes of the row as JSON, about */
  keep(name: string, row: Row, bytes: number): void;
  drop(name: string): void;
}

/** An object takes about so many times the bytes of its JSON, and so much beside. */
const OBJECT_FACTOR = 2;
const OBJECT_BYTES = 500;

/** @param mostBytes of memory, about; those that were used longest ago make room */
export function createRecentRows<Row extends StoredRow>(mostBytes: number): RecentRows<Row> {
  // A map keeps the order in which its entries were put there.
  const rows = new Map<string, { readonly row: Row; readonly bytes: number }>();
  let sum = 0;
  const drop = (name: string): void => {
    sum -= rows.get(name)?.bytes ?? 0;
    rows.delete(name);
  };
  return {
    drop,
    get(name) {
      const kept = rows.get(name);
      if (kept === undefined) return undefined;
      rows.delete(name);
      rows.set(name, kept);
      return kept.row;
    },
    keep(name, row, size) {
      drop(name);
      const bytes = size * OBJECT_FACTOR + OBJECT_BYTES;
      rows.set(name, { row, bytes });
      sum += bytes;
      for (const oldest of rows.keys()) {
        if (sum <= mostBytes) break;
        drop(oldest);
      }
    },
  };
}
