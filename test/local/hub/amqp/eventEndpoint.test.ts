import { createHmac } from 'node:crypto';
import { EventHubProducerClient, type EventPosition, type ReceivedEventData } from '@azure/event-hubs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningHub, startHub } from '../../../../local/hub/index.ts';
import { eventually } from '../../../helpers/eventually.ts';
import { consumer, EARLIEST, eventState, type ReadOptions, readEvents, withReader } from '../eventReader.ts';
import { createClient, type HubClient } from '../hubClient.ts';

let hub: RunningHub;
let client: HubClient;
let made = 0;

beforeAll(async () => {
  hub = await startHub({ name: 'plant', lifecycleEvents: true, eventPartitions: 2, consumerGroups: ['mirror'] });
  client = createClient(hub);
  await makeDevices(20);
});

afterAll(async () => {
  await hub.close();
});

/** New devices, one event each. */
async function makeDevices(count: number, at: HubClient = client): Promise<string[]> {
  const ids = Array.from({ length: count }, () => `d${++made}`);
  await at.call('POST', '/devices', { body: ids.map((id) => ({ id, importMode: 'create', status: 'enabled' })) });
  return ids;
}

const placeOf = ({ sequenceNumber, partitionKey }: ReceivedEventData) => `${partitionKey}@${sequenceNumber}`;
const idsOf = (events: readonly ReceivedEventData[]) => events.map(({ partitionKey }) => partitionKey).sort();

describe('the event endpoint', () => {
  it('says what the hub and its partitions hold, also of one without any event', async () => {
    const reader = consumer(hub.eventsConnectionString);
    const properties = await reader.getEventHubProperties();
    expect(properties).toMatchObject({ name: 'iothub-ehub-plant', partitionIds: ['0', '1'] });
    expect(Math.abs(properties.createdOn.getTime() - Date.now())).toBeLessThan(60_000);
    const { partitions } = await eventState(hub);
    for (const { id, last, lastOffset } of partitions) {
      expect(await reader.getPartitionProperties(String(id))).toEqual({
        partitionId: String(id),
        eventHubName: 'iothub-ehub-plant',
        beginningSequenceNumber: 0,
        lastEnqueuedSequenceNumber: last,
        lastEnqueuedOffset: String(lastOffset),
        lastEnqueuedOnUtc: expect.any(Date),
        isEmpty: false,
      });
    }
    await expect(reader.getPartitionProperties('2')).rejects.toMatchObject({ code: 'ArgumentOutOfRangeError' });
    await reader.close();

    const empty = await startHub();
    const other = consumer(empty.eventsConnectionString);
    expect(await other.getPartitionProperties('3')).toMatchObject({
      lastEnqueuedSequenceNumber: -1,
      lastEnqueuedOffset: '-1',
      isEmpty: true,
    });
    await other.close();
    await empty.close();
  });

  it('sends everything from the beginning, each partition in order, and then what comes', async () => {
    await withReader(hub, {}, async ({ all }) => {
      const before = await all();
      const { partitions } = await eventState(hub);
      expect(before).toHaveLength(partitions.reduce((sum, { last }) => sum + last + 1, 0));
      const ids = await makeDevices(3);
      const after = await all();
      expect(idsOf(after.slice(-3))).toEqual([...ids].sort());
      expect(new Set(after.map(placeOf)).size).toBe(after.length);
    });
  });

  it('sends all of it to each consumer group, and has no others', async () => {
    const groups = await Promise.all(
      ['$Default', 'MIRROR'].map((consumerGroup) => withReader(hub, { consumerGroup }, ({ all }) => all())),
    );
    expect(idsOf(groups[1] ?? [])).toEqual(idsOf(groups[0] ?? []));
    const failure = await firstError('other');
    expect(failure).toMatchObject({ code: 'MessagingEntityNotFoundError', retryable: false });
  });

  it('begins where it is told to', async () => {
    const { last = 0 } = (await eventState(hub)).partitions[0] ?? {};
    const read = (from: EventPosition) => readPartition('0', from, last);
    const events = await read(EARLIEST);
    const second = events[1];
    if (second === undefined) throw new Error('The partition has too few events.');
    const { offset, sequenceNumber, enqueuedTimeUtc } = second;
    const [after, at, afterSequence, atSequence, afterTime] = await Promise.all(
      [
        { offset },
        { offset, isInclusive: true },
        { sequenceNumber },
        { sequenceNumber, isInclusive: true },
        { enqueuedOn: new Date(enqueuedTimeUtc.getTime() - 1) },
      ].map(read),
    );
    expect(events.map(({ sequenceNumber: n }) => n)).toEqual(events.map((_, n) => n));
    expect(after).toEqual(events.slice(2));
    expect(at).toEqual(events.slice(1));
    expect([afterSequence, atSequence]).toEqual([after, at]);
    expect(afterTime?.[0]).toEqual(
      events.find((event) => event.enqueuedTimeUtc.getTime() >= enqueuedTimeUtc.getTime()),
    );
  });

  it('begins at the end with what comes next, as soon as it comes', async () => {
    const reader = consumer(hub.eventsConnectionString);
    const read: unknown[] = [];
    const processEvents = async (events: readonly ReceivedEventData[]) => {
      read.push(...events.map(({ partitionKey }) => partitionKey));
    };
    // Nothing makes the client ask again: it waits for a minute.
    reader.subscribe({ processEvents, processError: async () => undefined }, { startPosition: { offset: '@latest' } });
    await eventually(async () => ((await eventState(hub)).receivers.length === 2 ? true : undefined), 'two receivers');
    const ids = await makeDevices(8);
    await eventually(() => (read.length >= 8 ? true : undefined), 'eight events');
    await reader.close();
    expect(read.sort()).toEqual([...ids].sort());
  });

  it('tells with each event how far its partition has come, to who asks', async () => {
    const reader = consumer(hub.eventsConnectionString);
    const { last, lastOffset } = (await eventState(hub)).partitions[0] ?? { last: 0, lastOffset: 0 };
    const told = await new Promise((resolve, reject) => {
      reader.subscribe(
        '0',
        {
          processEvents: async (_, { lastEnqueuedEventProperties }) => resolve(lastEnqueuedEventProperties),
          processError: async (error) => reject(error),
        },
        { startPosition: EARLIEST, trackLastEnqueuedEventProperties: true },
      );
    });
    await reader.close();
    expect(told).toMatchObject({ sequenceNumber: last, offset: String(lastOffset) });
  });
});

