import type { DequeuedMessageItem, QueueClient, RestError } from '@azure/storage-queue';
import type { StorageConnection } from '../connections.ts';
import type { Unkindness } from '../contracts.ts';

/** What the queue says of a blob (azure-sdk-for-net, Storage.Blobs, BlobTriggerMessage.cs). */
export interface BlobTriggerMessage {
  readonly Type: 'BlobTrigger';
  readonly FunctionId: string;
  readonly BlobType: string;
  readonly ContainerName: string;
  readonly BlobName: string;
  readonly ETag: string;
}

export const poisonQueueName = 'webjobs-blobtrigger-poison';

/** Queue texts are base64, as in every WebJobs queue. */
const encode = (text: string) => Buffer.from(text, 'utf8').toString('base64');

export function decodeMessage(text: string): BlobTriggerMessage {
  const value: unknown = JSON.parse(Buffer.from(text, 'base64').toString('utf8'));
  const { FunctionId, ContainerName, BlobName, ETag } = value as Partial<BlobTriggerMessage>;
  for (const member of [FunctionId, ContainerName, BlobName, ETag]) {
    if (typeof member !== 'string') {
      throw new Error('The message is not a blob trigger message.');
    }
  }
  return value as BlobTriggerMessage;
}

/** Sends a message, making the queue when it is not there yet. */
async function send(queue: QueueClient, text: string, visibilityTimeout = 0): Promise<void> {
  try {
    await queue.sendMessage(text, { visibilityTimeout });
  } catch (error) {
    if ((error as RestError).statusCode !== 404) {
      throw error;
    }
    await queue.createIfNotExists();
    await queue.sendMessage(text, { visibilityTimeout });
  }
}

/** The queue between finding a blob and running a function for it. */
export interface TriggerQueue {
  enqueue(message: BlobTriggerMessage): Promise<void>;
  /** Up to `count` messages (32 at most), hidden from others for `visibilitySeconds`; empty without a queue. */
  receive(count: number, visibilitySeconds: number): Promise<DequeuedMessageItem[]>;
  /** Keeps a message hidden for longer; the new pop receipt, undefined when the message is no longer ours. */
  extend(messageId: string, popReceipt: string, visibilitySeconds: number): Promise<string | undefined>;
  delete(messageId: string, popReceipt: string): Promise<void>;
}

/** `azure-webjobs-blobtrigger-{hostId}` in the host's own storage. */
export function createTriggerQueue(host: StorageConnection, hostId: string, unkind?: Unkindness): TriggerQueue {
  const queue = host.queues().getQueueClient(`azure-webjobs-blobtrigger-${hostId}`);
  return {
    async enqueue(message) {
      const text = encode(JSON.stringify(message));
      await send(queue, text);
      if (unkind?.chance(0.5)) {
        // A duplicate is a message of its own: at the same moment, or some seconds later.
        await send(queue, text, unkind.chance(0.5) ? 0 : 1 + unkind.delayMs(3));
      }
    },
    async receive(count, visibilitySeconds) {
      try {
        const numberOfMessages = Math.min(count, 32);
        const answer = await queue.receiveMessages({ numberOfMessages, visibilityTimeout: visibilitySeconds });
        return answer.receivedMessageItems;
      } catch (error) {
        if ((error as RestError).statusCode === 404) {
          return [];
        }
        throw error;
      }
    },
    async extend(messageId, popReceipt, visibilitySeconds) {
      try {
        return (await queue.updateMessage(messageId, popReceipt, undefined, visibilitySeconds)).popReceipt;
      } catch (error) {
        if (isGone(error)) {
          return undefined;
        }
        throw error;
      }
    },
    async delete(messageId, popReceipt) {
      try {
        await queue.deleteMessage(messageId, popReceipt);
      } catch (error) {
        if (!isGone(error)) {
          throw error;
        }
      }
    },
  };
}

/** Somebody else has the message by now, or it is deleted. */
function isGone(error: unknown): boolean {
  const status = (error as RestError).statusCode;
  return status === 404 || status === 400;
}

/** Puts a message where the ones that failed too often go, in the account of the blob. */
export async function sendToPoisonQueue(account: StorageConnection, messageText: string): Promise<void> {
  await send(account.queues().getQueueClient(poisonQueueName), messageText);
}
