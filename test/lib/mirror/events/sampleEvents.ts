import type { RawEvent } from '../../../../src/lib/mirror/events/rawBatch.ts';
import type { MirrorEvent } from '../../../../src/lib/mirror/rows/mirrorEvent.ts';

const SET_META = { $lastUpdated: '2026-11-20T10:11:12.1234567Z', $lastUpdatedVersion: 2 };

/** An event as the endpoint of a hub has it (azure-docs iot-hub-non-telemetry-event-schema.md). */
export function rawEvent(
  opType: string,
  body: unknown,
  {
    source = 'deviceLifecycleEvents',
    deviceId = 'd1',
    moduleId,
    sequence = 59,
    ...more
  }: {
    readonly source?: string;
    readonly deviceId?: string;
    readonly moduleId?: string;
    readonly sequence?: number;
    readonly properties?: Readonly<Record<string, unknown>>;
    readonly annotations?: Readonly<Record<string, unknown>>;
  } = {},
): RawEvent {
  return {
    place: {
      source: 'MIRROR_EVENTS',
      partition: '3',
      sequence,
      offset: '616008',
      enqueuedAt: '2026-11-20T10:11:12.250Z',
    },
    ...(body === undefined ? {} : { body: bytesOf(body) }),
    properties: {
      hubName: 'my-hub',
      deviceId,
      ...(moduleId !== undefined && { moduleId }),
      operationTimestamp: '2026-11-20T10:11:12.1234567Z',
      opType,
      'iothub-message-schema': 'deviceLifecycleNotification',
      ...more.properties,
    },
    annotations: {
      'iothub-connection-device-id': deviceId,
      ...(moduleId !== undefined && { 'iothub-connection-module-id': moduleId }),
      'iothub-enqueuedtime': '2026-11-20T10:11:12.25Z',
      'iothub-message-source': source,
      'content-type': 'application/json',
      sequenceNumber: sequence,
      ...more.annotations,
    },
  };
}

function bytesOf(body: unknown): Uint8Array {
  if (body instanceof Uint8Array) return body;
  return Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
}

/** The twin of the documentation's sample, whole. */
export function wholeTwin(more: object = {}): Record<string, unknown> {
  return {
    deviceId: 'd1',
    etag: 'AAAAAAAAAAE=',
    version: 2,
    properties: {
      desired: { $metadata: { $lastUpdated: '0001-01-01T00:00:00Z' }, $version: 1 },
      reported: { $metadata: { $lastUpdated: '0001-01-01T00:00:00Z' }, $version: 1 },
    },
    ...more,
  };
}

/** An event as a hub would tell it, from what it means. */
export function encodeEvent(event: MirrorEvent): RawEvent {
  const { deviceId, moduleId, at, place } = event;
  const ids = { deviceId, ...(moduleId === undefined ? {} : { moduleId }) };
  const isTwinChange = event.kind === 'updated' || event.kind === 'replaced';
  const op = {
    created: 'createDeviceIdentity',
    deleted: 'deleteDeviceIdentity',
    updated: 'updateTwin',
    replaced: 'replaceTwin',
  };
  const raw = rawEvent(event.kind === 'doubted' ? '' : op[event.kind], bodyOf(event, ids), {
    ...ids,
    source: isTwinChange ? 'twinChangeEvents' : 'deviceLifecycleEvents',
    properties: { operationTimestamp: at },
  });
  return { ...raw, place };
}

function bodyOf(event: MirrorEvent, ids: object): unknown {
  if (event.kind === 'deleted' || event.kind === 'doubted') return wholeTwin(ids);
  if (event.kind === 'updated') {
    const { desired, reported } = event.patch;
    return {
      version: event.version,
      ...(event.patch.tags && { tags: event.patch.tags }),
      properties: {
        ...(desired && { desired: { ...desired, $metadata: SET_META, $version: 2 } }),
        ...(reported && { reported }),
      },
    };
  }
  const { version, tags, desired, reported } = event.twin;
  return wholeTwin({
    ...ids,
    version,
    tags,
    properties: {
      desired: { ...desired, $metadata: SET_META, $version: 2 },
      reported: { ...reported, $metadata: SET_META, $version: 2 },
    },
  });
}
