/**
 * Entity group transactions: up to 100 operations on one partition, all or none
 * (https://learn.microsoft.com/rest/api/storageservices/performing-entity-group-transactions).
 *
 * Written here, because those of the client library cannot delete an entity only if it is as it was, send operations of
 * different kinds in another order than they are given in, so that a reply cannot be told whose it is, and take half of the
 * time of a batch.
 */

import { randomUUID } from 'node:crypto';
import { createDefaultHttpClient, createHttpHeaders, createPipelineRequest } from '@azure/core-rest-pipeline';
import type { TableClient } from '@azure/data-tables';

import { errorOf, type Failure, isTableMissing } from './tableErrors.ts';

export interface Operation {
  /** `merge`: properties that it does not name stay. `insert` holds only if there is none. */
  readonly kind: 'insert' | 'merge' | 'replace' | 'delete';
  readonly rowKey: string;
  /** Only over this version; absent, as for `insert`: over whatever is there, or is not; `delete`: over whatever is there. */
  readonly etag?: string | undefined;
  /** Members of the entity as JSON, without its keys; of no `delete`. */
  readonly members?: string;
}

export type TransactionReply =
  /** Of each operation; those of deleted entities are empty. */
  | { readonly etags: readonly string[] }
  /** Nothing was done, because of one operation; `undefined`: the service does not say of which. */
  | { readonly failure: Failure; readonly at: number | undefined };

export const MOST_OPERATIONS = 100;
/** A request may have 4 MiB. */
export const MOST_OF_TRANSACTION = 3.5 * 1024 * 1024;
/** Of an operation, beside its members, at the most: keys in its address and in its body, headers, marks between operations. */
export const FRAME_OF_OPERATION = 2 * 1024;

const METHODS = { insert: 'POST', merge: 'PATCH', replace: 'PUT', delete: 'DELETE' } as const;
const http = createDefaultHttpClient();

/** @throws RestError, or an error of the store when the service does not reply as a table service does */
export async function sendTransaction(
  table: TableClient,
  partitionKey: string,
  operations: readonly Operation[],
): Promise<TransactionReply> {
  const batch = `batch_${randomUUID()}`;
  const response = await table.pipeline.sendRequest(
    http,
    createPipelineRequest({
      url: `${table.url}/$batch`,
      method: 'POST',
      body: bodyOf(table, partitionKey, operations, batch),
      headers: createHttpHeaders({
        accept: 'application/json',
        'content-type': `multipart/mixed; boundary=${batch}`,
        dataserviceversion: '3.0;',
        maxdataserviceversion: '3.0;NetFx',
        'x-ms-version': '2019-02-02',
      }),
      allowInsecureConnection: table.url.startsWith('http:'),
    }),
  );
  const text = response.bodyAsText ?? '';
  if (response.status !== 202) {
    const failure = { status: response.status, code: failureIn(text).code };
    if (isTableMissing(failure)) return { failure, at: undefined };
    throw errorOf(failure);
  }
  return replyIn(text, operations.length);
}

function bodyOf(table: TableClient, partitionKey: string, operations: readonly Operation[], batch: string): string {
  const changes = `changeset_${randomUUID()}`;
  const address = `${table.url}/${table.tableName}`;
  const head = `--${batch}\r\nContent-Type: multipart/mixed; boundary=${changes}\r\n\r\n`;
  const mark = `--${changes}\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n`;
  const parts = operations.map(({ kind, rowKey, etag, members }) => {
    const place = kind === 'insert' ? '' : `(PartitionKey='${inUrl(partitionKey)}',RowKey='${inUrl(rowKey)}')`;
    const condition = etag ?? (kind === 'delete' ? '*' : undefined);
    const headers = [
      'Accept: application/json;odata=minimalmetadata',
      'DataServiceVersion: 3.0',
      ...(condition === undefined ? [] : [`If-Match: ${condition}`]),
      // Else the service sends each entity back.
      ...(kind === 'insert' ? ['Prefer: return-no-content'] : []),
      ...(kind === 'delete' ? [] : ['Content-Type: application/json']),
    ];
    const keys = `"PartitionKey":${JSON.stringify(partitionKey)},"RowKey":${JSON.stringify(rowKey)}`;
    const body = kind === 'delete' ? '' : `{${keys}${members === undefined ? '' : `,${members}`}}`;
    return `${mark}${METHODS[kind]} ${address}${place} HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n${body}\r\n`;
  });
  return `${head}${parts.join('')}--${changes}--\r\n--${batch}--\r\n`;
}

function inUrl(key: string): string {
  return encodeURIComponent(key.replaceAll("'", "''"));
}

function replyIn(text: string, operations: number): TransactionReply {
  const replies = text.split('--changesetresponse_').slice(1, -1);
  const failed = replies.find((reply) => statusIn(reply) >= 300);
  if (failed !== undefined) {
    const { code, at } = failureIn(failed);
    return { failure: { status: statusIn(failed), code }, at: at !== undefined && at < operations ? at : undefined };
  }
  // A reply of something else than a table service, or one that was cut off.
  if (replies.length !== operations) throw errorOf({ status: 502, code: undefined });
  return { etags: replies.map((reply) => /^ETag: (.*?)\r?$/im.exec(reply)?.[1] ?? '') };
}

function statusIn(reply: string): number {
  return Number(/^HTTP\/1\.1 (\d+)/m.exec(reply)?.[1] ?? 502);
}

/** The code of an error, and the operation that it is of: its text begins with the number of that, from 0 on. */
function failureIn(text: string): { readonly code: string | undefined; readonly at: number | undefined } {
  const json = /\{.*\}/s.exec(text)?.[0];
  if (json === undefined) return { code: undefined, at: undefined };
  try {
    const { 'odata.error': error } = JSON.parse(json) as {
      readonly 'odata.error'?: { readonly code?: string; readonly message?: { readonly value?: string } };
    };
    const at = /^(\d+):/.exec(error?.message?.value ?? '')?.[1];
    return { code: error?.code, at: at === undefined ? undefined : Number(at) };
  } catch {
    return { code: undefined, at: undefined };
  }
}
