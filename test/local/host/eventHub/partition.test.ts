import type { ReceivedEventData } from '@azure/event-hubs';
import { describe, expect, test } from 'vitest';
import type { InvocationRequest } from '../../../../local/host/contracts.ts';
import { openPartition, type PartitionOptions } from '../../../../local/host/eventHub/partition.ts';
import { eventHubsSettings } from '../../../../local/host/hostJsonEventHubs.ts';
import { parseRetry } from '../../../../local/host/retry.ts';
import { createUnkindness } from '../../../../local/host/unkindness.ts';
import { eventually } from '../../../helpers/eventually.ts';
import { eventFunction, receivedEvent } from './receivedEvent.ts';

const place = { fullyQualifiedNamespace: 'ns', eventHubName: 'events', consumerGroup: 'mirror', partitionId: '0' };

/** What happened, in order: `call 1,2` with the sequence numbers, `end 1,2`, `stored 2`. */
function partitionWith(
  section: Record<string, unknown>,
  options: Partial<PartitionOptions> & {
    readonly handle?: (numbers: string, request: InvocationRequest) => unknown;
  } = {},
) {
  const happened: string[] = [];
  const stopping = new AbortController();
  const partition = openPartition({
    target: eventFunction(),
    place,
    settings: eventHubsSettings(section, []),
    keepsEmptyEntries: false,
    async invoke(_name, request) {
      const numbers = String(request.triggerMetadata?.['OffsetArray']?.collectionString?.string ?? 'one');
      const isCheckpointing = JSON.parse(request.triggerMetadata?.['PartitionContext']?.json ?? '{}');
      happened.push(`call ${numbers}${isCheckpointing.IsCheckpointingAfterInvocation ? '' : ' (not stored)'}`);
      await options.handle?.(numbers, request);
      return { outputs: {} };
    },
    async checkpoint({ sequenceNumber }) {
      happened.push(`stored ${sequenceNumber}`);
    },
    failed: (error) => happened.push(`failed ${error}`),
    stop: stopping.signal,
    unkind: undefined,
    log: (level, _source, message) => happened.push(`${level}: ${message}`),
    ...options,
  });
  return { partition, happened, stop: () => stopping.abort() };
}

const events = (first: number, last: number): ReceivedEventData[] =>
  Array.from({ length: last - first + 1 }, (_, index) =>
    receivedEvent({ sequenceNumber: first + index, offset: String(first + index) }),
  );

const fail = () => {
  throw new Error('bad');
};

