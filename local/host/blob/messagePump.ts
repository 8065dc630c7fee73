import type { DequeuedMessageItem } from '@azure/storage-queue';
import type { Unkindness } from '../contracts.ts';
import type { HostLog } from '../log.ts';
import { shuffled } from '../unkindness.ts';
import { storageErrorText } from './storageError.ts';
import type { TriggerQueue } from './triggerQueue.ts';

/**
 * How long a message stays hidden without a sign of life. The real host takes ten minutes; here a killed host's work
 * comes back sooner, which is all the difference.
 */
const defaultVisibilitySeconds = 10;

export interface MessagePumpOptions {
  readonly queue: TriggerQueue;
  /** Runs what the message asks for; rejects for a failure that counts as one of the tries. */
  readonly process: (messageText: string) => Promise<void>;
  /** Takes a message that failed `maxTries` times. */
  readonly poison: (messageText: string, tries: number) => Promise<void>;
  readonly maxTries: number;
  readonly maxParallel: number;
  readonly visibilitySeconds?: number;
  readonly unkind: Unkindness | undefined;
  readonly log: HostLog;
}

export interface MessagePump {
  /** Looks for messages, taking as many as there is room for. */
  poll(): Promise<void>;
  /** Called when a message has ended: there may be more. */
  onSettled: (() => void) | undefined;
  /** Resolves when nothing is in work. */
  drain(): Promise<void>;
}

/** Takes messages and sees each to its end (azure-sdk-for-net, Storage.Queues, QueueListener.cs and QueueProcessor.cs). */
export function createMessagePump(options: MessagePumpOptions): MessagePump {
  const { queue, log, visibilitySeconds = defaultVisibilitySeconds } = options;
  const working = new Set<Promise<void>>();

  const pump: MessagePump = { poll, onSettled: undefined, drain };

  async function poll(): Promise<void> {
    const room = options.maxParallel - working.size;
    if (room <= 0) {
      return;
    }
    for (const message of shuffled(await queue.receive(room, visibilitySeconds), options.unkind)) {
      const work: Promise<void> = handle(message)
        .catch((error: unknown) => {
          log('warning', 'blob', `A message stays in the queue: ${storageErrorText(error)}`);
        })
        .finally(() => {
          working.delete(work);
          pump.onSettled?.();
        });
      working.add(work);
    }
  }

  async function handle(message: DequeuedMessageItem): Promise<void> {
    const renewal = keepHidden(message);
    let succeeded = false;
    try {
      // A host that died in every try never said that the try failed.
      if (message.dequeueCount <= options.maxTries) {
        await options.process(message.messageText);
        succeeded = true;
      }
    } catch {
      // The invocation log has the reason.
    }
    const popReceipt = await renewal.stop();
    if (popReceipt === undefined) {
      return;
    }
    if (succeeded) {
      await queue.delete(message.messageId, popReceipt);
    } else if (message.dequeueCount >= options.maxTries) {
      await options.poison(message.messageText, Math.min(message.dequeueCount, options.maxTries));
      await queue.delete(message.messageId, popReceipt);
    } else {
      await queue.extend(message.messageId, popReceipt, 0);
    }
  }

  /** Renews the message's invisibility; `stop` gives the pop receipt of the moment, undefined when the message is lost. */
  function keepHidden(message: DequeuedMessageItem): { stop(): Promise<string | undefined> } {
    let popReceipt: string | undefined = message.popReceipt;
    let renewing: Promise<void> = Promise.resolve();
    const renew = async () => {
      if (popReceipt === undefined) {
        return;
      }
      try {
        popReceipt = await queue.extend(message.messageId, popReceipt, visibilitySeconds);
      } catch (error) {
        log('warning', 'blob', `A message could not be renewed: ${storageErrorText(error)}`);
      }
    };
    const timer = setInterval(() => {
      renewing = renewing.then(renew);
    }, visibilitySeconds * 400);
    return {
      async stop() {
        clearInterval(timer);
        await renewing;
        return popReceipt;
      },
    };
  }

  async function drain(): Promise<void> {
    while (working.size > 0) {
      await Promise.all(working);
    }
  }

  return pump;
}
