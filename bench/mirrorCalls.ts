/** Events of a hub as a Functions host hands them to an app, for the benchmark of the mirror. */

import type { Happening, Sections } from './mirrorHistory.ts';

/** What a function with cardinality many and binary data is called with. */
export interface Call {
  readonly messages: readonly Buffer[];
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** Batches by partition: those of one partition come one after the other. */
export type Calls = readonly (readonly Call[])[];

/**
 * `present`: as the documentation of hubs has events since 2021. `older`: modules tell of themselves, bodies show the whole of
 * a twin as a query does, indented, and the host gives long numbers in two halves.
 */
export type Form = 'present' | 'older';

/** `maxEventBatchSize` of host.json. */
const LARGEST = 1000;

export function callsOf(happenings: readonly Happening[], form: Form, count: number): Calls {
  const partitions: Happening[][] = Array.from({ length: count }, () => []);
  for (const happening of happenings) partitions[partitionOf(happening.deviceId, count)]?.push(happening);
  return partitions.map((events, partition) =>
    Array.from({ length: Math.ceil(events.length / LARGEST) }, (_, at) =>
      callOf(form, partition, events.slice(at * LARGEST, (at + 1) * LARGEST), at * LARGEST),
    ),
  );
}

function partitionOf(deviceId: string, count: number): number {
  let sum = 7;
  for (const character of deviceId) sum = (sum * 31 + character.charCodeAt(0)) % 9973;
  return sum % count;
}

function callOf(form: Form, partition: number, events: readonly Happening[], first: number): Call {
  const sequences = events.map((_, at) => first + at);
  const enqueued = events.map(({ at }) => new Date(at + 40).toISOString().slice(0, -1));
  const isOlder = form === 'older';
  return {
    messages: events.map((event) => Buffer.from(isOlder ? JSON.stringify(olderBody(event), null, 2) : body(event))),
    metadata: {
      partitionContext: {
        isCheckpointingAfterInvocation: true,
        fullyQualifiedNamespace: 'bench.servicebus.windows.net',
        eventHubName: 'hub-events',
        consumerGroup: 'mirror',
        partitionId: String(partition),
      },
      partitionKeyArray: events.map(({ deviceId }) => deviceId),
      offsetArray: sequences.map((sequence) => sequence * 704),
      sequenceNumberArray: isOlder ? sequences.map((low) => ({ low, high: 0, unsigned: false })) : sequences,
      enqueuedTimeUtcArray: enqueued,
      propertiesArray: events.map((event) => propertiesOf(event, isOlder)),
      systemPropertiesArray: events.map((event, at) => ({
        ...annotationsOf(event, isOlder),
        'x-opt-sequence-number': first + at,
        ...(isOlder ? {} : { 'x-opt-offset': String((first + at) * 704) }),
        'x-opt-enqueued-time': `${enqueued[at]}+00:00`,
        sequenceNumber: first + at,
        offset: (first + at) * 704,
        partitionKey: null,
        enqueuedTimeUtc: enqueued[at],
      })),
    },
  };
}

const OPERATIONS = { create: 'createDeviceIdentity', delete: 'deleteDeviceIdentity' };
const OLDER_OPERATIONS = { create: 'createModuleIdentity', delete: 'deleteModuleIdentity' };
const TWIN_OPERATIONS = { update: 'updateTwin', replace: 'replaceTwin' };

function propertiesOf({ kind, at, deviceId, moduleId }: Happening, isOlder: boolean): Record<string, unknown> {
  const isOfTwin = kind === 'update' || kind === 'replace';
  const lifecycle = isOlder && moduleId !== undefined ? OLDER_OPERATIONS : OPERATIONS;
  const subject = isOfTwin ? 'twinChange' : isOlder && moduleId !== undefined ? 'moduleLifecycle' : 'deviceLifecycle';
  return {
    hubName: 'bench-hub',
    deviceId,
    ...(moduleId === undefined ? {} : { moduleId }),
    operationTimestamp: new Date(at).toISOString().replace('Z', isOlder ? '+00:00' : '4567Z'),
    opType: isOfTwin ? TWIN_OPERATIONS[kind] : lifecycle[kind],
    'iothub-message-schema': `${subject}Notification`,
  };
}

function annotationsOf({ kind, at, deviceId, moduleId }: Happening, isOlder: boolean): Record<string, unknown> {
  const isOfTwin = kind === 'update' || kind === 'replace';
  const source = isOlder && moduleId !== undefined ? 'moduleLifecycleEvents' : 'deviceLifecycleEvents';
  return {
    'content-type': 'application/json',
    'content-encoding': 'utf-8',
    'correlation-id': at.toString(16),
    'user-id': { length: 9, isEmpty: false },
    'iothub-connection-device-id': deviceId,
    ...(moduleId === undefined ? {} : { 'iothub-connection-module-id': moduleId }),
    'iothub-enqueuedtime': `${new Date(at + 20).toISOString().slice(0, -1)}Z`,
    'iothub-message-source': isOfTwin ? 'twinChangeEvents' : source,
  };
}

function body(event: Happening): string {
  const { kind, deviceId, moduleId, version, twin } = event;
  const { tags, desired, reported } = withMetadata(event);
  if (kind === 'update') {
    const properties = { ...(twin.desired && { desired }), ...(twin.reported && { reported }) };
    return JSON.stringify({ version, ...(twin.tags && { tags }), ...(twin.tags ? {} : { properties }) });
  }
  const id = { deviceId, ...(moduleId === undefined ? {} : { moduleId }) };
  return JSON.stringify({ ...id, etag: 'AAAAAAAAAAE=', version, tags, properties: { desired, reported } });
}

/** As queries and identities show twins. */
function olderBody(event: Happening): object {
  const { kind, deviceId, moduleId, version, twin } = event;
  const { tags, desired, reported } = withMetadata(event);
  if (kind === 'update') {
    const properties = { ...(twin.desired && { desired }), ...(twin.reported && { reported }) };
    return { properties, ...(twin.tags && { tags }), version };
  }
  return {
    capabilities: { iotEdge: false },
    properties: { desired, reported },
    tags,
    version,
    ...(moduleId === undefined ? {} : { moduleId }),
    deviceId,
    etag: 'AAAAAAAAAAI=',
    deviceEtag: 'NjQ1Mjc4MTQ3',
    status: 'enabled',
    statusUpdateTime: '0001-01-01T00:00:00Z',
    connectionState: 'Disconnected',
    lastActivityTime: '0001-01-01T00:00:00Z',
    cloudToDeviceMessageCount: 0,
    authenticationType: 'sas',
    x509Thumbprint: { primaryThumbprint: null, secondaryThumbprint: null },
  };
}

function withMetadata({ at, version, twin }: Happening): Required<Sections> {
  const $lastUpdated = new Date(at).toISOString().replace('Z', '4567Z');
  const stamped = (section: Sections['desired'] = {}) => {
    const names = Object.keys(section).map((name) => [name, { $lastUpdated, $lastUpdatedVersion: version }] as const);
    return { ...section, $metadata: { $lastUpdated, ...Object.fromEntries(names) }, $version: version };
  };
  return { tags: twin.tags ?? {}, desired: stamped(twin.desired), reported: stamped(twin.reported) };
}