/** The events of a partition from a position up to a sequence number. */
async function readPartition(partitionId: string, startPosition: EventPosition, last: number) {
  const reader = consumer(hub.eventsConnectionString);
  const read: { readonly offset: string; readonly sequenceNumber: number; readonly enqueuedTimeUtc: Date }[] = [];
  try {
    await new Promise<void>((resolve, reject) => {
      const processEvents = async (events: readonly ReceivedEventData[]) => {
        for (const { offset, sequenceNumber, enqueuedTimeUtc } of events) {
          read.push({ offset, sequenceNumber, enqueuedTimeUtc });
        }
        if (read.at(-1)?.sequenceNumber === last) resolve();
      };
      reader.subscribe(partitionId, { processEvents, processError: async (error) => reject(error) }, { startPosition });
    });
  } finally {
    await reader.close();
  }
  return read;
}

/** What the first receiver of a consumer meets that is refused. */
async function firstError(
  consumerGroup: string,
  connectionString = hub.eventsConnectionString,
  startPosition = EARLIEST,
) {
  const reader = consumer(connectionString, consumerGroup);
  try {
    return await new Promise<Error>((resolve, reject) => {
      const processEvents = async () => reject(new Error('The receiver was let in.'));
      reader.subscribe('0', { processEvents, processError: async (error) => resolve(error) }, { startPosition });
    });
  } finally {
    await reader.close();
  }
}

const keyOf = (text: string) => /SharedAccessKey=([^;]+)/.exec(text)?.[1] ?? '';

describe('a token', () => {
  const withKey = (replace: Record<string, string>) =>
    Object.entries(replace).reduce(
      (text, [name, value]) => text.replace(new RegExp(`;${name}=[^;]+`), `;${name}=${value}`),
      hub.eventsConnectionString,
    );

  it.each([
    ['with another key', () => ({ SharedAccessKey: Buffer.alloc(32).toString('base64') })],
    ['of a policy that the hub does not have', () => ({ SharedAccessKeyName: 'nobody' })],
    [
      'of a policy that may not read events',
      () => ({
        SharedAccessKeyName: 'registryReadWrite',
        SharedAccessKey: keyOf(hub.connectionStrings.registryReadWrite),
      }),
    ],
  ])('%s opens nothing', async (_, change) => {
    const connectionString = withKey(change());
    expect(await firstError('$Default', connectionString)).toMatchObject({ code: 'UnauthorizedError' });
    const reader = consumer(connectionString);
    await expect(reader.getPartitionIds()).rejects.toMatchObject({ code: 'UnauthorizedError' });
    await reader.close();
  });

  it('of the owner opens as much as that of the service', async () => {
    const connectionString = withKey({
      SharedAccessKeyName: 'iothubowner',
      SharedAccessKey: keyOf(hub.connectionString),
    });
    const reader = consumer(connectionString);
    expect(await reader.getPartitionIds()).toEqual(['0', '1']);
    await reader.close();
  });
});

