/**
 * Rows that were read or written lately, so that an event of a device that was heard of a moment ago needs no read. They may
 * be stale: who writes over one finds out, by its ETag.
 */

export interface RecentRows<Row> {
  get(name: string): Row | undefined;
  keep(name: string, row: Row): void;
  drop(name: string): void;
}

/** Of each row, beside its text: its name, and what the map needs. */
const OVERHEAD_BYTES = 300;

/** @param mostBytes of memory, about; those that were used longest ago make room */
export function createRecentRows<Row>(mostBytes: number): RecentRows<Row> {
  // As text a row takes a third of the memory of its objects. A map keeps the order in which its entries were put there.
  const rows = new Map<string, string>();
  let sum = 0;
  const drop = (name: string): void => {
    const text = rows.get(name);
    if (text === undefined) return;
    sum -= sizeOf(text);
    rows.delete(name);
  };
  return {
    drop,
    get(name) {
      const text = rows.get(name);
      if (text === undefined) return undefined;
      rows.delete(name);
      rows.set(name, text);
      return JSON.parse(text) as Row;
    },
    keep(name, row) {
      drop(name);
      const text = JSON.stringify(row);
      rows.set(name, text);
      sum += sizeOf(text);
      for (const oldest of rows.keys()) {
        if (sum <= mostBytes) break;
        drop(oldest);
      }
    },
  };
}

function sizeOf(text: string): number {
  return text.length + OVERHEAD_BYTES;
}
