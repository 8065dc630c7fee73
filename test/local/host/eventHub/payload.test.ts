import { describe, expect, test } from 'vitest';
import type { TypedData } from '../../../../local/host/contracts.ts';
import { type EventBatch, eventHubInvocationRequest } from '../../../../local/host/eventHub/payload.ts';
import { type EventParts, eventFunction, receivedEvent } from './receivedEvent.ts';

const place = {
  fullyQualifiedNamespace: 'ns.servicebus.windows.net',
  eventHubName: 'events',
  consumerGroup: 'mirror',
  partitionId: '3',
};

function requestOf(
  events: readonly EventParts[],
  options: Partial<EventBatch['target']>,
  more: Partial<EventBatch> = {},
) {
  return eventHubInvocationRequest({
    target: eventFunction(options),
    place,
    events: events.map(receivedEvent),
    isCheckpointingAfterInvocation: true,
    keepsEmptyEntries: false,
    longSequenceNumbers: false,
    ...more,
  });
}

const bodies = (...texts: string[]) => texts.map((text, at) => ({ body: Buffer.from(text), sequenceNumber: 7 + at }));

/** Values of metadata, those in JSON parsed. */
function metadataOf(events: readonly EventParts[], options: Partial<EventBatch['target']>, more?: Partial<EventBatch>) {
  const { triggerMetadata = {} } = requestOf(events, options, more);
  const value = ({ json, ...data }: TypedData) => (json === undefined ? Object.values(data)[0] : JSON.parse(json));
  return Object.fromEntries(Object.entries(triggerMetadata).map(([name, data]) => [name, value(data)]));
}

describe('bodies', () => {
  test.each<[string, Partial<EventBatch['target']>, readonly string[], TypedData]>([
    [
      'a batch of bytes, empty ones too',
      { dataType: 'binary' },
      ['{"a":1}', '', 'no JSON'],
      { collectionBytes: { bytes: [Buffer.from('{"a":1}'), Buffer.from(''), Buffer.from('no JSON')] } },
    ],
    [
      'a batch of texts without its empty ones',
      { dataType: 'string' },
      ['{"a":1}', '', 'no JSON'],
      { collectionString: { string: ['{"a":1}', 'no JSON'] } },
    ],
    ['a batch of objects, by default', { dataType: undefined }, ['{"a":1}', '', '[2]'], { json: '[{"a":1},null,[2]]' }],
    ['one in bytes', { cardinality: 'one', dataType: 'binary' }, ['x'], { bytes: Buffer.from('x') }],
    ['one as a text, by default', { cardinality: 'one', dataType: undefined }, ['no JSON'], { string: 'no JSON' }],
  ])('go as %s', (_name, options, texts, expected) => {
    expect(requestOf(bodies(...texts), options).inputs).toEqual({ messages: expected });
  });

  test('that are empty texts stay where the app asked for them', () => {
    const { inputs } = requestOf(bodies('a', '', 'b'), { dataType: 'string' }, { keepsEmptyEntries: true });
    expect(inputs['messages']).toEqual({ collectionString: { string: ['a', '', 'b'] } });
  });

  test('of which one is no JSON fail the batch in the binding, which names the event and not what is in it', () => {
    const failing = () => requestOf(bodies('{"a":1}', 'secret'), { dataType: undefined });
    expect(failing).toThrow(/event 2 of 2 \(partition 3, sequence number 8\) is not JSON.*dataType: 'binary'/);
    expect(failing).not.toThrow(/secret/);
  });

  test('in several sections are one; values of other AMQP types fail the batch', () => {
    const parts = [Buffer.from('a'), Buffer.from('b')];
    expect(requestOf([{ body: parts }], {}).inputs['messages']).toEqual({
      collectionBytes: { bytes: [Buffer.from('ab')] },
    });
    expect(() => requestOf([{ body: 'a value' }], {})).toThrow(
      'the body of the event with sequence number 0 is an AMQP',
    );
  });
});

describe('metadata', () => {
  const lifecycle: EventParts = {
    sequenceNumber: 59,
    offset: '616008',
    partitionKey: 'd1',
    properties: {
      deviceId: 'd1',
      operationTimestamp: '2026-11-20T10:11:12.1200000Z',
      at: new Date('2026-11-20T10:11:12.100Z'),
    },
    annotations: {
      'iothub-connection-device-id': 'd1',
      'iothub-enqueuedtime': new Date('2026-11-20T10:11:12.000Z'),
      'iothub-message-source': 'deviceLifecycleEvents',
    },
    message: { contentType: 'application/json', contentEncoding: 'utf-8', correlationId: 'c1' },
    userId: 'my-hub',
  };
  const system = {
    'user-id': { Length: 6, IsEmpty: false },
    'correlation-id': 'c1',
    'content-type': 'application/json',
    'content-encoding': 'utf-8',
    'iothub-connection-device-id': 'd1',
    'iothub-enqueuedtime': '2026-11-20T10:11:12Z',
    'iothub-message-source': 'deviceLifecycleEvents',
    'x-opt-sequence-number': 59,
    'x-opt-offset': '616008',
    'x-opt-enqueued-time': '2026-11-20T10:11:12.25+00:00',
    'x-opt-partition-key': 'd1',
    SequenceNumber: 59,
    Offset: 616008,
    PartitionKey: 'd1',
    EnqueuedTimeUtc: '2026-11-20T10:11:12.25',
  };
  const properties = {
    deviceId: 'd1',
    operationTimestamp: '2026-11-20T10:11:12.1200000Z',
    at: '2026-11-20T10:11:12.1Z',
  };
  const context = {
    IsCheckpointingAfterInvocation: true,
    FullyQualifiedNamespace: 'ns.servicebus.windows.net',
    EventHubName: 'events',
    ConsumerGroup: 'mirror',
    PartitionId: '3',
  };

  test('of a batch has a list for each member; that of partition keys lacks those that are not there', () => {
    const metadata = metadataOf([lifecycle, { sequenceNumber: 60, offset: '616500' }], {});
    expect(metadata).toMatchObject({
      PartitionContext: context,
      PartitionKeyArray: { string: ['d1'] },
      OffsetArray: { string: ['616008', '616500'] },
      SequenceNumberArray: { sint64: [59, 60] },
      EnqueuedTimeUtcArray: ['2026-11-20T10:11:12.25', '2026-11-20T10:11:12.25'],
      PropertiesArray: [properties, {}],
    });
    expect(metadata['SystemPropertiesArray'][0]).toEqual(system);
    expect(metadata['SystemPropertiesArray'][1]).toMatchObject({ PartitionKey: null, SequenceNumber: 60 });
  });

  test('of one event has its members by themselves', () => {
    expect(metadataOf([lifecycle], { cardinality: 'one' })).toEqual({
      PartitionContext: context,
      PartitionKey: 'd1',
      Offset: '616008',
      SequenceNumber: 59,
      EnqueuedTimeUtc: '2026-11-20T10:11:12.25',
      Properties: properties,
      SystemProperties: system,
    });
  });

  test('has sequence numbers of batches in parts, as one version of the worker had them', () => {
    const events = [{ sequenceNumber: 1 }, { sequenceNumber: 2 ** 32 + 5 }];
    expect(metadataOf(events, {}, { longSequenceNumbers: true })['SequenceNumberArray']).toEqual({
      sint64: [
        { low: 1, high: 0, unsigned: false },
        { low: 5, high: 1, unsigned: false },
      ],
    });
  });

  test('has -1 for an offset that is no number', () => {
    expect(metadataOf([{ offset: '1:20' }], {})).toMatchObject({ OffsetArray: { string: ['-1'] } });
  });
});
