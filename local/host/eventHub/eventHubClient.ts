import {
  type CheckpointStore,
  EventHubConsumerClient,
  type EventHubConsumerClientOptions,
  type EventPosition,
  earliestEventPosition,
  latestEventPosition,
  RetryMode,
  type SubscribeOptions,
} from '@azure/event-hubs';
import type { EventHubsSettings } from '../hostJsonEventHubs.ts';
import type { EventHubFunction } from './eventHubTrigger.ts';

/**
 * The official consumer of a function's event hub. It connects when it is used.
 *
 * @param ownerId under which it owns partitions
 * @throws Error without the connection string, which the client's own errors quote.
 */
export function createEventHubClient(
  { connection, consumerGroup }: EventHubFunction,
  settings: EventHubsSettings,
  store: CheckpointStore,
  ownerId: string,
): EventHubConsumerClient {
  const options = clientOptions(settings, ownerId);
  const { eventHubName } = connection;
  if (connection.kind === 'identity') {
    const { fullyQualifiedNamespace, credential } = connection;
    return new EventHubConsumerClient(consumerGroup, fullyQualifiedNamespace, eventHubName, credential, store, options);
  }
  try {
    return new EventHubConsumerClient(consumerGroup, connection.connectionString, eventHubName, store, options);
  } catch {
    throw new Error(`App setting "${connection.settingName}" is not a valid Event Hubs connection string.`);
  }
}

function clientOptions(settings: EventHubsSettings, ownerId: string): EventHubConsumerClientOptions {
  const { retry, customEndpointAddress } = settings;
  return {
    identifier: ownerId,
    ...(customEndpointAddress !== undefined && { customEndpointAddress }),
    loadBalancingOptions: {
      // As the extension has it: all partitions that are its share at once.
      strategy: 'greedy',
      updateIntervalInMs: settings.loadBalancingUpdateInterval,
      partitionOwnershipExpirationIntervalInMs: settings.partitionOwnershipExpirationInterval,
    },
    retryOptions: {
      mode: retry.mode === 'fixed' ? RetryMode.Fixed : RetryMode.Exponential,
      maxRetries: retry.maximumRetries,
      retryDelayInMs: retry.delay,
      maxRetryDelayInMs: retry.maximumDelay,
      timeoutInMs: retry.tryTimeout,
    },
  };
}

/**
 * Longest time of one look for events, in milliseconds. A look that began before the connection broke lasts to its end,
 * unknowing: only the next one connects anew.
 */
const longestLook = 2_000;

export function subscribeOptions(settings: EventHubsSettings, cardinality: 'one' | 'many'): SubscribeOptions {
  return {
    maxBatchSize: cardinality === 'one' ? 1 : settings.maxEventBatchSize,
    maxWaitTimeInSeconds: Math.min(longestLook, settings.loadBalancingUpdateInterval) / 1000,
    prefetchCount: settings.prefetchCount,
    startPosition: startPosition(settings.initialOffset),
    // Bodies go to the function as they are.
    skipParsingBodyAsJson: true,
  };
}

function startPosition(initialOffset: EventHubsSettings['initialOffset']): EventPosition {
  if (initialOffset === 'fromStart') return earliestEventPosition;
  return initialOffset === 'fromEnd' ? latestEventPosition : { enqueuedOn: initialOffset };
}
