import { describe, expect, it } from 'vitest';

import { rawBatch } from '../../../../src/lib/mirror/events/rawBatch.ts';

const NOW = '2026-11-20T12:00:00.000Z';

/** As the host gives it, after its library has parsed what looks like JSON and put first letters in lower case. */
const metadata = {
  partitionContext: {
    isCheckpointingAfterInvocation: true,
    fullyQualifiedNamespace: 'NS.servicebus.windows.net',
    eventHubName: 'events',
    consumerGroup: 'mirror',
    partitionId: '3',
  },
  partitionKeyArray: ['d2'],
  offsetArray: [616008, 616500],
  sequenceNumberArray: [59, 60],
  enqueuedTimeUtcArray: ['2026-11-20T10:11:12.25', '2026-11-20T10:11:13'],
  propertiesArray: [{ deviceId: 'd1', opType: 'updateTwin' }, {}],
  systemPropertiesArray: [
    {
      'iothub-connection-device-id': 'd1',
      sequenceNumber: 59,
      'x-opt-offset': '9007199254740993',
      offset: 9007199254740992,
    },
    { 'iothub-connection-device-id': 'd2', sequenceNumber: 60, offset: 616500 },
  ],
};
const bodies = [Buffer.from('{"a":1}'), Buffer.from('no JSON')];

describe('a batch of events', () => {
  it('is what the host hands over', () => {
    expect(rawBatch('MIRROR_EVENTS', bodies, NOW, metadata)).toEqual({
      source: 'MIRROR_EVENTS',
      partition: '3',
      namespace: 'ns.servicebus.windows.net',
      eventHub: 'events',
      events: [
        {
          place: {
            source: 'MIRROR_EVENTS',
            partition: '3',
            sequence: 59,
            offset: '9007199254740993',
            enqueuedAt: '2026-11-20T10:11:12.250Z',
          },
          body: bodies[0],
          properties: { deviceId: 'd1', opType: 'updateTwin' },
          annotations: metadata.systemPropertiesArray[0],
        },
        {
          place: {
            source: 'MIRROR_EVENTS',
            partition: '3',
            sequence: 60,
            offset: '616500',
            enqueuedAt: '2026-11-20T10:11:13.000Z',
          },
          body: bodies[1],
          properties: {},
          annotations: metadata.systemPropertiesArray[1],
        },
      ],
    });
  });

  it('has numbers and times in whatever form', () => {
    const { events } = rawBatch('S', bodies, NOW, {
      ...metadata,
      sequenceNumberArray: [{ low: -1, high: 1, unsigned: false }, '61'],
      enqueuedTimeUtcArray: [new Date('2026-11-20T10:11:12.250Z'), 'no time'],
      systemPropertiesArray: [{}, { 'x-opt-enqueued-time': '2026-11-20T10:11:13.5+00:00' }],
    });
    expect(events.map(({ place }) => [place.sequence, place.enqueuedAt])).toEqual([
      [2 ** 33 - 1, '2026-11-20T10:11:12.250Z'],
      [61, '2026-11-20T10:11:13.500Z'],
    ]);
  });

  it('has no bodies when some were lost: nobody knows which', () => {
    const { events } = rawBatch('S', bodies.slice(1), NOW, metadata);
    expect(events.map(({ body, annotations }) => [body, annotations['iothub-connection-device-id']])).toEqual([
      [undefined, 'd1'],
      [undefined, 'd2'],
    ]);
  });

  it('takes bodies that a host has parsed, or given as text', () => {
    const { events } = rawBatch('S', [{ a: 1 }, 'text'], NOW, metadata);
    expect(events.map(({ body }) => Buffer.from(body ?? []).toString())).toEqual(['{"a":1}', 'text']);
  });

  it('without metadata has bodies alone', () => {
    const { events } = rawBatch('S', bodies, NOW);
    expect(events).toHaveLength(2);
    expect(events[0]).toMatchObject({ place: { sequence: -1, offset: '', enqueuedAt: NOW }, annotations: {} });
  });
});
