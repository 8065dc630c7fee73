import type { ReceivedEventData } from '@azure/event-hubs';

/**
 * An event's body as the bytes that were sent.
 *
 * @throws Error for AMQP values and sequences: .NET's EventData has no body for these, and the binding fails.
 */
export function bodyOf({ body, sequenceNumber }: ReceivedEventData): Buffer {
  if (Buffer.isBuffer(body)) return body;
  // A body in several data sections is one body.
  if (Array.isArray(body) && body.every((part) => Buffer.isBuffer(part))) return Buffer.concat(body);
  throw new Error(
    `Exception binding parameter: the body of the event with sequence number ${sequenceNumber} is an AMQP value or ` +
      'sequence, not data.',
  );
}

/** Offsets are numbers in all but name; where one is none, .NET gives the beginning of the stream. */
export function offsetNumber(offset: unknown): number {
  const text = String(offset);
  return /^-?\d+$/.test(text) ? Number(text) : -1;
}

/** A .NET DateTime without a zone, in JSON: no `Z` at its end, and no zeros at the end of its fraction. */
export function dotNetTime(time: Date): string {
  return time.toISOString().replace(/\.?0*Z$/, '');
}

/** Application properties as .NET writes them. */
export function propertiesOf(event: ReceivedEventData): Record<string, unknown> {
  return dotNetValues(event.getRawAmqpMessage().applicationProperties);
}

/**
 * The `SystemProperties` of an event: the message's properties, then all annotations under their own names
 * (`x-opt-sequence-number`, `iothub-connection-device-id`), then four more of the extension (azure-sdk-for-net,
 * Azure.Messaging.EventHubs, AmqpSystemProperties.cs and AmqpAnnotatedMessageExtensions.cs; EventHubTriggerBindingStrategy.cs).
 */
export function systemPropertiesOf(event: ReceivedEventData): Record<string, unknown> {
  const { messageAnnotations } = event.getRawAmqpMessage();
  const annotations = dotNetValues(messageAnnotations);
  return {
    ...messageProperties(event),
    ...annotations,
    ...(messageAnnotations?.['x-opt-enqueued-time'] !== undefined && {
      'x-opt-enqueued-time': dateTimeOffset(event.enqueuedTimeUtc),
    }),
    SequenceNumber: event.sequenceNumber,
    Offset: offsetNumber(event.offset),
    PartitionKey: event.partitionKey ?? null,
    EnqueuedTimeUtc: dotNetTime(event.enqueuedTimeUtc),
  };
}

/** The properties section, under the names of the AMQP specification. */
function messageProperties(event: ReceivedEventData): Record<string, unknown> {
  const { properties = {} } = event.getRawAmqpMessage();
  const text = (value: unknown) => (value === undefined || value === null ? undefined : textOf(value));
  const time = (value: number | undefined) => (value ? dateTimeOffset(new Date(value)) : undefined);
  const found: Readonly<Record<string, unknown>> = {
    'message-id': text(properties.messageId),
    'user-id': userId(event.systemProperties?.['userId']),
    to: properties.to,
    subject: properties.subject,
    'reply-to': properties.replyTo,
    'correlation-id': text(properties.correlationId),
    'content-type': properties.contentType,
    'content-encoding': properties.contentEncoding,
    'absolute-expiry-time': time(properties.absoluteExpiryTime),
    'creation-time': time(properties.creationTime),
    'group-id': properties.groupId,
    'group-sequence': properties.groupSequence,
    'reply-to-group-id': properties.replyToGroupId,
  };
  return Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined && value !== null));
}

/** .NET has bytes here whose members it writes, not the bytes: who reads the user id of an event gets no name. */
function userId(value: unknown): { readonly Length: number; readonly IsEmpty: boolean } | undefined {
  if (value === undefined || value === null) return undefined;
  const length = typeof value === 'string' ? Buffer.byteLength(value) : Object.keys(value).length;
  return { Length: length, IsEmpty: length === 0 };
}

function dateTimeOffset(time: Date): string {
  return `${dotNetTime(time)}+00:00`;
}

function dotNetValues(values: Readonly<Record<string, unknown>> | undefined): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values ?? {}).map(([name, value]) => [name, dotNetValue(value)]));
}

/** AMQP timestamps are UTC times, and bytes are base64. */
function dotNetValue(value: unknown): unknown {
  if (value instanceof Date) return `${dotNetTime(value)}Z`;
  return Buffer.isBuffer(value) ? value.toString('base64') : value;
}

function textOf(value: unknown): string {
  return Buffer.isBuffer(value) ? value.toString('base64') : String(value);
}
