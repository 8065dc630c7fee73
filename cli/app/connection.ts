/** How a command reaches an app: by the settings in the environment, or the local stack of a data folder. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { findRunningStack, projectRoot, type Stack, type StackHubs, startStack } from '../../local/stack/index.ts';
import { defined } from '../../src/lib/defined.ts';
import { RUN_KINDS, type RunRecord } from '../../src/lib/runKinds.ts';
import { createRunStore, type RunStore } from '../../src/lib/runs/runStore.ts';
import type { StorageConnection } from '../../src/lib/storage/storage.ts';
import { createStorage, type Storage } from '../../src/lib/storage/storage.ts';
import { usageError } from '../cliError.ts';
import { type CommandText, commandTextFor, shortPath } from '../render/commandText.ts';
import type { Output } from '../render/output.ts';
import { showStackSteps } from '../render/stackSteps.ts';

/** The HTTP API of an app. */
export interface Api {
  /** Without a slash at the end, e.g. `https://APP.azurewebsites.net/api`. */
  readonly url: string;
  /** A function, host or master key. */
  readonly key?: string;
}

export interface Connection {
  readonly storage: Storage;
  readonly runs: RunStore<RunRecord>;
  readonly provisionContainer: string;
  readonly api?: Api;
  /** A stack that was started for this command alone and stops with it. */
  readonly ownStack?: Stack;
  readonly isLocal: boolean;
  /** By alias, where they are known: those of a local stack. */
  readonly hubs?: StackHubs;
  /** Commands that reach the same app. */
  readonly command: CommandText;
  close(): Promise<void>;
}

export interface ConnectOptions {
  /** `--data`: the local stack of this folder, whatever the environment says. */
  readonly data?: string | undefined;
}

export function dataFolder(asked: string | undefined): string {
  return asked ?? join(projectRoot(), '.hubkeeper');
}

/**
 * Reaches the app.
 * @throws CliError when neither the environment names one nor a local stack is up.
 */
export async function connect(options: ConnectOptions): Promise<Connection> {
  const existing = await findConnection(options);
  if (existing !== undefined) return existing;
  const folder = dataFolder(options.data);
  throw usageError(
    `No app to talk to: HUBKEEPER_STORAGE is not set, and no local stack is up on ${shortPath(folder)}.`,
    `Start one with ${commandTextFor(options.data)('local')}, or set HUBKEEPER_STORAGE to the storage account of a deployed app.`,
  );
}

/** As `connect`, but where nothing is up, a local stack is started for this command. */
export async function connectOrStart(
  options: ConnectOptions,
  output: Output,
  signal: AbortSignal,
): Promise<Connection> {
  const existing = await findConnection(options);
  if (existing !== undefined) return existing;
  const data = dataFolder(options.data);
  output.note(`No local stack is up: one is started for this run (data in ${shortPath(data)}).`);
  const steps = showStackSteps(output);
  try {
    const stack = await startStack({ data, onStarting: steps.onStarting, signal });
    return { ...connectTo(stack, options.data), ownStack: stack, close: () => stack.stop() };
  } finally {
    steps.end();
  }
}

async function findConnection(options: ConnectOptions): Promise<Connection | undefined> {
  const fromEnvironment = options.data === undefined ? storageFromEnvironment(process.env) : undefined;
  if (fromEnvironment !== undefined) return toApp(fromEnvironment);
  if (options.data === undefined && process.env.HUBKEEPER_API?.trim()) {
    throw usageError(
      'HUBKEEPER_API is set, but HUBKEEPER_STORAGE is not: files and records of an app are in its storage account.',
      'Set HUBKEEPER_STORAGE too, or unset HUBKEEPER_API to use a local stack.',
    );
  }
  const data = dataFolder(options.data);
  if (!existsSync(data)) return undefined;
  const { storageConnectionString, apiUrl, apiKey, hubs = {} } = findRunningStack(data) ?? {};
  return storageConnectionString === undefined || apiUrl === undefined
    ? undefined
    : connectTo({ storageConnectionString, apiUrl, hubs, ...defined({ apiKey }) }, options.data);
}

async function toApp(connection: StorageConnection): Promise<Connection> {
  const storage = await openStorage(connection);
  const url = process.env.HUBKEEPER_API?.trim().replace(/\/+$/, '');
  const key = process.env.HUBKEEPER_API_KEY?.trim();
  if (url && !URL.canParse(url)) {
    throw usageError('HUBKEEPER_API is not a URL.', 'Give it as https://APP.azurewebsites.net/api.');
  }
  return {
    storage,
    runs: createRunStore(storage, () => new Date(), RUN_KINDS),
    provisionContainer: process.env.PROVISION_CONTAINER?.trim() || 'provision',
    ...(url ? { api: { url, ...(key ? { key } : {}) } } : {}),
    isLocal: false,
    command: commandTextFor(undefined),
    close: async () => undefined,
  };
}

/**
 * Reaches the app of a running local stack.
 * @param data the folder that was asked for
 */
export function connectTo(
  stack: Pick<Stack, 'storageConnectionString' | 'apiUrl' | 'apiKey' | 'hubs'>,
  data: string | undefined,
): Connection {
  const connection = { kind: 'connectionString', connectionString: stack.storageConnectionString } as const;
  const storage = createStorage(connection, () => {
    throw new Error('A local stack needs no identity.');
  });
  return {
    storage,
    runs: createRunStore(storage, () => new Date(), RUN_KINDS),
    provisionContainer: process.env.PROVISION_CONTAINER?.trim() || 'provision',
    api: { url: stack.apiUrl, ...defined({ key: stack.apiKey }) },
    isLocal: true,
    hubs: stack.hubs,
    command: commandTextFor(data),
    close: async () => undefined,
  };
}

function storageFromEnvironment(environment: NodeJS.ProcessEnv): StorageConnection | undefined {
  const text = (name: string): string | undefined => environment[name]?.trim() || undefined;
  const connectionString = text('HUBKEEPER_STORAGE');
  if (connectionString !== undefined) return { kind: 'connectionString', connectionString };
  const account = text('HUBKEEPER_STORAGE__accountName');
  const blobServiceUri =
    text('HUBKEEPER_STORAGE__blobServiceUri') ?? (account && `https://${account}.blob.core.windows.net`);
  if (blobServiceUri === undefined) return undefined;
  if (!URL.canParse(blobServiceUri)) {
    throw usageError(
      'HUBKEEPER_STORAGE__blobServiceUri is not a URL.',
      'Give it as https://ACCOUNT.blob.core.windows.net.',
    );
  }
  const clientId = text('HUBKEEPER_STORAGE__clientId');
  return { kind: 'identity', blobServiceUri, ...defined({ clientId }) };
}

async function openStorage(connection: StorageConnection): Promise<Storage> {
  // Slow to load, and needed by few.
  const identity = connection.kind === 'identity' ? await import('@azure/identity') : undefined;
  try {
    return createStorage(connection, (managedIdentityClientId) => {
      if (identity === undefined) throw new Error('The identity library is loaded for identity connections only.');
      return new identity.DefaultAzureCredential(defined({ managedIdentityClientId }));
    });
  } catch {
    // The SDK's own message may quote the value.
    throw usageError(
      'HUBKEEPER_STORAGE is not a connection string of a storage account.',
      'Copy it from the account (Access keys), or set HUBKEEPER_STORAGE__blobServiceUri to use an identity.',
    );
  }
}