describe('a partition', () => {
  test('gives batches one after the other, and stores the position after each', async () => {
    const { partition, happened } = partitionWith({ maxEventBatchSize: 2 });
    await Promise.all([partition.process(events(1, 3)), partition.process(events(4, 4))]);
    expect(happened).toEqual(['call 1,2', 'stored 2', 'call 3', 'stored 3', 'call 4', 'stored 4']);
  });

  test('gives single events to a function that takes one', async () => {
    const { partition, happened } = partitionWith({}, { target: eventFunction({ cardinality: 'one' }) });
    await partition.process(events(1, 2));
    expect(happened).toEqual(['call one', 'stored 1', 'call one', 'stored 2']);
  });

  test('stores the position after a failed batch, too', async () => {
    const { partition, happened } = partitionWith({}, { handle: fail });
    await partition.process(events(1, 2));
    expect(happened).toEqual(['call 1,2', 'stored 2']);
  });

  test('keeps the position while a retry policy is at work, and moves on when it has ended', async () => {
    const retry = parseRetry({ retryStrategy: 'fixedDelay', maxRetryCount: 2, delayInterval: { seconds: 0 } });
    const counts: unknown[] = [];
    const { partition, happened } = partitionWith(
      {},
      {
        target: eventFunction({ retry }),
        handle: (_numbers, { retryContext }) => {
          counts.push(retryContext?.retryCount);
          fail();
        },
      },
    );
    await partition.process(events(1, 1));
    expect(happened).toEqual(['call 1', 'call 1', 'call 1', 'stored 1']);
    expect(counts).toEqual([undefined, 1, 2]);
  });

  test('of which a batch does not bind never calls the function, and goes on after it', async () => {
    const { partition, happened } = partitionWith({}, { target: eventFunction({ dataType: undefined }) });
    await partition.process([receivedEvent({ body: Buffer.from('no JSON'), sequenceNumber: 1 })]);
    await partition.process([receivedEvent({ sequenceNumber: 2, offset: '2' })]);
    expect(happened).toEqual([
      expect.stringMatching(/^error: Not executed: .*event 1 of 1/),
      'stored 1',
      'call 2',
      'stored 2',
    ]);
  });

  test('stores the position every so many batches, and tells the function', async () => {
    const { partition, happened } = partitionWith({ batchCheckpointFrequency: 2 });
    for (const number of [1, 2, 3]) await partition.process(events(number, number));
    expect(happened).toEqual(['call 1 (not stored)', 'call 2', 'stored 2', 'call 3 (not stored)']);
  });

  test('stores nothing where that is switched off', async () => {
    const { partition, happened } = partitionWith({ enableCheckpointing: false });
    await partition.process(events(1, 1));
    expect(happened).toEqual(['call 1 (not stored)']);
  });

  test('waits for the least number of events', async () => {
    const { partition, happened } = partitionWith({ minEventBatchSize: 3, maxEventBatchSize: 4 });
    await partition.process(events(1, 2));
    expect(happened).toEqual([]);
    expect(partition.isIdle()).toBe(false);
    await partition.process(events(3, 3));
    expect(happened).toEqual(['call 1,2,3', 'stored 3']);
    expect(partition.isIdle()).toBe(true);
    await partition.close();
  });

  test('gives fewer when the wait is over', async () => {
    const { partition, happened } = partitionWith({ minEventBatchSize: 3, maxWaitTime: '00:00:00.05' });
    await partition.process(events(1, 2));
    await eventually(() => (happened.length === 2 ? true : undefined), 'a batch that is too small');
    expect(happened).toEqual(['call 1,2', 'stored 2']);
  });

  test('lets the batch that runs end when the host stops, without storing its position, and gives no other', async () => {
    let end = () => {};
    const running = new Promise<void>((resolve) => {
      end = resolve;
    });
    const { partition, happened, stop } = partitionWith({ maxEventBatchSize: 1 }, { handle: () => running });
    const processed = partition.process(events(1, 2));
    await eventually(() => happened[0], 'a call');
    stop();
    const closed = partition.close();
    end();
    await Promise.all([processed, closed]);
    await partition.process(events(3, 3));
    expect(happened).toEqual(['call 1']);
  });

  test('rejects when the position cannot be stored, so that the client begins anew where it was', async () => {
    const { partition, happened } = partitionWith({ maxEventBatchSize: 1 }, { checkpoint: async () => fail() });
    await expect(partition.process(events(1, 2))).rejects.toThrow('bad');
    expect(happened).toEqual(['call 1']);
  });

  test('gives each event in unkind mode, some again, and leaves some positions to later batches', async () => {
    const { partition, happened } = partitionWith({ maxEventBatchSize: 10 }, { unkind: createUnkindness(3) });
    for (let first = 1; first <= 281; first += 20) await partition.process(events(first, first + 19));
    const calls = happened.filter((line) => line.startsWith('call'));
    const given = calls.flatMap((line) =>
      line.replace('call ', '').replace(' (not stored)', '').split(',').map(Number),
    );
    expect([...new Set(given)]).toEqual(Array.from({ length: 300 }, (_, index) => index + 1));
    expect(given.length).toBeGreaterThan(300);
    const stored = happened.filter((line) => line.startsWith('stored'));
    expect(stored.length).toBeGreaterThan(calls.length / 3);
    expect(stored.length).toBeLessThan(calls.length);
  });
});
