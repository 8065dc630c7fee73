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
/** A user delegation key is refused when it ends more than 7 days ahead; clocks may differ here, too. */
const DELEGATION_MS = 7 * 24 * 60 * 60_000 - CLOCK_SKEW_MS;

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
  const { credential } = storage.service;
  const shared = credential instanceof StorageSharedKeyCredential;
  const values = {
    containerName: container.containerName,
    permissions: ContainerSASPermissions.parse(options.permissions),
    ...validity(options.now, options.expiresOn, shared ? undefined : DELEGATION_MS),
    protocol: container.url.startsWith('https:') ? SASProtocol.Https : SASProtocol.HttpsAndHttp,
  };
  const query = shared
    ? generateBlobSASQueryParameters(values, credential)
    : generateBlobSASQueryParameters(
        values,
        await storage.service.getUserDelegationKey(values.startsOn, values.expiresOn),
        storage.accountName,
      );
  return `${container.url}?${query.toString()}`;
}

/** From when to when a signature holds: from a little before now, and never longer than its key may last. */
export function validity(
  now: Date,
  expiresOn: Date,
  longestMs: number | undefined,
): { readonly startsOn: Date; readonly expiresOn: Date } {
  const startsOn = new Date(now.getTime() - CLOCK_SKEW_MS);
  const latest = longestMs === undefined ? expiresOn.getTime() : startsOn.getTime() + longestMs;
  return { startsOn, expiresOn: new Date(Math.min(expiresOn.getTime(), latest)) };
}
