/**
 * A batch of events as the Functions host hands it over, with its types put right: the host's library parses texts that look
 * like JSON, lists that hold nothing in some places come shorter, and names begin in lower case.
 */

import { isObject } from '../../devicesFile/keyNames.ts';
import type { EventPlace } from '../rows/mirrorEvent.ts';
import type { Fields } from '../rows/row.ts';

export interface RawEvent {
  readonly place: EventPlace;
  /** Absent: it was lost on its way. */
  readonly body?: Uint8Array;
  /** Application properties. */
  readonly properties: Fields;
  /** Annotations, and properties of the message itself. */
  readonly annotations: Fields;
}

/** Events of one partition, in their order. */
export interface RawBatch {
  /** Name of the source's connection setting. */
  readonly source: string;
  readonly partition: string;
  /** Host name. */
  readonly namespace: string;
  readonly eventHub: string;
  readonly events: readonly RawEvent[];
}

/**
 * @param messages bodies, as bytes
 * @param nowIso taken for the time of an event that tells none
 * @param metadata of the trigger
 */
export function rawBatch(source: string, messages: unknown, nowIso: string, metadata: Fields = {}): RawBatch {
  const bodies = listOf(messages);
  const annotations = listOf(metadata['systemPropertiesArray']);
  const properties = listOf(metadata['propertiesArray']);
  const sequences = listOf(metadata['sequenceNumberArray']);
  const times = listOf(metadata['enqueuedTimeUtcArray']);
  const context = fieldsOf(metadata['partitionContext']);
  const count = Math.max(bodies.length, annotations.length, properties.length, sequences.length);
  const partition = String(context['partitionId'] ?? '');
  const events = Array.from({ length: count }, (_, at): RawEvent => {
    const own = fieldsOf(annotations[at]);
    return {
      place: {
        source,
        partition,
        sequence: wholeNumber(own['sequenceNumber']) ?? wholeNumber(sequences[at]) ?? -1,
        // Given a second time as a number, which may not hold it.
        offset: String(own['x-opt-offset'] ?? own['offset'] ?? ''),
        enqueuedAt:
          isoTime(times[at]) ?? isoTime(own['enqueuedTimeUtc']) ?? isoTime(own['x-opt-enqueued-time']) ?? nowIso,
      },
      // Hosts drop bodies that are empty, unless they are told not to; then nobody knows whose the others are.
      ...(bodies.length === count ? bodyOf(bodies[at]) : {}),
      properties: fieldsOf(properties[at]),
      annotations: own,
    };
  });
  return {
    source,
    partition,
    namespace: String(context['fullyQualifiedNamespace'] ?? '').toLowerCase(),
    eventHub: String(context['eventHubName'] ?? ''),
    events,
  };
}

function bodyOf(message: unknown): { readonly body?: Uint8Array } {
  if (message instanceof Uint8Array) return { body: message };
  if (message === undefined || message === null) return {};
  // A host that knows no `dataType` gives texts, or what it made of them.
  return { body: Buffer.from(typeof message === 'string' ? message : JSON.stringify(message)) };
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function fieldsOf(value: unknown): Fields {
  return isObject(value) ? value : {};
}

/** A worker of one version gives long numbers in two halves (azure-functions-nodejs-worker issue 844). */
function wholeNumber(value: unknown): number | undefined {
  if (isObject(value)) {
    const { low, high } = value;
    return typeof low === 'number' && typeof high === 'number' ? high * 2 ** 32 + (low >>> 0) : undefined;
  }
  const number =
    typeof value === 'number' || typeof value === 'string' || typeof value === 'bigint' ? Number(value) : NaN;
  return Number.isSafeInteger(number) && value !== '' ? number : undefined;
}

/** A time of the service: a text without a zone is UTC. */
function isoTime(value: unknown): string | undefined {
  const text = typeof value === 'string' && !/(?:Z|[+-]\d\d:?\d\d)$/i.test(value) ? `${value}Z` : value;
  if (typeof text !== 'string' && typeof text !== 'number' && !(text instanceof Date)) return undefined;
  const time = new Date(text);
  return Number.isNaN(time.getTime()) ? undefined : time.toISOString();
}
