/** The storage account: how it is reached, its containers and its tables. */

import type { TokenCredential } from '@azure/core-auth';
import type { TableClient } from '@azure/data-tables';
import { BlobServiceClient, type ContainerClient } from '@azure/storage-blob';

import type { StorageConnection } from './connection.ts';
import { containerOfRun } from './containers.ts';
import { connectTable } from './table.ts';

export type { StorageConnection } from './connection.ts';
export { BACKUPS_CONTAINER, MIRROR_CONTAINER, RESULTS_CONTAINER, RUNS_CONTAINER } from './containers.ts';

/** The one storage account that HubKeeper works in. */
export interface Storage {
  readonly service: BlobServiceClient;
  readonly accountName: string;
  container(name: string): ContainerClient;
  /** The container of one run: staging, error logs, nothing of any other run. */
  runContainer(runId: string): ContainerClient;
  /** The connection must know tables (`knowsTables`): settings with a mirror are checked for it. */
  table(name: string): TableClient;
}

/** @param credential makes the credential for an identity connection; called only then. */
export function createStorage(
  connection: StorageConnection,
  credential: (clientId: string | undefined) => TokenCredential,
): Storage {
  const retryOptions = { maxTries: 4, retryDelayInMs: 500, maxRetryDelayInMs: 8_000, tryTimeoutInMs: 60_000 };
  const service =
    connection.kind === 'connectionString'
      ? BlobServiceClient.fromConnectionString(connection.connectionString, { retryOptions })
      : new BlobServiceClient(connection.blobServiceUri, credential(connection.clientId), { retryOptions });
  return {
    service,
    accountName: accountNameOf(connection, service.accountName),
    container: (name) => service.getContainerClient(name),
    runContainer: (runId) => service.getContainerClient(containerOfRun(runId)),
    table: (name) => connectTable(connection, name, credential),
  };
}

/**
 * The name of the account. The SDK knows it only from usual addresses; of a custom domain or a DNS zone the connection
 * string tells it, else the first part of the host.
 */
function accountNameOf(connection: StorageConnection, known: string): string {
  if (known !== '') return known;
  if (connection.kind === 'identity') return new URL(connection.blobServiceUri).hostname.split('.')[0] ?? '';
  return /(?:^|;)\s*AccountName=([^;]+)/i.exec(connection.connectionString)?.[1] ?? '';
}
