import type { BlobItem, ContainerClient, RestError } from '@azure/storage-blob';
import type { Unkindness } from '../contracts.ts';
import type { HostLog } from '../log.ts';
import { type BlobFunction, bareETag } from './blobTrigger.ts';
import type { BlobVersion, ReceiptBook } from './receipts.ts';
import type { ScanMarkStore } from './scanMark.ts';
import { storageErrorText } from './storageError.ts';
import type { TriggerQueue } from './triggerQueue.ts';

/** Most blobs looked at in one poll (ScanBlobScanLogHybridPollingStrategy.cs). */
const blobsPerPoll = 10_000;

export interface ContainerScanOptions {
  readonly container: ContainerClient;
  /** The functions that look at this container. */
  readonly functions: readonly BlobFunction[];
  readonly marks: ScanMarkStore;
  readonly receipts: ReceiptBook;
  readonly queue: TriggerQueue;
  readonly unkind: Unkindness | undefined;
  readonly log: HostLog;
}

export interface ContainerScan {
  /** Looks at the next part of the container; true when a message was queued. */
  poll(): Promise<boolean>;
}

/**
 * Finds new and changed blobs by listing a container over and over. A blob is new when it changed at or after the mark
 * of the last complete sweep (its time has whole seconds: more may have come in the same one) and has no receipt.
 * The mark moves only when every blob of the sweep has its messages, so that a crash loses none.
 */
export function createContainerScan(options: ContainerScanOptions): ContainerScan {
  const { container, functions, marks, receipts, queue, unkind, log } = options;
  let mark: Date | undefined;
  let markIsRead = false;
  let storedMark: number | undefined;
  let continuationToken: string | undefined;
  let latestInSweep: Date | undefined;
  let sweepIsComplete = true;
  let toldMissing = false;
  /** Receipts of the mark's second that are known to be complete: they would be asked for at every poll. */
  let known = new Set<string>();

  async function poll(): Promise<boolean> {
    if (!markIsRead) {
      mark = await marks.read();
      storedMark = mark?.getTime();
      markIsRead = true;
    }
    let queued = false;
    let looked = 0;
    try {
      do {
        const pages = container.listBlobsFlat().byPage({
          maxPageSize: Math.min(5_000, blobsPerPoll - looked),
          ...(continuationToken !== undefined && { continuationToken }),
        });
        const { value: page } = await pages.next();
        const items = page?.segment.blobItems ?? [];
        looked += items.length;
        for (const item of items) {
          queued = (await look(item)) || queued;
        }
        queued = (await beUnkind(items)) || queued;
        continuationToken = page?.continuationToken || undefined;
      } while (continuationToken !== undefined && looked < blobsPerPoll);
    } catch (error) {
      // The next poll begins anew.
      continuationToken = undefined;
      if ((error as RestError).statusCode !== 404) {
        throw error;
      }
      if (!toldMissing) {
        log(
          'warning',
          functions[0]?.name ?? 'blob',
          `Container "${container.containerName}" does not exist yet; looking on.`,
        );
      }
      toldMissing = true;
      return false;
    }
    toldMissing = false;
    if (continuationToken === undefined) {
      await endSweep();
    }
    return queued;
  }

  async function endSweep(): Promise<void> {
    if (sweepIsComplete && latestInSweep !== undefined) {
      if (latestInSweep.getTime() !== mark?.getTime()) {
        known = new Set();
      }
      mark = latestInSweep;
      if (storedMark !== mark.getTime()) {
        await marks.write(mark);
        storedMark = mark.getTime();
      }
    }
    latestInSweep = undefined;
    sweepIsComplete = true;
  }

  async function look(item: BlobItem): Promise<boolean> {
    const changed = item.properties.lastModified;
    if (latestInSweep === undefined || changed > latestInSweep) {
      latestInSweep = changed;
    }
    if (mark !== undefined && changed < mark) {
      return false;
    }
    let queued = false;
    for (const target of functions) {
      queued = (await notify(target, item)) || queued;
    }
    return queued;
  }

  async function notify(target: BlobFunction, item: BlobItem): Promise<boolean> {
    if (target.path.match(container.containerName, item.name) === undefined) {
      return false;
    }
    const version = versionOf(item);
    const key = `${target.functionId}\n${version.etag}\n${item.name}`;
    if (known.has(key)) {
      return false;
    }
    let queued = false;
    try {
      const outcome = await receipts.once(target.functionId, version, async () => {
        await queue.enqueue({
          Type: 'BlobTrigger',
          FunctionId: target.functionId,
          BlobType: item.properties.blobType ?? 'BlockBlob',
          ContainerName: container.containerName,
          BlobName: item.name,
          ETag: version.etag,
        });
        queued = true;
      });
      if (outcome === 'done') {
        known.add(key);
      } else {
        sweepIsComplete = false;
      }
    } catch (error) {
      sweepIsComplete = false;
      log('warning', target.name, `Blob "${item.name}" could not be queued, trying again: ${storageErrorText(error)}`);
    }
    return queued;
  }

  const versionOf = (item: BlobItem): BlobVersion => ({
    container: container.containerName,
    blobName: item.name,
    etag: bareETag(item.properties.etag),
  });

  /** Now and then forgets the receipt of a blob that is long done, so that it comes once more. */
  async function beUnkind(items: readonly BlobItem[]): Promise<boolean> {
    if (unkind === undefined || items.length === 0 || !unkind.chance(0.1)) {
      return false;
    }
    const item = items[unkind.delayMs(items.length)];
    if (item === undefined) {
      return false;
    }
    let queued = false;
    for (const target of functions) {
      const version = versionOf(item);
      if (target.path.match(container.containerName, item.name) !== undefined) {
        await receipts.remove(target.functionId, version);
        known.delete(`${target.functionId}\n${version.etag}\n${item.name}`);
        queued = (await notify(target, item)) || queued;
      }
    }
    return queued;
  }

  return { poll };
}
