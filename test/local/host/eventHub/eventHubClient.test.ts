import { BlobServiceClient } from '@azure/storage-blob';
import { expect, test } from 'vitest';
import { openCheckpoints } from '../../../../local/host/eventHub/checkpoints.ts';
import { createEventHubClient, subscribeOptions } from '../../../../local/host/eventHub/eventHubClient.ts';
import { eventHubsSettings } from '../../../../local/host/hostJsonEventHubs.ts';
import { eventFunction } from './receivedEvent.ts';

const settings = (section: Record<string, unknown> = {}) => eventHubsSettings(section, []);

const { store } = openCheckpoints(
  {
    name: 'AzureWebJobsStorage',
    blobs: () => BlobServiceClient.fromConnectionString('UseDevelopmentStorage=true'),
    queues: () => {
      throw new Error('not used');
    },
  },
  'me',
);

test.each<[unknown, unknown]>([
  [undefined, { offset: '-1' }],
  [{ type: 'fromEnd' }, { offset: '@latest' }],
  [
    { type: 'fromEnqueuedTime', enqueuedTimeUtc: '2026-11-20T10:00:00Z' },
    { enqueuedOn: new Date('2026-11-20T10:00:00Z') },
  ],
])('without a stored position, initialOffsetOptions %j begin at %j', (initialOffsetOptions, startPosition) => {
  expect(subscribeOptions(settings({ initialOffsetOptions }), 'many')).toMatchObject({ startPosition });
});

test('batches are as large as host.json says, for functions that take batches', () => {
  const section = { maxEventBatchSize: 7, prefetchCount: 21 };
  expect(subscribeOptions(settings(section), 'many')).toMatchObject({ maxBatchSize: 7, prefetchCount: 21 });
  expect(subscribeOptions(settings(section), 'one')).toMatchObject({ maxBatchSize: 1 });
});

test('the client reads the event hub and group of the function under the given name', () => {
  const client = createEventHubClient(eventFunction(), settings(), store, 'me');
  expect(client).toMatchObject({ eventHubName: 'events', fullyQualifiedNamespace: '127.0.0.1', identifier: 'me' });
});

test('a connection string that the client refuses is not shown', () => {
  const connection = {
    kind: 'connectionString' as const,
    settingName: 'Events',
    eventHubName: 'another',
    connectionString: 'Endpoint=sb://ns/;SharedAccessKeyName=a;SharedAccessKey=c2VjcmV0;EntityPath=events',
  };
  expect(() => createEventHubClient(eventFunction({ connection }), settings(), store, 'me')).toThrow(
    /^App setting "Events" is not a valid Event Hubs connection string\.$/,
  );
});
