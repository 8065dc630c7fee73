import rhea, { type Message } from 'rhea';
import { bodyOf } from '../events/eventBodies.ts';
import { EVENT_MARKS } from '../events/eventKinds.ts';
import type { PartitionState } from '../events/eventLog.ts';
import type { LoggedEvent } from '../events/partitionTable.ts';
import { dotnetTime } from '../times.ts';
import { long, timestamp } from './rheaParts.ts';

/** An event as the endpoint sends it (azure-docs iot-hub-non-telemetry-event-schema.md). */
export function eventMessage(hubName: string, partition: number, event: LoggedEvent): Message {
  const { source, schema, opType } = EVENT_MARKS[event.kind];
  const enqueuedTime = timestamp(event.enqueuedMs);
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
      'iothub-enqueuedtime': enqueuedTime,
      'iothub-message-source': source,
      'x-opt-sequence-number': long(event.sequence),
      'x-opt-offset': String(event.offset),
      'x-opt-enqueued-time': enqueuedTime,
      // Not known of live hubs; the partition is chosen by the device id in any case.
      'x-opt-partition-key': event.deviceId,
    },
    body: rhea.message.data_section(Buffer.from(bodyOf(event))),
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
