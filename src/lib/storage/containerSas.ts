import {
  type ContainerClient,
  ContainerSASPermissions,
  generateBlobSASQueryParameters,
  SASProtocol,
  StorageSharedKeyCredential,
} from '@azure/storage-blob';

import type { Storage } from './storage.ts';

/** Clocks of the hub and of this app may differ; a token that starts a little in the past is valid at once. */
const CLOCK_SKEW_MS = 15 * 60_000;

export interface ContainerSasOptions {
  /** Permission letters, e.g. `r` or `rwd`. */
  readonly permissions: string;
  readonly now: Date;
  readonly expiresOn: Date;
}

/**
 * The URI of a container with a signature for that container alone.
 *
 * Signed with the account key where there is one, else with a user delegation key (which lasts 7 days at most). The
 * result is a secret: it is made and used within one activity and never returned from it.
 */
export async function containerUriWithSas(
  storage: Storage,
  container: ContainerClient,
  options: ContainerSasOptions,
): Promise<string> {
  const values = {
    containerName: container.containerName,
    permissions: ContainerSASPermissions.parse(options.permissions),
    startsOn: new Date(options.now.getTime() - CLOCK_SKEW_MS),
    expiresOn: options.expiresOn,
    protocol: container.url.startsWith('https:') ? SASProtocol.Https : SASProtocol.HttpsAndHttp,
  };
  const { credential } = storage.service;
  const query =
    credential instanceof StorageSharedKeyCredential
      ? generateBlobSASQueryParameters(values, credential)
      : generateBlobSASQueryParameters(
          values,
          await storage.service.getUserDelegationKey(values.startsOn, values.expiresOn),
          storage.accountName,
        );
  return `${container.url}?${query.toString()}`;
}
