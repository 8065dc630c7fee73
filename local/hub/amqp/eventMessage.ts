import rhea, { type Message } from 'rhea';
import { bodyOf } from '../events/eventBodies.ts';
import { EVENT_MARKS, type EventKind } from '../events/eventKinds.ts';
import type { PartitionState } from '../events/eventLog.ts';
import type { ForeignEvent } from '../events/foreignEvent.ts';
import type { LoggedEvent } from '../events/partitionTable.ts';
import { dotnetTime } from '../times.ts';
import { long, timestamp } from './rheaParts.ts';

/** An event as the endpoint sends it. */
export function eventMessage(hubName: string, partition: number, event: LoggedEvent): Message {
  const { kind } = event;
  return kind === 'foreign' ? foreignMessage(event) : hubMessage(hubName, partition, { ...event, kind });
}

/** azure-docs iot-hub-non-telemetry-event-schema.md */
function hubMessage(hubName: string, partition: number, event: LoggedEvent & { readonly kind: EventKind }): Message {
  const { source, schema, opType } = EVENT_MARKS[event.kind];
  const moduleId = event.moduleId === '' ? undefined : event.moduleId;
  return {
    content_type: 'application/json',
    content_encoding: 'utf-8',
    correlation_id: correlationId(partition, event),
    // Bytes, whatever the type says.
    user_id: Buffer.from(hubName) as unknown as string,
    application_properties: {
      hubName,
      deviceId: event.deviceId,
      ...(moduleId !== undefined && { moduleId }),
      operationTimestamp: dotnetTime(event.enqueuedMs),
      opType,
      'iothub-message-schema': schema,
    },
    message_annotations: {
      'iothub-connection-device-id': event.deviceId,
      ...(moduleId !== undefined && { 'iothub-connection-module-id': moduleId }),
      'iothub-enqueuedtime': timestamp(event.enqueuedMs),
      'iothub-message-source': source,
      ...placeOf(event),
      // Not known of live hubs; the partition is chosen by the device id in any case.
      'x-opt-partition-key': event.deviceId,
    },
    body: rhea.message.data_section(Buffer.from(bodyOf(event))),
  };
}

function foreignMessage(event: LoggedEvent): Message {
  const { properties = {}, annotations = {}, body = '', section } = JSON.parse(event.payload) as ForeignEvent;
  return {
    application_properties: { ...properties },
    message_annotations: { ...annotations, ...placeOf(event) },
    body: section === 'value' ? body : rhea.message.data_section(Buffer.from(body)),
  };
}

function placeOf({ sequence, offset, enqueuedMs }: LoggedEvent): Record<string, unknown> {
  return {
    'x-opt-sequence-number': long(sequence),
    'x-opt-offset': String(offset),
    'x-opt-enqueued-time': timestamp(enqueuedMs),
  };
}

/** Short hex, the same at each delivery of an event. */
function correlationId(partition: number, { enqueuedMs, sequence }: LoggedEvent): string {
  return `${enqueuedMs.toString(16)}${partition.toString(16)}${sequence.toString(16)}`;
}

/** How far a partition has come: goes along with each event to who asks for it. */
export function runtimeMetrics(partition: PartitionState, nowMs: number): Record<string, unknown> {
  return {
    last_enqueued_sequence_number: long(partition.last),
    last_enqueued_offset: String(partition.lastOffset),
    last_enqueued_time_utc: timestamp(partition.lastEnqueuedMs ?? UNSET_MS),
    runtime_info_retrieval_time_utc: timestamp(nowMs),
  };
}

/** 0001-01-01, .NET's time that never was: that of the last event of a partition without any. */
export const UNSET_MS = -62_135_596_800_000;
