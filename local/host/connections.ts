import { createRequire } from 'node:module';
import type { TokenCredential } from '@azure/core-auth';
import { BlobServiceClient } from '@azure/storage-blob';
import { QueueServiceClient } from '@azure/storage-queue';
import type { Settings } from './settings.ts';

/** The clients of one storage connection; both throw when the connection lacks what the service needs. */
export interface StorageConnection {
  /** The connection's name as a binding gives it, `AzureWebJobsStorage` for none. */
  readonly name: string;
  blobs(): BlobServiceClient;
  queues(): QueueServiceClient;
}

/** Where a connection's name leads: to one text, or to a section of settings by lower-case name. */
export type NamedConnection =
  | { readonly settingName: string; readonly text: string; readonly section?: undefined }
  | { readonly settingName: string; readonly section: ReadonlyMap<string, string>; readonly text?: undefined };

/**
 * Finds a connection as the host does: `AzureWebJobsX` before `X`, the `ConnectionStrings` section before a plain setting,
 * a string before an identity section (azure-webjobs-sdk, Extensions/IConfigurationExtensions.cs).
 *
 * @returns undefined when no setting has one of these names.
 */
export function findConnection(name: string, settings: Settings): NamedConnection | undefined {
  for (const settingName of settingNames(name)) {
    const text = settings.get(`ConnectionStrings:${settingName}`) ?? settings.get(settingName);
    if (text !== undefined && text !== '') {
      return { settingName, text };
    }
    const section = settings.section(settingName);
    if (section.size > 0) {
      return { settingName, section };
    }
  }
  return undefined;
}

/** The settings that a connection's name may mean, the first first. */
export function settingNames(name: string): readonly string[] {
  return /^AzureWebJobs/i.test(name) ? [name] : [`AzureWebJobs${name}`, name];
}

/**
 * Finds a storage connection (azure-sdk-for-net, Storage.Common and StorageServiceClientProvider.cs). An empty name means
 * `Storage`.
 *
 * @throws Error naming the settings that were looked for.
 */
export function storageConnection(givenName: string | undefined, settings: Settings): StorageConnection {
  const name = givenName === undefined || givenName === '' ? 'Storage' : givenName;
  const shownName = name === 'Storage' ? 'AzureWebJobsStorage' : name;
  const found = findConnection(name, settings);
  if (found?.text !== undefined) return fromConnectionString(shownName, found.settingName, found.text);
  if (found !== undefined) return fromIdentity(shownName, found.settingName, found.section);
  const places = settingNames(name)
    .map((candidate) => `"${candidate}" or "${candidate}__blobServiceUri"`)
    .join(', ');
  throw new Error(`Storage connection "${name}" does not exist. Set one of ${places}.`);
}

function fromConnectionString(name: string, settingName: string, text: string): StorageConnection {
  // What the SDK says of a bad connection string may quote it: it stays out of the message.
  const guarded = <T>(create: () => T): T => {
    try {
      return create();
    } catch {
      throw new Error(`App setting "${settingName}" is not a valid storage connection string.`);
    }
  };
  return {
    name,
    blobs: once(() => guarded(() => BlobServiceClient.fromConnectionString(text))),
    queues: once(() => guarded(() => QueueServiceClient.fromConnectionString(text))),
  };
}

function fromIdentity(name: string, settingName: string, section: ReadonlyMap<string, string>): StorageConnection {
  const address = (service: 'blob' | 'queue'): string => {
    const accountName = section.get('accountname');
    const found =
      section.get(`${service}serviceuri`) ??
      (accountName === undefined ? undefined : `https://${accountName}.${service}.core.windows.net`) ??
      section.get('serviceuri');
    if (found === undefined) {
      throw new Error(
        `Connection "${settingName}" has no address for ${service}s: set "${settingName}__${service}ServiceUri" or "${settingName}__accountName".`,
      );
    }
    return found;
  };
  return {
    name,
    blobs: once(() => new BlobServiceClient(address('blob'), credential(settingName, section))),
    queues: once(() => new QueueServiceClient(address('queue'), credential(settingName, section))),
  };
}

/** Makes a client at the first call and keeps it. */
function once<T>(create: () => T): () => T {
  let made: T | undefined;
  return () => {
    made ??= create();
    return made;
  };
}

/** The identity that a section of settings asks for: the surroundings' own, or a managed one. */
export function credential(settingName: string, section: ReadonlyMap<string, string>): TokenCredential {
  // Loaded only where it is used: it takes longer than all the rest of the host.
  const { DefaultAzureCredential, ManagedIdentityCredential } = createRequire(import.meta.url)(
    '@azure/identity',
  ) as typeof import('@azure/identity');
  const kind = section.get('credential');
  const clientId = section.get('clientid');
  if (kind === undefined) {
    return new DefaultAzureCredential();
  }
  if (kind.toLowerCase() !== 'managedidentity') {
    throw new Error(`"${settingName}__credential" is "${kind}"; only "managedidentity" is supported.`);
  }
  return clientId === undefined ? new ManagedIdentityCredential() : new ManagedIdentityCredential({ clientId });
}
