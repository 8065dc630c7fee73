/** The storage account: how it is reached, and its containers. */

import type { TokenCredential } from '@azure/core-auth';
import { BlobServiceClient, type ContainerClient } from '@azure/storage-blob';

import { containerOfRun } from './containers.ts';

/** How a storage account is reached. */
export type StorageConnection =
  | { readonly kind: 'connectionString'; readonly connectionString: string }
  | { readonly kind: 'identity'; readonly blobServiceUri: string; readonly clientId?: string };

export { BACKUPS_CONTAINER, MIRROR_CONTAINER, RESULTS_CONTAINER, RUNS_CONTAINER } from './containers.ts';

/** The one storage account that HubKeeper works in. */
export interface Storage {
  readonly service: BlobServiceClient;
  readonly accountName: string;
  container(name: string): ContainerClient;
  /** The container of one run: staging, error logs, nothing of any other run. */
  runContainer(runId: string): ContainerClient;
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