describe('a token that expires', () => {
  it('ends its receivers', async () => {
    const key = keyOf(hub.eventsConnectionString);
    const resource = encodeURIComponent('sb://127.0.0.1/');
    const expiry = Math.floor(Date.now() / 1000) + 2;
    const signature = createHmac('sha256', key).update(`${resource}\n${expiry}`).digest('base64');
    const token = `SharedAccessSignature sr=${resource}&sig=${encodeURIComponent(signature)}&se=${expiry}&skn=service`;
    const connectionString = hub.eventsConnectionString.replace(
      /;SharedAccessKeyName=.*;EntityPath/,
      `;SharedAccessSignature=${token};EntityPath`,
    );
    await withReader({ ...hub, eventsConnectionString: connectionString }, {}, async ({ all, errors }) => {
      await all();
      expect(await eventually(() => errors[0], 'the end of the token')).toMatchObject({
        code: 'UnauthorizedError',
        message: 'The token of the receiver has expired.',
      });
    });
  });
});

describe('a reader that is slow', () => {
  it('is sent no more than it has asked for', async () => {
    await makeDevices(30);
    const reader = consumer(hub.eventsConnectionString);
    let goOn: () => void = () => undefined;
    const wait = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const read: number[] = [];
    const processEvents = async (events: readonly ReceivedEventData[]) => {
      read.push(...events.map(({ sequenceNumber }) => sequenceNumber));
      await wait;
    };
    const options = { startPosition: EARLIEST, maxBatchSize: 1, prefetchCount: 4 };
    reader.subscribe('0', { processEvents, processError: async () => undefined }, options);
    const positions = async () => (await eventState(hub)).receivers.map(({ position }) => position);
    await eventually(async () => ((await positions())[0] === 3 ? true : undefined), 'four events');
    await makeDevices(30);
    await withReader(hub, { consumerGroup: 'mirror' }, ({ all }) => all());
    expect([await positions(), read]).toEqual([[3], [0]]);
    goOn();
    const { last = 0 } = (await eventState(hub)).partitions[0] ?? {};
    await eventually(() => (read.at(-1) === last ? true : undefined), 'all events');
    await reader.close();
    expect(read).toEqual(Array.from({ length: last + 1 }, (_, n) => n));
  });
});

describe('a producer', () => {
  it('is turned away: only the hub sends events', async () => {
    const producer = new EventHubProducerClient(hub.eventsConnectionString, { retryOptions: { maxRetries: 0 } });
    await expect(producer.sendBatch([{ body: 'x' }])).rejects.toMatchObject({ code: 'InvalidOperationError' });
    await producer.close();
  });
});

describe('an epoch', () => {
  it('takes a partition from those with none or a lower one, and keeps it from them', async () => {
    await withReader(hub, { consumerGroup: 'mirror' }, async (shared) => {
      await shared.all();
      await withReader(hub, { consumerGroup: 'mirror', ownerLevel: 1 }, async (owner) => {
        await owner.all();
        expect(await eventually(() => shared.errors[0], 'the loss of a shared partition')).toMatchObject({
          code: 'ReceiverDisconnectedError',
        });
        expect(await firstError('mirror')).toMatchObject({ code: 'ReceiverDisconnectedError' });
        await withReader(hub, { consumerGroup: 'mirror', ownerLevel: 2 }, async (thief) => {
          await thief.all();
          expect(await eventually(() => owner.errors[0], 'the loss of an owned partition')).toMatchObject({
            code: 'ReceiverDisconnectedError',
            message: expect.stringMatching(/^New receiver '.+' with higher epoch of '2' is created hence/),
          });
        });
      });
    });
    expect((await eventState(hub)).receivers).toEqual([]);
  });
});

