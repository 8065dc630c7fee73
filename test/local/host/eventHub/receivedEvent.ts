import type { ReceivedEventData } from '@azure/event-hubs';
import type { EventHubFunction } from '../../../../local/host/eventHub/eventHubTrigger.ts';

export interface EventParts {
  readonly body?: unknown;
  readonly sequenceNumber?: number;
  readonly offset?: string;
  readonly enqueued?: string;
  readonly partitionKey?: string;
  readonly properties?: Record<string, unknown>;
  readonly annotations?: Record<string, unknown>;
  /** The properties section of the message, as the client names its members. */
  readonly message?: Record<string, unknown>;
  readonly userId?: string;
}

/** An event as the official consumer gives it. */
export function receivedEvent(parts: EventParts = {}): ReceivedEventData {
  const { body = Buffer.from('{}'), sequenceNumber = 0, offset = '0', enqueued = '2026-11-20T10:11:12.250Z' } = parts;
  const enqueuedTimeUtc = new Date(enqueued);
  const annotations = {
    ...parts.annotations,
    'x-opt-sequence-number': sequenceNumber,
    'x-opt-offset': offset,
    'x-opt-enqueued-time': enqueuedTimeUtc,
    ...(parts.partitionKey !== undefined && { 'x-opt-partition-key': parts.partitionKey }),
  };
  const raw = {
    body,
    messageAnnotations: annotations,
    properties: parts.message ?? {},
    ...(parts.properties && { applicationProperties: parts.properties }),
  };
  return {
    body,
    offset,
    sequenceNumber,
    enqueuedTimeUtc,
    partitionKey: parts.partitionKey ?? null,
    // The client copies what it gets, buffers too.
    ...(parts.userId !== undefined && { systemProperties: { userId: { ...Buffer.from(parts.userId) } } }),
    getRawAmqpMessage: () => raw as ReturnType<ReceivedEventData['getRawAmqpMessage']>,
  };
}

/** An Event Hub function without an app. */
export function eventFunction(options: Partial<EventHubFunction> = {}): EventHubFunction {
  return {
    name: 'mirror',
    bindingName: 'messages',
    connection: {
      kind: 'connectionString',
      settingName: 'Events',
      eventHubName: 'events',
      connectionString: 'Endpoint=sb://127.0.0.1/;SharedAccessKeyName=service;SharedAccessKey=c2VjcmV0',
    },
    consumerGroup: 'mirror',
    cardinality: 'many',
    dataType: 'binary',
    retry: undefined,
    ...options,
  };
}
