import { describe, expect, test } from 'vitest';
import { parseHostJson } from '../../../local/host/hostJson.ts';
import { settingsFrom } from '../../../local/host/settings.ts';

const read = (eventHubs: unknown, environment: Record<string, string> = {}) =>
  parseHostJson(
    { version: '2.0', extensions: { eventHubs } },
    'host.json',
    settingsFrom(environment).section('AzureFunctionsJobHost'),
  );

describe('extensions.eventHubs of host.json', () => {
  test('has the defaults of the extension', () => {
    expect(read({}).eventHubs).toEqual({
      maxEventBatchSize: 100,
      minEventBatchSize: 1,
      maxWaitTime: 60_000,
      batchCheckpointFrequency: 1,
      enableCheckpointing: true,
      prefetchCount: 300,
      initialOffset: 'fromStart',
      partitionOwnershipExpirationInterval: 120_000,
      loadBalancingUpdateInterval: 30_000,
      customEndpointAddress: undefined,
      retry: { mode: 'exponential', maximumRetries: 3, delay: 800, maximumDelay: 60_000, tryTimeout: 60_000 },
    });
  });

  test('gives what it says, in any case, and what app settings say before it', () => {
    const json = {
      MaxEventBatchSize: 1000,
      minEventBatchSize: 25,
      maxWaitTime: '00:05:00',
      batchCheckpointFrequency: 5,
      enableCheckpointing: false,
      prefetchCount: 0,
      initialOffsetOptions: { type: 'FromEnqueuedTime', enqueuedTimeUtc: '2026-11-20T10:00:00Z' },
      partitionOwnershipExpirationInterval: '00:01:00',
      loadBalancingUpdateInterval: '00:00:10',
      customEndpointAddress: 'sb://gateway.example.com:5671',
      transportType: 'amqpTcp',
      clientRetryOptions: {
        mode: 'fixed',
        maximumRetries: 0,
        delay: '00:00:01',
        maximumDelay: '00:00:02',
        tryTimeout: '00:00:03',
      },
    };
    const environment = { AzureFunctionsJobHost__extensions__eventHubs__maxEventBatchSize: '50' };
    expect(read(json, environment).eventHubs).toEqual({
      maxEventBatchSize: 50,
      minEventBatchSize: 25,
      maxWaitTime: 300_000,
      batchCheckpointFrequency: 5,
      enableCheckpointing: false,
      prefetchCount: 0,
      initialOffset: new Date('2026-11-20T10:00:00Z'),
      partitionOwnershipExpirationInterval: 60_000,
      loadBalancingUpdateInterval: 10_000,
      customEndpointAddress: 'sb://gateway.example.com:5671',
      retry: { mode: 'fixed', maximumRetries: 0, delay: 1_000, maximumDelay: 2_000, tryTimeout: 3_000 },
    });
  });

  test('names what has no effect here', () => {
    const json = {
      prefetchSizeInBytes: 1,
      targetUnprocessedEventThreshold: 2,
      trackLastEnqueuedEventProperties: true,
      transportType: 'amqpTcp',
    };
    expect(read(json).withoutEffect).toEqual(Object.keys(json).map((name) => `extensions.eventHubs.${name}`));
  });

  test.each<[unknown, string]>([
    [{ transportType: 'amqpWebSockets' }, '"extensions.eventHubs.transportType": this host speaks AMQP over TCP only'],
    [{ webProxy: 'http://proxy:8080' }, '"extensions.eventHubs.webProxy": this host speaks AMQP over TCP'],
    [{ maxBatchSize: 10 }, '"extensions.eventHubs.maxBatchSize" is no setting that this host knows'],
    [
      { eventProcessorOptions: { prefetchCount: 1 } },
      '"extensions.eventHubs.eventProcessorOptions.prefetchCount" is no setting',
    ],
    [{ maxEventBatchSize: 0 }, '"extensions.eventHubs.maxEventBatchSize" must be a whole number of at least 1, not 0'],
    [{ minEventBatchSize: 200 }, '"extensions.eventHubs.minEventBatchSize" cannot be larger than "maxEventBatchSize"'],
    [{ maxWaitTime: '00:11:00' }, '"extensions.eventHubs.maxWaitTime" must be a time "hh:mm:ss" of at most 10 minutes'],
    [{ enableCheckpointing: 'yes' }, '"extensions.eventHubs.enableCheckpointing" must be "true" or "false", not "yes"'],
    [
      { initialOffsetOptions: { type: 'latest' } },
      '"extensions.eventHubs.initialOffsetOptions.type" must be "fromStart"',
    ],
    [
      { initialOffsetOptions: { type: 'fromEnqueuedTime' } },
      '"extensions.eventHubs.initialOffsetOptions.enqueuedTimeUtc" must be a time such as',
    ],
    [{ clientRetryOptions: { delay: 5 } }, '"extensions.eventHubs.clientRetryOptions.delay" must be a time'],
    [{ customEndpointAddress: 'nowhere' }, '"extensions.eventHubs.customEndpointAddress" must be an address'],
  ])('refuses %j', (json, problem) => {
    expect(() => read(json)).toThrow(problem);
  });
});
