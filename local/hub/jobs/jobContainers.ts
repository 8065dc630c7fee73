import { randomUUID } from 'node:crypto';
import { createRequire } from 'node:module';
import { BlobServiceClient, ContainerClient, RestError, type StoragePipelineOptions } from '@azure/storage-blob';
import { HubError } from '../http/hubError.ts';
import type { JobRequest } from './jobRequest.ts';

export interface JobContainers {
  readonly input: ContainerClient | undefined;
  readonly output: ContainerClient;
}

/** Short tries while a caller waits for its answer, patient ones while a job works. */
const CHECKING: StoragePipelineOptions = {
  retryOptions: { maxTries: 2, tryTimeoutInMs: 10_000, retryDelayInMs: 100 },
};
const WORKING: StoragePipelineOptions = {
  retryOptions: { maxTries: 6, retryDelayInMs: 500, maxRetryDelayInMs: 8_000 },
};

/**
 * The containers of a job: by their SAS, or, with `identityBased`, through the account that stands for the hub's
 * managed identity. Throws 400008 for a URI that is none.
 */
export function openContainers(
  request: JobRequest,
  identityStorage: string | undefined,
  use: 'checking' | 'working' = 'working',
): JobContainers {
  const options = use === 'checking' ? CHECKING : WORKING;
  const open = (uri: string, which: 'input' | 'output') => {
    if (!URL.canParse(uri)) throw containerError(`The ${which} blob container URI is no URI.`);
    if (request.storageAuthenticationType === 'keyBased') return new ContainerClient(uri, undefined, options);
    if (identityStorage === undefined) {
      throw containerError(
        `Unauthorized to access the ${which} blob container: the hub has no identity with a role there.`,
      );
    }
    const name = decodeURIComponent(
      new URL(uri).pathname
        .split('/')
        .filter((part) => part !== '')
        .at(-1) ?? '',
    );
    return identityService(identityStorage, options).getContainerClient(name);
  };
  const { inputBlobContainerUri } = request;
  return {
    input: inputBlobContainerUri === undefined ? undefined : open(inputBlobContainerUri, 'input'),
    output: open(request.outputBlobContainerUri, 'output'),
  };
}

function identityService(identityStorage: string, options: StoragePipelineOptions): BlobServiceClient {
  if (!/^https:/i.test(identityStorage)) return BlobServiceClient.fromConnectionString(identityStorage, options);
  // Loaded only where it is used: it takes long.
  const require = createRequire(import.meta.url);
  const { ManagedIdentityCredential } = require('@azure/identity') as typeof import('@azure/identity');
  return new BlobServiceClient(identityStorage, new ManagedIdentityCredential(), options);
}

/**
 * What the hub checks before it accepts a job: the input can be read and is not empty, the output can be read, written
 * and deleted from. A SAS is judged by its permissions and by trying. Throws 400008.
 */
export async function checkContainers(request: JobRequest, identityStorage: string | undefined): Promise<void> {
  const { input, output } = openContainers(request, identityStorage, 'checking');
  if (input !== undefined && request.inputBlobContainerUri !== undefined) {
    demandPermissions(request, request.inputBlobContainerUri, 'input', ['r']);
    await checkInput(input, request.inputBlobName);
  }
  demandPermissions(request, request.outputBlobContainerUri, 'output', ['r', 'w', 'd']);
  await checkOutput(output);
}

const VERBS = { r: 'read from', w: 'write to', d: 'delete from' } as const;

function demandPermissions(
  request: JobRequest,
  uri: string,
  which: 'input' | 'output',
  needed: readonly (keyof typeof VERBS)[],
): void {
  if (request.storageAuthenticationType === 'identityBased') return;
  const query = new URL(uri).searchParams;
  if (!query.has('sig')) throw containerError(`The ${which} blob container URI has no shared access signature.`);
  const granted = query.get('sp');
  // A signature by stored access policy shows no permissions: trying has to do.
  if (granted === null) return;
  for (const permission of needed) {
    if (!granted.includes(permission)) {
      throw containerError(`Unauthorized to ${VERBS[permission]} ${which} blob container.`);
    }
  }
}

async function checkInput(container: ContainerClient, blobName: string): Promise<void> {
  const { contentLength } = await attempt('read from input blob container', () =>
    container.getBlobClient(blobName).getProperties(),
  );
  if (!contentLength) throw containerError(`The input blob '${blobName}' is empty.`);
}

async function checkOutput(container: ContainerClient): Promise<void> {
  const probe = container.getBlockBlobClient(`.iothub-probe-${randomUUID()}`);
  await attempt('write to output blob container', () => probe.upload('probe', 5));
  await attempt('read from output blob container', () => probe.getProperties());
  await attempt('delete from output blob container', () => probe.delete());
}

async function attempt<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw containerError(`Unauthorized to ${what}. (${storageReason(error)})`);
  }
}

/** What went wrong in storage, by code and status alone: messages of the storage SDK quote URLs with their signature. */
export function storageReason(error: unknown): string {
  if (!(error instanceof RestError)) return error instanceof Error ? error.name : 'unknown error';
  return [error.code, error.statusCode].filter((part) => part !== undefined).join(' ') || error.name;
}

function containerError(message: string): HubError {
  return new HubError('BlobContainerValidationError', message);
}
