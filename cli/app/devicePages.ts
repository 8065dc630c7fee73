/** Rows of the mirror, from an app, page by page. */

import type { RowPage } from '../../src/lib/mirror/query/listRows.ts';
import type { RowView } from '../../src/lib/mirror/query/rowView.ts';
import { readApp } from './apiCall.ts';
import type { Connection } from './connection.ts';

export interface DeviceQuery {
  /** As `GET /api/devices` takes them, but for `limit` and `after`. */
  readonly filters: URLSearchParams;
  /** Rows in all. */
  readonly limit: number;
  readonly signal: AbortSignal;
  /** Told before each further call, of all rows that were looked at so far. */
  readonly onScanned?: (scanned: number) => void;
}

export interface DeviceRows {
  readonly rows: readonly RowView[];
  /** Whether there may be more behind these. */
  readonly hasMore: boolean;
}

const MOST_A_CALL = 1000;

/** Pages with at least a row in each, or one page without any; few rows may take many calls. */
export async function* devicePages(connection: Connection, query: DeviceQuery): AsyncGenerator<DeviceRows> {
  let [left, scanned] = [query.limit, 0];
  let isFirst = true;
  for (let after: string | undefined; ; ) {
    const params = new URLSearchParams(query.filters);
    params.set('limit', String(Math.min(left, MOST_A_CALL)));
    if (after !== undefined) params.set('after', after);
    const question = { path: `devices?${params}`, doing: 'a list of devices', signal: query.signal };
    const page = (await readApp<RowPage>(connection, question)) ?? { rows: [], scanned: 0 };
    scanned += page.scanned;
    left -= page.rows.length;
    after = page.next;
    const isLast = after === undefined || left <= 0;
    if (page.rows.length > 0 || (isLast && isFirst)) {
      yield { rows: page.rows, hasMore: after !== undefined };
      isFirst = false;
    }
    if (isLast) return;
    query.onScanned?.(scanned);
  }
}
