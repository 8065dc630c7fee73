import type { BlockBlobClient, ContainerClient, RestError } from '@azure/storage-blob';

/** One blob in one version: what a function is told of once. */
export interface BlobVersion {
  readonly container: string;
  readonly blobName: string;
  readonly etag: string;
}

/**
 * Receipts: a blob per function and version says that the message for it is in the queue
 * (azure-sdk-for-net, Storage.Blobs, BlobTriggerExecutor.cs and BlobReceiptManager.cs).
 */
export interface ReceiptBook {
  /**
   * Runs `enqueue` unless a receipt says that it has run. The receipt is marked complete only afterwards, so a crash
   * in between makes a second message, never none.
   *
   * @returns `done` (now or earlier), or `busy` when another process is at it: ask again later.
   */
  once(functionId: string, version: BlobVersion, enqueue: () => Promise<void>): Promise<'done' | 'busy'>;
  /** Forgets a version, so that it will be new again. */
  remove(functionId: string, version: BlobVersion): Promise<void>;
}

const leaseSeconds = 30;

/** Not empty: metadata without a value does not survive every HTTP stack. */
const incomplete = { Incomplete: 'true' };

function hasStatus(error: unknown, ...statuses: number[]): boolean {
  return statuses.includes((error as RestError).statusCode ?? 0);
}

export function createReceiptBook(hosts: ContainerClient, hostId: string): ReceiptBook {
  const receipt = (functionId: string, { container, blobName, etag }: BlobVersion): BlockBlobClient =>
    hosts.getBlockBlobClient(`blobreceipts/${hostId}/${functionId}/${etag}/${container}/${blobName}`);

  async function state(blob: BlockBlobClient): Promise<'missing' | 'incomplete' | 'complete'> {
    try {
      const { metadata = {} } = await blob.getProperties();
      return Object.keys(metadata).some((key) => key.toLowerCase() === 'incomplete') ? 'incomplete' : 'complete';
    } catch (error) {
      if (hasStatus(error, 404)) {
        return 'missing';
      }
      throw error;
    }
  }

  /** False when somebody else made it at the same moment. */
  async function create(blob: BlockBlobClient): Promise<boolean> {
    try {
      await blob.upload('', 0, { metadata: incomplete, conditions: { ifNoneMatch: '*' } });
      return true;
    } catch (error) {
      if (hasStatus(error, 409, 412)) {
        return false;
      }
      throw error;
    }
  }

  return {
    async once(functionId, version, enqueue) {
      const blob = receipt(functionId, version);
      const before = await state(blob);
      if (before === 'complete') {
        return 'done';
      }
      if (before === 'missing' && !(await create(blob))) {
        return 'busy';
      }
      const lease = blob.getBlobLeaseClient();
      try {
        await lease.acquireLease(leaseSeconds);
      } catch (error) {
        if (hasStatus(error, 404, 409, 412)) {
          return 'busy';
        }
        throw error;
      }
      try {
        if ((await state(blob)) !== 'complete') {
          await enqueue();
          await blob.setMetadata({}, { conditions: { leaseId: lease.leaseId } });
        }
        return 'done';
      } finally {
        // One that cannot be released runs out by itself.
        await lease.releaseLease().catch(() => undefined);
      }
    },
    async remove(functionId, version) {
      try {
        await receipt(functionId, version).deleteIfExists();
      } catch (error) {
        // Leased: it is being written at this moment.
        if (!hasStatus(error, 412)) {
          throw error;
        }
      }
    },
  };
}
