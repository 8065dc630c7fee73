/** The table: its entities by key and by range, with the errors of the store. */

import type { TableClient } from '@azure/data-tables';

import type { Entity } from './rowEntity.ts';
import type { KeyRange } from './rowKeys.ts';
import { errorOf, type Failure, failureOf, isEntityMissing, isTableMissing, storeError } from './tableErrors.ts';
import { type Operation, sendTransaction, type TransactionReply } from './transaction.ts';

export interface PageRequest {
  readonly partitionKey: string;
  readonly range: KeyRange;
  /** More of the filter, in the language of the service. */
  readonly filter?: string | undefined;
  readonly select?: readonly string[] | undefined;
  /** Entities at the most, up to 1000. */
  readonly size: number;
  /** Of the page before. */
  readonly token?: string | undefined;
}

export interface Page {
  /** In the order of their keys. There may be none although more pages follow. */
  readonly entities: readonly Entity[];
  /** Of the next page; absent: this is the last. */
  readonly token?: string | undefined;
}

/** @throws StoreUnavailable, StoreRefused from each of its methods */
export interface TableAccess {
  prepare(): Promise<void>;
  get(partitionKey: string, rowKey: string, select?: readonly string[]): Promise<Entity | undefined>;
  page(request: PageRequest): Promise<Page>;
  transact(partitionKey: string, operations: readonly Operation[]): Promise<TransactionReply>;
}

export function accessTable(table: TableClient): TableAccess {
  const prepare = () => table.createTable();
  const withTable = <Result>(run: () => Promise<Result>) => inTable(prepare, run);
  return {
    prepare: () => run(prepare),
    get: (partitionKey, rowKey, select) =>
      withTable(async () => {
        try {
          const options = select === undefined ? {} : { queryOptions: { select: [...select] } };
          return (await table.getEntity(partitionKey, rowKey, options)) as Entity;
        } catch (error) {
          const failure = failureOf(error);
          if (failure !== undefined && isEntityMissing(failure)) return undefined;
          throw error;
        }
      }),
    page: (request) => withTable(() => readPage(table, request)),
    transact: (partitionKey, operations) =>
      withTable(async () => {
        const reply = await sendTransaction(table, partitionKey, operations);
        if ('failure' in reply && isTableMissing(reply.failure)) throw new TableMissing(reply.failure);
        return reply;
      }),
  };
}

class TableMissing extends Error {
  readonly failure: Failure;

  constructor(failure: Failure) {
    super('The table is not there.');
    this.failure = failure;
  }
}

/** A table that is not there is made: of a new app, or where somebody has deleted it; the next reconcile fills it again. */
async function inTable<Result>(prepare: () => Promise<void>, call: () => Promise<Result>): Promise<Result> {
  return run(async () => {
    try {
      return await call();
    } catch (error) {
      const failure = error instanceof TableMissing ? error.failure : failureOf(error);
      if (failure === undefined || !isTableMissing(failure)) throw error;
      await prepare();
      return call();
    }
  });
}

async function run<Result>(call: () => Promise<Result>): Promise<Result> {
  try {
    return await call();
  } catch (error) {
    throw error instanceof TableMissing ? errorOf(error.failure) : storeError(error);
  }
}

async function readPage(table: TableClient, { partitionKey, range, ...request }: PageRequest): Promise<Page> {
  const filter = [
    `PartitionKey eq ${quoted(partitionKey)}`,
    `RowKey ge ${quoted(range.from)}`,
    `RowKey lt ${quoted(range.below)}`,
    ...(request.filter === undefined ? [] : [request.filter]),
  ].join(' and ');
  const pages = table
    .listEntities<Record<string, unknown>>({
      queryOptions: { filter, ...(request.select === undefined ? {} : { select: [...request.select] }) },
    })
    .byPage({
      maxPageSize: request.size,
      ...(request.token === undefined ? {} : { continuationToken: request.token }),
    });
  for await (const page of pages) return { entities: page as readonly Entity[], token: page.continuationToken };
  return { entities: [] };
}

export function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