describe('a consumer comes through', () => {
  it('connections that are cut and refused for a while, and misses and repeats nothing', async () => {
    const read: ReceivedEventData[] = [];
    let from: ReadOptions['from'] = EARLIEST;
    let ids: readonly string[] = [];
    const cut = async () => {
      await client.admin('POST', '/events/refuse', { durationMs: 300 });
      await client.admin('POST', '/events/drop');
      expect((await eventState(hub)).receivers).toEqual([]);
      const other = consumer(hub.eventsConnectionString);
      await expect(other.getPartitionIds()).rejects.toThrow();
      await other.close();
      ids = await makeDevices(10);
    };
    for (let isDone = false; !isDone; ) {
      // The client gives a partition up when it meets a lost connection at a bad moment; an application begins anew then.
      isDone = await withReader(hub, { from, maxRetries: 100 }, async (reader) => {
        try {
          await reader.all();
          if (ids.length === 0) await cut();
          await reader.all();
          return true;
        } catch (error) {
          if (reader.errors.length === 0) throw error;
          return false;
        } finally {
          read.push(...reader.events);
          from = reader.positions(['0', '1']);
        }
      });
    }
    expect(idsOf(read.slice(-10))).toEqual([...ids].sort());
    const { partitions } = await eventState(hub);
    expect(read).toHaveLength(partitions.reduce((sum, { last }) => sum + last + 1, 0));
    expect(new Set(read.map(placeOf)).size).toBe(read.length);
  });

  it('events that are sent again', async () => {
    await withReader(hub, {}, async ({ all, events }) => {
      const before = (await all()).length;
      await client.admin('POST', '/events/redeliver', { events: 3 });
      await eventually(() => (events.length >= before + 6 ? true : undefined), 'six events again');
      const repeated = events.slice(before).map(placeOf);
      expect(repeated).toHaveLength(6);
      expect(events.slice(0, before).map(placeOf)).toEqual(expect.arrayContaining(repeated));
    });
  });
});

describe('a failover', () => {
  it('gives the endpoint another name and partitions that begin anew, and refuses positions of before', async () => {
    const own = await startHub({ lifecycleEvents: true, eventPartitions: 1, name: 'west' });
    try {
      const at = createClient(own);
      await makeDevices(5, at);
      const reader = readEvents(own);
      const last = (await reader.all()).at(-1);
      const { body } = await at.admin('POST', '/events/failover');
      expect(body).toMatchObject({ name: 'iothub-ehub-west-2', partitions: [{ id: 0, begin: 0, last: -1 }] });
      expect(
        await eventually(
          () => reader.errors.find(({ code }) => code === 'MessagingEntityNotFoundError'),
          'the end of the old name',
        ),
      ).toMatchObject({ retryable: false });
      await reader.close();
      expect(await firstError('$Default', own.eventsConnectionString)).toMatchObject({
        code: 'MessagingEntityNotFoundError',
      });
      const connectionString = own.eventsConnectionString.replace('iothub-ehub-west', 'iothub-ehub-west-2');
      const old = { offset: last?.offset ?? '' };
      expect(await firstError('$Default', connectionString, old)).toMatchObject({
        code: 'ArgumentError',
        message: `The supplied offset '${old.offset}' is invalid. The last offset in the system is '-1'`,
      });
      const ids = await makeDevices(1, at);
      const renamed = { ...own, eventsConnectionString: connectionString };
      expect((await withReader(renamed, {}, ({ all }) => all())).map(placeOf)).toEqual([`${ids[0]}@0`]);
    } finally {
      await own.close();
    }
  });
});

describe('the administration of events', () => {
  it('says what it takes', async () => {
    const answers = await Promise.all([
      client.admin('POST', '/events/explode'),
      client.admin('POST', '/events/refuse', { durationMs: 'long' }),
      client.admin('POST', '/events/redeliver', { events: 0 }),
      client.admin('POST', '/events/add', { deviceId: 'd1', properties: { opType: 1 } }),
      client.admin('POST', '/events/add', { deviceId: 'd1', bodie: '' }),
    ]);
    expect(answers.map(({ status, body }) => [status, body.error])).toEqual([
      [400, "Unknown 'explode'; known: failover, add, drop, refuse, redeliver."],
      [400, 'durationMs must be a number of at least 0.'],
      [400, 'events must be a whole number of at least 1, or absent for all.'],
      [400, 'properties must be an object of texts.'],
      [400, "Unknown member 'bodie' of an event."],
    ]);
  });

  it('puts events of others among those of the hub', async () => {
    const own = await startHub({ lifecycleEvents: true });
    try {
      const at = createClient(own);
      const properties = { opType: 'updateTwin' };
      const annotations = { 'iothub-message-source': 'twinChangeEvents' };
      await at.admin('POST', '/events/add', { deviceId: 'd1', properties, annotations, body: 'no JSON' });
      await at.admin('POST', '/events/add', { deviceId: 'd1', body: 'a value', section: 'value' });
      const [first, second] = await withReader(own, {}, ({ all }) => all());
      expect(first).toMatchObject({ sequenceNumber: 0, properties, systemProperties: annotations });
      expect(Buffer.from(first?.body as Uint8Array).toString()).toBe('no JSON');
      expect(second).toMatchObject({ sequenceNumber: 1, body: 'a value' });
    } finally {
      await own.close();
    }
  });
});
