/** Clients of the table service of the storage account. */

import type { TokenCredential } from '@azure/core-auth';
import type { PipelinePolicy } from '@azure/core-rest-pipeline';
import { TableClient, type TableServiceClientOptions } from '@azure/data-tables';

import { type StorageConnection, tableServiceUriOf } from './connection.ts';

export interface TableTimes {
  /** A try that has no answer for so long has failed. */
  readonly tryMs: number;
  /** All tries of a call together, whatever pauses the service asks for: a function has minutes at most. */
  readonly callMs: number;
  /** After the first try; then twice as long each. */
  readonly pauseMs: number;
}

const TIMES: TableTimes = { tryMs: 30_000, callMs: 60_000, pauseMs: 500 };

/** Without this, a connection that hangs is waited for without end: the client of tables knows no timeout. */
function timeouts({ tryMs, callMs }: Pick<TableTimes, 'tryMs' | 'callMs'>): PipelinePolicy {
  return {
    name: 'hubkeeperTimeouts',
    sendRequest: (request, next) => {
      request.timeout ||= tryMs;
      request.abortSignal ??= AbortSignal.timeout(callMs);
      return next(request);
    },
  };
}

export function connectTable(
  connection: StorageConnection,
  name: string,
  credential: (clientId: string | undefined) => TokenCredential,
  times: TableTimes = TIMES,
): TableClient {
  const options: TableServiceClientOptions = {
    retryOptions: { maxRetries: 3, retryDelayInMs: times.pauseMs, maxRetryDelayInMs: 8 * times.pauseMs },
    additionalPolicies: [{ policy: timeouts(times), position: 'perCall' }],
  };
  if (connection.kind === 'connectionString') {
    // Whether to trust plain HTTP has been decided by who wrote the connection string, as for blobs.
    return TableClient.fromConnectionString(withProtocol(connection.connectionString), name, {
      ...options,
      allowInsecureConnection: true,
    });
  }
  const uri = tableServiceUriOf(connection);
  if (uri === undefined) throw new Error('The settings do not tell where the tables are.');
  return new TableClient(uri, name, credential(connection.clientId), options);
}

/** The client of tables takes a string without its protocol for one with a signature; the client of blobs does not. */
function withProtocol(connectionString: string): string {
  return /(^|;)\s*(DefaultEndpointsProtocol|UseDevelopmentStorage)=/i.test(connectionString)
    ? connectionString
    : `DefaultEndpointsProtocol=https;${connectionString}`;
}
