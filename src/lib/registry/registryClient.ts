import { type BulkOperations, createBulkOperations } from './bulk.ts';
import { type ConfigurationOperations, createConfigurationOperations } from './configurations.ts';
import type { HubConnection } from './connection.ts';
import { createIdentityOperations, type IdentityOperations } from './identities.ts';
import { createJobOperations, type JobOperations } from './jobs.ts';
import { createQueryOperations, type QueryOperations } from './query.ts';
import { createTransport, type TransportOptions } from './transport.ts';
import { createTwinOperations, type TwinOperations } from './twins.ts';

export type RegistryClientOptions = TransportOptions;

/**
 * The registry of one hub over its REST API.
 *
 * Reads give undefined for what does not exist. Everything else that fails is a `HubError`, whose `kind`, `code`,
 * `retryable` and `outcomeUnknown` say what the caller can do; an aborted call ends in an `AbortError`.
 */
export interface RegistryClient
  extends IdentityOperations,
    TwinOperations,
    BulkOperations,
    QueryOperations,
    JobOperations,
    ConfigurationOperations {
  readonly hostName: string;
  readonly hubName: string;
}

/** @throws HubKeeperError `hubCredentialMissing` for a bare host name without an identity. */
export function createRegistryClient(connection: HubConnection, options: RegistryClientOptions = {}): RegistryClient {
  const transport = createTransport(connection, options);
  return {
    hostName: connection.hostName,
    hubName: connection.hubName,
    ...createIdentityOperations(transport),
    ...createTwinOperations(transport),
    ...createBulkOperations(transport),
    ...createQueryOperations(transport),
    ...createJobOperations(transport),
    ...createConfigurationOperations(transport),
  };
}
