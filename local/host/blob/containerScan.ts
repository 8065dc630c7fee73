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

/**
 * How far before the mark the first sweep of a host looks. A blob bears the time at which its upload began (Azurite; a
 * live account gives one shortly before the blob is there), so one that was under way may come with a time before it.
 */
const lookBackMs = 24 * 60 * 60_000;

export interface ContainerScanOptions {
  readonly container: ContainerClient;
  /** The functions that look at this container. */
  readonly functions: readonly BlobFunction[];
  readonly marks: ScanMarkStore;
  readonly receipts: ReceiptBook;
  readonly queue: TriggerQueue;
  readonly unkind: Unkindness | undefined;
  readonly log: HostLog;
  /** Most blobs of one page of the list. */
  readonly pageSize?: number;
}

export interface ContainerScan {
  /** Looks at the next part of the container; true when a message was queued. */
  poll(): Promise<boolean>;
}

/**
 * Finds new and changed blobs by listing a container over and over. A blob is new when the last sweep did not see this
 * version of it, and it has no receipt: its time says nothing, for a blob with an earlier one may come later. The mark,
 * the latest time in a complete sweep, only spares a host that starts the receipts of blobs that are long done; it
 * moves only when every blob of the sweep has its messages, so that a crash loses none.
 */
export function createContainerScan(options: ContainerScanOptions): ContainerScan {
  const { container, functions, marks, receipts, queue, unkind, log, pageSize = 5_000 } = options;
  let mark: Date | undefined;
  let markIsRead = false;
  let storedMark: number | undefined;
  let continuationToken: string | undefined;
  let latestInSweep: Date | undefined;
  let sweepIsComplete = true;
  let toldMissing = false;
  /** Versions of the last complete sweep, and of this one so far, that need no further look. */
  let seen: ReadonlySet<string> | undefined;
  let seenNow = new Set<string>();

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
          maxPageSize: Math.min(pageSize, blobsPerPoll - looked),
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
      latestInSweep = undefined;
      sweepIsComplete = true;
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
    seen = seenNow;
    seenNow = new Set();
    if (sweepIsComplete && latestInSweep !== undefined) {
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
    const version = versionOf(item);
    const key = keyOf(version);
    if (seenNow.has(key) || seen?.has(key) || isLongDone(changed)) {
      seenNow.add(key);
      return false;
    }
    return tell(item, version);
  }

  /** Tells all functions of a blob; true when that made a message. */
  async function tell(item: BlobItem, version: BlobVersion): Promise<boolean> {
    let queued = false;
    let done = true;
    for (const target of functions) {
      const outcome = await notify(target, item, version);
      queued ||= outcome === 'queued';
      done &&= outcome !== 'later';
    }
    if (done) {
      seenNow.add(keyOf(version));
    } else {
      seenNow.delete(keyOf(version));
      sweepIsComplete = false;
    }
    return queued;
  }

  /** Only the first sweep goes by time: there is nothing else to go by yet. */
  function isLongDone(changed: Date): boolean {
    return seen === undefined && mark !== undefined && changed.getTime() < mark.getTime() - lookBackMs;
  }

  async function notify(
    target: BlobFunction,
    item: BlobItem,
    version: BlobVersion,
  ): Promise<'queued' | 'nothing' | 'later'> {
    if (target.path.match(container.containerName, item.name) === undefined) {
      return 'nothing';
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
      return outcome === 'busy' ? 'later' : queued ? 'queued' : 'nothing';
    } catch (error) {
      log('warning', target.name, `Blob "${item.name}" could not be queued, it is retried: ${storageErrorText(error)}`);
      return 'later';
    }
  }

  const versionOf = (item: BlobItem): BlobVersion => ({
    container: container.containerName,
    blobName: item.name,
    etag: bareETag(item.properties.etag),
  });

  const keyOf = ({ etag, blobName }: BlobVersion): string => `${etag}\n${blobName}`;

  /** Now and then forgets the receipt of a blob that is long done, so that it comes once more. */
  async function beUnkind(items: readonly BlobItem[]): Promise<boolean> {
    if (unkind === undefined || items.length === 0 || !unkind.chance(0.1)) {
      return false;
    }
    const item = items[unkind.delayMs(items.length)];
    if (item === undefined) {
      return false;
    }
    const version = versionOf(item);
    for (const target of functions) {
      await receipts.remove(target.functionId, version);
    }
    return tell(item, version);
  }

  return { poll };
}
