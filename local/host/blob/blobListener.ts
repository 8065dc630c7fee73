import { setTimeout as sleep } from 'node:timers/promises';
import type { BlobClient, RestError } from '@azure/storage-blob';
import { createAlarm } from '../alarm.ts';
import type { StorageConnection } from '../connections.ts';
import type { InvocationRequest, Invoke, Unkindness } from '../contracts.ts';
import type { HostLog } from '../log.ts';
import { type BlobFunction, bareETag } from './blobTrigger.ts';
import { type ContainerScan, createContainerScan } from './containerScan.ts';
import { type BlobWebhook, createBlobWebhook } from './eventGridWebhook.ts';
import { createMessagePump } from './messagePump.ts';
import { blobInvocationRequest } from './payload.ts';
import { createReceiptBook } from './receipts.ts';
import { createScanMarkStore } from './scanMark.ts';
import { storageErrorText } from './storageError.ts';
import { type BlobTriggerMessage, createTriggerQueue, decodeMessage, sendToPoisonQueue } from './triggerQueue.ts';

export interface BlobListenerOptions {
  readonly functions: readonly BlobFunction[];
  /** `AzureWebJobsStorage`: receipts, marks and the queue are there, wherever the blobs are. */
  readonly hostStorage: StorageConnection;
  readonly hostId: string;
  readonly invoke: Invoke;
  readonly maxDegreeOfParallelism: number;
  readonly poisonBlobThreshold: number;
  /** Milliseconds between two looks at each container. */
  readonly scanInterval: number;
  readonly unkind: Unkindness | undefined;
  readonly log: HostLog;
}

export interface BlobListener {
  readonly webhook: BlobWebhook;
  /** Looks for nothing new; resolves when the messages in work have ended. */
  stop(): Promise<void>;
}

/** Longest pause between two looks into an empty queue; the scan and ended messages wake it at once. */
const queueInterval = 500;

/** Runs all blob functions of an app: scans and webhook fill one queue, and one pump empties it. */
export function startBlobListener(options: BlobListenerOptions): BlobListener {
  const { functions, hostStorage, hostId, unkind, log } = options;
  const hosts = hostStorage.blobs().getContainerClient('azure-webjobs-hosts');
  const queue = createTriggerQueue(hostStorage, hostId, unkind);
  const receipts = createReceiptBook(hosts, hostId);
  const stopping = new AbortController();
  const stop = stopping.signal;

  const pump = createMessagePump({
    queue,
    process: (text) => run(decodeMessage(text)),
    poison,
    maxTries: options.poisonBlobThreshold,
    maxParallel: options.maxDegreeOfParallelism,
    unkind,
    log,
  });
  const alarm = createAlarm();
  pump.onSettled = alarm.ring;

  async function run(message: BlobTriggerMessage): Promise<void> {
    const target = functions.find((candidate) => candidate.functionId === message.FunctionId);
    if (target === undefined) {
      log(
        'warning',
        'blob',
        `The queue has a message for "${message.FunctionId}", which the app does not have (any more).`,
      );
      return;
    }
    const blob = target.connection.blobs().getContainerClient(message.ContainerName).getBlobClient(message.BlobName);
    const request = await read(target, message, blob);
    if (request !== undefined) {
      await options.invoke(target.name, request);
    }
  }

  /** What the function gets; undefined when its turn is void, because the blob is gone or is another by now. */
  async function read(
    target: BlobFunction,
    message: BlobTriggerMessage,
    blob: BlobClient,
  ): Promise<InvocationRequest | undefined> {
    const { ContainerName: container, BlobName: blobName } = message;
    try {
      const properties = await blob.getProperties();
      if (target.source === 'LogsAndContainerScan' && bareETag(properties.etag ?? '') !== message.ETag) {
        // The scan sees the newer version by itself, or has done so already.
        log('debug', target.name, `Blob "${container}/${blobName}" has changed; its newer version has its own turn.`);
        return undefined;
      }
      const tokens = target.path.match(container, blobName) ?? {};
      return await blobInvocationRequest({ target, container, blobName, blob, properties, tokens });
    } catch (error) {
      if ((error as RestError).statusCode === 404) {
        log('info', target.name, `Blob "${container}/${blobName}" was deleted before its turn.`);
        return undefined;
      }
      log('warning', target.name, `Blob "${container}/${blobName}" could not be read: ${storageErrorText(error)}`);
      throw error;
    }
  }

  async function poison(messageText: string, tries: number): Promise<void> {
    let message: BlobTriggerMessage | undefined;
    try {
      message = decodeMessage(messageText);
    } catch {
      // What is no message of ours goes the same way.
    }
    const target = functions.find((candidate) => candidate.functionId === message?.FunctionId);
    const what = message === undefined ? 'A message' : `Blob "${message.ContainerName}/${message.BlobName}"`;
    log('error', target?.name ?? 'blob', `${what} failed ${tries} times and goes to the poison queue.`);
    await sendToPoisonQueue(target?.connection ?? hostStorage, messageText);
  }

  /** Repeats a step until the host stops. A failing step is told of once, until it works again. */
  async function repeat(what: string, step: () => Promise<void>, pause: () => Promise<void>): Promise<void> {
    let told = false;
    while (!stop.aborted) {
      try {
        await step();
        told = false;
      } catch (error) {
        if (!told && !stop.aborted) {
          log('warning', 'blob', `${what} failed, trying on: ${storageErrorText(error)}`);
        }
        told = true;
        await sleep(1_000, undefined, { signal: stop }).catch(() => undefined);
      }
      await pause();
    }
  }

  const pumping = repeat('Reading the queue of blobs', pump.poll, () => alarm.wait(queueInterval));

  let hostsExists = false;
  const scanning = containerScans().map(({ name, scan }) =>
    repeat(
      `Looking through container "${name}"`,
      async () => {
        if (!hostsExists) {
          await hosts.createIfNotExists();
          hostsExists = true;
        }
        if (await scan.poll()) {
          alarm.ring();
        }
      },
      () => sleep(options.scanInterval, undefined, { signal: stop }).catch(() => undefined),
    ),
  );

  /** One scan for each container that functions look at, whichever connection names lead to it. */
  function containerScans(): { readonly name: string; readonly scan: ContainerScan }[] {
    const byUrl = new Map<string, BlobFunction[]>();
    for (const target of functions.filter((candidate) => candidate.source === 'LogsAndContainerScan')) {
      const url = target.connection.blobs().getContainerClient(target.path.container).url;
      byUrl.set(url, [...(byUrl.get(url) ?? []), target]);
    }
    return [...byUrl.values()].flatMap((group) => {
      const [first] = group;
      if (first === undefined) {
        return [];
      }
      const container = first.connection.blobs().getContainerClient(first.path.container);
      const place = { hostId, account: container.accountName, container: container.containerName };
      const marks = createScanMarkStore(hosts, place);
      const scan = createContainerScan({ container, functions: group, marks, receipts, queue, unkind, log });
      return [{ name: container.containerName, scan }];
    });
  }

  return {
    webhook: createBlobWebhook(
      functions.filter((candidate) => candidate.source === 'EventGrid'),
      {
        ...queue,
        async enqueue(message) {
          await queue.enqueue(message);
          alarm.ring();
        },
      },
      log,
    ),
    async stop() {
      stopping.abort();
      alarm.ring();
      await Promise.all([pumping, ...scanning]);
      await pump.drain();
    },
  };
}
