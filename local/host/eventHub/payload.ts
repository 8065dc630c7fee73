import type { ReceivedEventData } from '@azure/event-hubs';
import type { InvocationRequest, TypedData } from '../contracts.ts';
import type { EventHubFunction } from './eventHubTrigger.ts';
import { bodyOf, dotNetTime, offsetNumber, propertiesOf, systemPropertiesOf } from './eventProperties.ts';

/** Where events are from. */
export interface PartitionPlace {
  /** Host name, without the port. */
  readonly fullyQualifiedNamespace: string;
  readonly eventHubName: string;
  readonly consumerGroup: string;
  readonly partitionId: string;
}

export interface EventBatch {
  readonly target: EventHubFunction;
  readonly place: PartitionPlace;
  /** At least one; exactly one where the function takes one. */
  readonly events: readonly ReceivedEventData[];
  readonly isCheckpointingAfterInvocation: boolean;
  /** Whether the app asked for the capability IncludeEmptyEntriesInMessagePayload. */
  readonly keepsEmptyEntries: boolean;
  /**
   * Gives sequence numbers of a batch as `{low, high, unsigned}`: what Node.js worker 3.16.0 did (Functions host 4.1053,
   * azure-functions-nodejs-worker issue 844).
   */
  readonly longSequenceNumbers: boolean;
}

/**
 * What an Event Hub function gets, under the names and in the types that .NET gives (azure-sdk-for-net,
 * WebJobs.Extensions.EventHubs, EventHubTriggerBindingStrategy.cs; azure-functions-host, GrpcMessageConversionExtensions.cs
 * and GeneralScriptBindingProvider.cs). The library changes the case of first letters and parses texts that are JSON;
 * neither is done here. What only newer extensions give (`OffsetString`, `TriggerPartitionContext`) is left out, so that no
 * app counts on it.
 *
 * @throws Error where the host's binding would fail: the handler sees nothing of such a batch.
 */
export function eventHubInvocationRequest(batch: EventBatch): InvocationRequest {
  const { target, place, events } = batch;
  const metadata = target.cardinality === 'many' ? manyMetadata(batch) : oneMetadata(events[0] as ReceivedEventData);
  return {
    inputs: { [target.bindingName]: target.cardinality === 'many' ? manyInput(batch) : oneInput(batch) },
    triggerMetadata: {
      PartitionContext: json({
        IsCheckpointingAfterInvocation: batch.isCheckpointingAfterInvocation,
        FullyQualifiedNamespace: place.fullyQualifiedNamespace,
        EventHubName: place.eventHubName,
        ConsumerGroup: place.consumerGroup,
        PartitionId: place.partitionId,
      }),
      ...metadata,
    },
  };
}

function json(value: unknown): TypedData {
  return { json: JSON.stringify(value) };
}

/** One event is a text where nothing is said, be it JSON or not. */
function oneInput({ target, events }: EventBatch): TypedData {
  const body = bodyOf(events[0] as ReceivedEventData);
  return target.dataType === 'binary' ? { bytes: body } : { string: body.toString('utf8') };
}

/** A batch is an array of objects where nothing is said: each body must be JSON, or none of them arrives. */
function manyInput(batch: EventBatch): TypedData {
  const bodies = batch.events.map(bodyOf);
  if (batch.target.dataType === 'binary') return { collectionBytes: { bytes: bodies } };
  const texts = bodies.map((body) => body.toString('utf8'));
  if (batch.target.dataType === 'string') return strings(texts, batch);
  // .NET also rewrites texts that look like dates ("…12.1200000Z" becomes "…12.12Z"). That is not done here.
  return json(texts.map((text, index) => parsedBody(text, index, batch)));
}

function parsedBody(text: string, index: number, { events, place }: EventBatch): unknown {
  if (text.trim() === '') return null;
  try {
    return JSON.parse(text);
  } catch {
    // The parser's message quotes the body.
    throw new Error(
      `Exception binding parameter: event ${index + 1} of ${events.length} (partition ${place.partitionId}, sequence ` +
        `number ${events[index]?.sequenceNumber}) is not JSON, so the handler gets none of the batch. ` +
        `Set dataType: 'binary' and parse each body in the handler.`,
    );
  }
}

/** An array of texts on its way to the worker loses its empty ones, unless the app asked for them. */
function strings(values: readonly (string | undefined)[], { keepsEmptyEntries }: EventBatch): TypedData {
  const texts = values.map((value) => value ?? '');
  return { collectionString: { string: keepsEmptyEntries ? texts : texts.filter((text) => text !== '') } };
}

function manyMetadata(batch: EventBatch): Record<string, TypedData> {
  const { events } = batch;
  const sequenceNumbers = events.map(({ sequenceNumber }) => sequenceNumber);
  return {
    PartitionKeyArray: strings(
      events.map(({ partitionKey }) => partitionKey ?? undefined),
      batch,
    ),
    OffsetArray: strings(
      events.map(({ offset }) => String(offsetNumber(offset))),
      batch,
    ),
    SequenceNumberArray: {
      collectionSint64: {
        sint64: batch.longSequenceNumbers ? sequenceNumbers.map(longParts) : sequenceNumbers,
      },
    },
    EnqueuedTimeUtcArray: json(events.map(({ enqueuedTimeUtc }) => dotNetTime(enqueuedTimeUtc))),
    PropertiesArray: json(events.map(propertiesOf)),
    SystemPropertiesArray: json(events.map(systemPropertiesOf)),
  };
}

function oneMetadata(event: ReceivedEventData): Record<string, TypedData> {
  const { partitionKey, sequenceNumber, enqueuedTimeUtc } = event;
  return {
    ...(partitionKey !== undefined && partitionKey !== null && { PartitionKey: { string: partitionKey } }),
    Offset: { string: String(offsetNumber(event.offset)) },
    SequenceNumber: json(sequenceNumber),
    EnqueuedTimeUtc: json(dotNetTime(enqueuedTimeUtc)),
    Properties: json(propertiesOf(event)),
    SystemProperties: json(systemPropertiesOf(event)),
  };
}

function longParts(value: number): { readonly low: number; readonly high: number; readonly unsigned: boolean } {
  return { low: value | 0, high: Math.floor(value / 2 ** 32), unsigned: false };
}
