import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createMessagePump, type MessagePumpOptions } from '../../../../local/host/blob/messagePump.ts';
import {
  type BlobTriggerMessage,
  createTriggerQueue,
  decodeMessage,
  type TriggerQueue,
} from '../../../../local/host/blob/triggerQueue.ts';
import { storageConnection } from '../../../../local/host/connections.ts';
import { settingsFrom } from '../../../../local/host/settings.ts';
import { type Azurite, startAzurite } from '../../../helpers/azurite.ts';
import { eventually } from '../../../helpers/eventually.ts';

describe('the pump of blob messages', () => {
  let azurite: Azurite;
  let queue: TriggerQueue;
  let started: string[];
  let poisoned: { name: string; tries: number }[];
  let tests = 0;

  beforeAll(async () => {
    azurite = await startAzurite();
  });
  afterAll(() => azurite.stop());
  beforeEach(() => {
    const host = storageConnection('', settingsFrom({ AzureWebJobsStorage: azurite.connectionString }));
    queue = createTriggerQueue(host, `pump-${++tests}`);
    started = [];
    poisoned = [];
  });

  const message = (BlobName: string): BlobTriggerMessage => ({
    Type: 'BlobTrigger',
    FunctionId: 'Host.Functions.f',
    BlobType: 'BlockBlob',
    ContainerName: 'c',
    BlobName,
    ETag: '0x1',
  });

  function pump(work: () => Promise<void>, options: Partial<MessagePumpOptions> = {}) {
    return createMessagePump({
      queue,
      process: async (text) => {
        started.push(decodeMessage(text).BlobName);
        await work();
      },
      poison: async (text, tries) => {
        poisoned.push({ name: decodeMessage(text).BlobName, tries });
      },
      maxTries: 2,
      maxParallel: 2,
      visibilitySeconds: 1,
      unkind: undefined,
      log: () => undefined,
      ...options,
    });
  }

  test('finds nothing in a queue that does not exist', async () => {
    await pump(async () => undefined).poll();
    expect(started).toEqual([]);
  });

  test('keeps a message to itself for as long as the work takes', async () => {
    await queue.enqueue(message('long'));
    const patient = pump(() => sleep(5_000), { visibilitySeconds: 3 });
    await patient.poll();
    expect(started).toEqual(['long']);
    const end = Date.now() + 4_500;
    while (Date.now() < end) {
      expect(await queue.receive(1, 1)).toEqual([]);
      await sleep(200);
    }
    await patient.drain();
    expect(await queue.receive(1, 1)).toEqual([]);
    expect(started).toEqual(['long']);
  });

  test('takes no more at a time than it may', async () => {
    for (const name of ['a', 'b', 'c']) {
      await queue.enqueue(message(name));
    }
    const { promise, release } = gate();
    const busy = pump(() => promise);
    await busy.poll();
    await busy.poll();
    expect(started).toHaveLength(2);
    release();
    await busy.drain();
    await busy.poll();
    await busy.drain();
    expect(started.toSorted()).toEqual(['a', 'b', 'c']);
  });

  test('gives up a message whose every try ended with the process', async () => {
    await queue.enqueue(message('killer'));
    // Two processes took it and were never heard of again.
    for (let life = 0; life < 2; life++) {
      await eventually(async () => ((await queue.receive(1, 1)).length === 1 ? true : undefined), 'the message');
    }
    const survivor = pump(async () => undefined);
    await eventually(async () => {
      await survivor.poll();
      await survivor.drain();
      return poisoned.length > 0 ? true : undefined;
    }, 'poisoned message');
    expect(started).toEqual([]);
    expect(poisoned).toEqual([{ name: 'killer', tries: 2 }]);
  });
});

function gate(): { readonly promise: Promise<void>; release(): void } {
  let release = () => {};
  const promise = new Promise<void>((resolve) => {
    release = resolve;
  });
  return { promise, release: () => release() };
}
