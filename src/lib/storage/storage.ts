import type { TokenCredential } from '@azure/core-auth';
import { BlobServiceClient, type ContainerClient } from '@azure/storage-blob';

import type { StorageConnection } from '../settings.ts';

/** Containers besides the drop box, whose name is a setting. */
export const RESULTS_CONTAINER = 'provision-results';
export const RUNS_CONTAINER = 'hubkeeper-runs';
const RUN_CONTAINER_PREFIX = 'hubkeeper-run-';

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
    accountName: service.accountName,
    container: (name) => service.getContainerClient(name),
    runContainer: (runId) => service.getContainerClient(`${RUN_CONTAINER_PREFIX}${runId}`),
  };
}

/** The run id in the name of a staging container, or undefined for any other container. */
export function runIdOfContainer(name: string): string | undefined {
  return name.startsWith(RUN_CONTAINER_PREFIX) ? name.slice(RUN_CONTAINER_PREFIX.length) : undefined;
}
