/** Reads some of the rows that are due from the registry: as many as were granted, for some seconds. */

import { HubKeeperError } from '../../errors.ts';
import { HubError } from '../../registry/index.ts';
import { keyText, type MirrorRow } from '../rows/row.ts';
import type { RowWrite, StoredRow } from '../store/mirrorStore.ts';
import {
  type Consequences,
  LONG_MINUTES,
  type QueriedRows,
  type ReadingTerms,
  writesOfGet,
  writesOfQuery,
} from './applyReading.ts';
import { type DueWork, knownModules, type QueryWork, waitsForQuery } from './dueWork.ts';
import { operationsOf, readByGet, readByQuery } from './readings.ts';
import type { RefreshContext } from './refreshContext.ts';
import { createRowWriter } from './rowWriter.ts';
import { postponed, unqueryable } from './wants.ts';

/** What the budgets of the hub have granted: how many, and how long each takes at their pace. */
export interface Grant {
  readonly queries: number;
  readonly msPerQuery: number;
  /** Registry operations. */
  readonly operations: number;
  readonly msPerOperation: number;
}

export interface Refreshed {
  /** Rows that were read, and of these those that are to be read again. */
  readonly read: number;
  readonly again: number;
  /** How many of the queries that were to be made. */
  readonly worked: number;
  /** What was used, of what was granted and more: a query may have more pages than one. */
  readonly queries: number;
  readonly operations: number;
  /** What the hub has refused for its throttles. */
  readonly throttled: readonly Throttle[];
  /** The hub does not answer, or refuses whatever is asked. */
  readonly trouble: boolean;
}

export type Throttle = 'queries' | 'operations';

interface Pass {
  readonly context: RefreshContext;
  readonly hub: string;
  readonly grant: Grant;
  /** Ms since the epoch: nothing is begun after that; what was begun ends within some seconds more. */
  readonly until: number;
  readonly tally: { read: number; again: number; worked: number; queries: number; operations: number };
  readonly throttled: Set<Throttle>;
  trouble: boolean;
}

const LONGEST_MS = 15_000;

/** @throws StoreUnavailable */
export async function refreshRows(
  context: RefreshContext,
  hub: string,
  { queries, gets }: Pick<DueWork, 'queries' | 'gets'>,
  grant: Grant,
): Promise<Refreshed> {
  const pass: Pass = {
    context,
    hub,
    grant,
    until: context.now().getTime() + LONGEST_MS,
    tally: { read: 0, again: 0, worked: 0, queries: 0, operations: 0 },
    throttled: new Set(),
    trouble: false,
  };
  // What goes wrong with the one is told when the other has come to its end.
  const both = await Promise.allSettled([makeQueries(pass, queries), readOneByOne(pass, gets)]);
  for (const result of both) if (result.status === 'rejected') throw result.reason;
  return { ...pass.tally, throttled: [...pass.throttled], trouble: pass.trouble };
}

async function makeQueries(pass: Pass, works: readonly QueryWork[]): Promise<void> {
  const { context, hub, tally, grant } = pass;
  const pace = pacer(context, grant.msPerQuery);
  const writer = createRowWriter(context, hub, { tally, msPerReading: grant.msPerQuery });
  for (const work of works) {
    if (tally.queries >= grant.queries || isOver(pass)) break;
    await pace(1);
    const rows = await queriedRows(pass, work);
    const terms = termsOf(pass, 'query');
    try {
      const reading = await readByQuery(context.hub(hub), work.query, () => isOver(pass));
      tally.queries += reading.pages;
      await writer.add(await writesOfQuery(context, rows, reading, terms));
    } catch (error) {
      if (!(error instanceof HubError)) throw error;
      tally.queries += 1;
      if (isTrouble(error)) {
        noteTrouble(pass, error, 'queries');
        break;
      }
      // Basic tiers have no queries; or it is one of the ids that this one is refused for.
      context.log.log('warn', `a query of the hub ${hub} was refused, its rows are read one by one: ${error.message}`);
      await writer.add(only(rows.waiting, (row) => unqueryable(row, context.now())));
    }
    tally.worked += 1;
  }
  await writer.flush();
}

async function queriedRows({ context, hub }: Pass, { of, query, rows }: QueryWork): Promise<QueriedRows> {
  if (of === 'devices') return { waiting: rows };
  const known = await knownModules(context, hub, query);
  if (known === undefined) return { waiting: rows };
  const nowIso = context.now().toISOString();
  return { known, waiting: known.filter((each) => waitsForQuery(each, nowIso)) };
}

async function readOneByOne(pass: Pass, gets: readonly StoredRow[]): Promise<void> {
  const { context, hub, tally, grant } = pass;
  const pace = pacer(context, grant.msPerOperation);
  const writer = createRowWriter(context, hub, { tally, msPerReading: grant.msPerOperation });
  for (const stored of gets) {
    const operations = operationsOf(stored.row);
    if (tally.operations + operations > grant.operations || isOver(pass)) break;
    await pace(operations);
    tally.operations += operations;
    const terms = termsOf(pass, 'get');
    try {
      const reading = await readByGet(context.hub(hub), stored.row);
      await writer.add(await writesOfGet(context, stored, reading, terms));
    } catch (error) {
      if (!(error instanceof HubKeeperError)) throw error;
      if (error instanceof HubError && isTrouble(error)) {
        noteTrouble(pass, error, 'operations');
        break;
      }
      context.log.log('warn', `${keyText(stored.row)} of the hub ${hub} cannot be refreshed: ${error.message}`);
      await writer.add(only([stored], (row) => postponed(row, context.now(), LONG_MINUTES)));
    }
  }
  await writer.flush();
}

function only(rows: readonly StoredRow[], change: (row: MirrorRow) => MirrorRow): Consequences {
  const last: RowWrite[] = rows.map((before) => ({ key: before.row, before, row: change(before.row) }));
  return { first: [], last };
}

/** Whether an error is of the hub, or of the rights there, and none of what was asked for. */
function isTrouble({ retryable, kind, code }: HubError): boolean {
  const isForbidden = kind === 'unauthorized' || kind === 'forbidden';
  return retryable || (isForbidden && code !== 'OperationNotAvailableInCurrentTier');
}

function noteTrouble(pass: Pass, error: HubError, throttle: Throttle): void {
  pass.trouble = true;
  if (error.kind === 'throttled') pass.throttled.add(throttle);
  pass.context.log.log('warn', `the mirror waits for the hub ${pass.hub}: ${error.message}`);
}

function isOver({ context, until, trouble }: Pass): boolean {
  return trouble || context.now().getTime() >= until;
}

function termsOf({ context, hub }: Pass, by: ReadingTerms['by']): ReadingTerms {
  return { hub, by, begunAt: context.now().toISOString() };
}

/** Waits until so many more may be sent: evenly, for a hub delays, and then refuses, what comes all at once. */
function pacer({ now, sleep }: RefreshContext, msPerItem: number): (items: number) => Promise<void> {
  let next = now().getTime();
  return async (items) => {
    const waitMs = next - now().getTime();
    if (waitMs > 0) await sleep(waitMs);
    next = Math.max(next, now().getTime()) + items * msPerItem;
  };
}
