import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Consistency } from '../consistency.ts';
import type { IdentityRow } from '../registry/identityRow.ts';
import type { IdentityStore } from '../registry/identityStore.ts';
import { twinDocument } from '../wire/identityDocuments.ts';
import { createAggregation, project } from './aggregate.ts';
import { lookupIn, satisfies } from './evaluate.ts';
import type { Expression, Query } from './parseQuery.ts';

export interface QueryPage {
  readonly itemType: 'Twin' | 'Raw';
  readonly items: readonly unknown[];
  readonly continuation: Continuation | undefined;
}

/** Where the next page begins, and how many items TOP still allows. */
export interface Continuation {
  readonly after: number;
  readonly given: number;
}

export interface QueryInput {
  readonly store: IdentityStore;
  readonly consistency: Consistency;
  readonly query: Query;
  readonly pageSize: number;
  readonly from: Continuation;
}

const ROWS_AT_ONCE = 500;
/** Longest work between two looks at other requests, ms. */
const SLICE_MS = 20;

/** One page of a query over devices or modules. */
export async function runQuery(input: QueryInput): Promise<QueryPage> {
  const { query } = input;
  if (query.select === '*') return runPlain(input, 'Twin', twinDocument);
  const projections = query.select;
  const aggregates = query.groupBy.length > 0 || projections.some(({ kind }) => kind === 'aggregate');
  if (!aggregates) return runPlain(input, 'Raw', (row) => project(projections, lookupIn(row)));
  const all = countOnly(input) ?? (await aggregated(input));
  const { after } = input.from;
  const limit = Math.min(input.pageSize, (query.top ?? Number.POSITIVE_INFINITY) - after);
  const items = all.slice(after, after + limit);
  const next = after + items.length;
  const more = next < all.length && next < (query.top ?? Number.POSITIVE_INFINITY);
  return { itemType: 'Raw', items, continuation: more ? { after: next, given: next } : undefined };
}

async function runPlain(
  input: QueryInput,
  itemType: 'Twin' | 'Raw',
  itemOf: (row: IdentityRow) => unknown,
): Promise<QueryPage> {
  const allowed = (input.query.top ?? Number.POSITIVE_INFINITY) - input.from.given;
  const limit = Math.min(input.pageSize, allowed);
  const items: unknown[] = [];
  let last = input.from.after;
  for await (const row of matchingRows(input)) {
    // One more than the page holds: a page is followed by another only if there is something on it.
    if (items.length >= limit) {
      const continuation = items.length < allowed ? { after: last, given: input.from.given + items.length } : undefined;
      return { itemType, items, continuation };
    }
    items.push(itemOf(row));
    last = row.seq;
  }
  return { itemType, items, continuation: undefined };
}

/** `SELECT COUNT() AS n FROM devices` needs no scan, unless the query index lags behind the registry. */
function countOnly({ query, store, consistency }: QueryInput): Record<string, unknown>[] | undefined {
  if (query.where || query.groupBy.length > 0 || query.select === '*' || consistency.isBehind()) return undefined;
  const [only, ...more] = query.select;
  if (only?.kind !== 'aggregate' || only.name !== 'COUNT' || only.path || more.length > 0) return undefined;
  const { devices, modules } = store.counts();
  return [{ [only.alias]: query.source === 'devices' ? devices : modules }];
}

async function aggregated(input: QueryInput): Promise<Record<string, unknown>[]> {
  const { query } = input;
  if (query.select === '*') throw new Error('Nothing to aggregate.');
  const aggregation = createAggregation(query.select, query.groupBy);
  for await (const row of matchingRows({ ...input, from: { after: 0, given: 0 } })) aggregation.add(lookupIn(row));
  return aggregation.results();
}

async function* matchingRows(input: QueryInput): AsyncGenerator<IdentityRow> {
  const { query, from } = input;
  const { where } = query;
  for await (const row of candidates(input)) {
    if (row.seq > from.after && (where === undefined || satisfies(where, lookupIn(row)))) yield row;
  }
}

/** All rows of the source, oldest first; or, when the condition names device ids, only those. */
async function* candidates({ store, consistency, query, from }: QueryInput): AsyncGenerator<IdentityRow> {
  const kind = query.source === 'devices' ? 'devices' : 'modules';
  const ids = query.where === undefined || consistency.isBehind() ? undefined : namedDevices(query.where);
  if (ids !== undefined) {
    const rows = ids.flatMap((id) => (kind === 'devices' ? (store.find(id) ?? []) : store.modulesOf(id)));
    yield* rows.sort((a, b) => a.seq - b.seq);
    return;
  }
  let after = from.after;
  let sliceStart = Date.now();
  for (;;) {
    const rows = store.page(kind, after, ROWS_AT_ONCE);
    const last = rows.length < ROWS_AT_ONCE ? Number.POSITIVE_INFINITY : (rows.at(-1)?.seq ?? after);
    yield* consistency.asIndexed(kind, rows, after, last);
    if (last === Number.POSITIVE_INFINITY) return;
    after = last;
    if (Date.now() - sliceStart >= SLICE_MS) {
      await nextTurn();
      sliceStart = Date.now();
    }
  }
}

/** The device ids that a condition restricts its matches to, if it does: `deviceId = 'a'` or `deviceId IN [...]`. */
function namedDevices(condition: Expression): string[] | undefined {
  if (condition.kind === 'logical' && condition.operator === 'AND') {
    return namedDevices(condition.left) ?? namedDevices(condition.right);
  }
  const isDeviceId = (expression: Expression) =>
    expression.kind === 'path' &&
    expression.segments.length === 1 &&
    expression.segments[0]?.toLowerCase() === 'deviceid';
  const textsOf = (expressions: readonly Expression[]): string[] | undefined => {
    const texts = expressions.flatMap((item) =>
      item.kind === 'literal' && typeof item.value === 'string' ? [item.value] : [],
    );
    return texts.length === expressions.length ? [...new Set(texts)] : undefined;
  };
  if (condition.kind === 'compare' && condition.operator === '=' && isDeviceId(condition.left)) {
    return textsOf([condition.right]);
  }
  if (condition.kind === 'in' && !condition.negated && isDeviceId(condition.left) && condition.list.kind === 'list') {
    return textsOf(condition.list.items);
  }
  return undefined;
}
