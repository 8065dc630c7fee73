import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BlobServiceClient } from '@azure/storage-blob';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type RunningHub, startHub } from '../../../../local/hub/index.ts';
import { type Azurite, startAzurite } from '../../../helpers/azurite.ts';
import { eventually } from '../../../helpers/eventually.ts';
import { type HostProcess, startHost } from '../../../helpers/hostProcess.ts';
import { demandRest, hubRest } from '../../../helpers/hubRest.ts';
import { fixtureApp, type Note, type Notes, notesIn } from '../notes.ts';

const FUNCTIONS = { batches: 'BatchEvents', single: 'SingleEvents', objects: 'ObjectEvents', retried: 'RetriedEvents' };
type FunctionName = keyof typeof FUNCTIONS;

const idsOf = (note: Note) => note['ids'] as readonly string[];

describe('the Event Hub trigger', () => {
  let azurite: Azurite;
  let directory: string;
  let notes: Notes;
  let hub: RunningHub;
  let eventHubName: string;
  const hosts: HostProcess[] = [];
  let tests = 0;

  beforeAll(async () => {
    azurite = await startAzurite();
  });
  afterAll(() => azurite.stop());
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'event-hubs-'));
    notes = notesIn(join(directory, 'notes'));
    eventHubName = `events-${++tests}`;
    hub = await openHub();
  });
  afterEach(async () => {
    await Promise.all(hosts.splice(0).map((host) => host.stop()));
    await hub.close();
    await rm(directory, { recursive: true });
  });

  const openHub = () =>
    startHub({
      data: join(directory, 'hub'),
      eventHubName,
      consumerGroups: ['mirror', 'single', 'objects', 'retried'],
      lifecycleEvents: true,
      twinEvents: true,
    });

  /** Starts the fixture app with some of its functions. */
  async function start(
    names: readonly FunctionName[],
    { args = [], env = {}, data = 'data' }: { args?: string[]; env?: Record<string, string>; data?: string } = {},
  ): Promise<HostProcess> {
    const others = Object.keys(FUNCTIONS).filter((name) => !names.includes(name as FunctionName));
    const host = await startHost(fixtureApp('eventhubs'), {
      args,
      data: join(directory, data),
      env: {
        AzureWebJobsStorage: azurite.connectionString,
        GROUP: 'mirror',
        EVENT_NOTES: join(directory, 'notes'),
        EVENT_RELEASE: join(directory, 'release'),
        ...Object.fromEntries(Object.values(FUNCTIONS).map((setting) => [setting, hub.eventsConnectionString])),
        ...Object.fromEntries(others.map((name) => [`AzureWebJobs_${name}_Disabled`, '1'])),
        ...env,
      },
    });
    hosts.push(host);
    return host;
  }

  const rest: ReturnType<typeof hubRest> = (...request) => hubRest(hub.connectionString)(...request);

  async function create(...ids: string[]): Promise<void> {
    for (const deviceId of ids) await demandRest(rest, 'PUT', `/devices/${deviceId}`, { deviceId });
  }

  const tag = (deviceId: string, tags: object) => demandRest(rest, 'PATCH', `/twins/${deviceId}`, { tags });

  const container = () =>
    BlobServiceClient.fromConnectionString(azurite.connectionString).getContainerClient('azure-webjobs-eventhub');

  /** Metadata of the blobs of this test's event hub, by what is below it. */
  async function blobs(below: string): Promise<Record<string, Record<string, string>>> {
    const prefix = `127.0.0.1/${eventHubName}/${below}/`;
    const found: Record<string, Record<string, string>> = {};
    for await (const { name, metadata } of container().listBlobsFlat({ prefix, includeMetadata: true })) {
      found[name.slice(prefix.length)] = metadata ?? {};
    }
    return found;
  }

  const positions = async (group = 'mirror') =>
    Object.values(await blobs(`${group}/checkpoint`)).map(({ sequencenumber }) => Number(sequencenumber));

  /** Waits until so many events, by their positions, are done. */
  const stored = (events: number, group?: string) =>
    eventually(async () => {
      const done = (await positions(group)).reduce((sum, last) => sum + last + 1, 0);
      return done >= events ? done : undefined;
    }, `${events} events below the stored positions`);

  const withId = (name: FunctionName, id: string) => (note: Note) => note.name === name && idsOf(note).includes(id);

  test('gives bodies and metadata as the real worker gets them, and stores positions where the real one does', async () => {
    await create('d1');
    await tag('d1', { site: 'faro' });
    await start(['batches', 'single', 'objects']);
    const [batch] = await notes.atLeast(1, withId('batches', 'd1'));
    expect(batch).toMatchObject({
      ids: ['d1', 'd1'],
      areBuffers: true,
      bodies: [{ deviceId: 'd1' }, { version: 3, tags: { site: 'faro' } }],
      metadata: {
        partitionContext: {
          fullyQualifiedNamespace: '127.0.0.1',
          eventHubName,
          consumerGroup: 'mirror',
          isCheckpointingAfterInvocation: true,
        },
        sequenceNumberArray: [0, 1],
        propertiesArray: [
          { opType: 'createDeviceIdentity', deviceId: 'd1', 'iothub-message-schema': 'deviceLifecycleNotification' },
          { opType: 'updateTwin', deviceId: 'd1' },
        ],
        systemPropertiesArray: [
          {
            'iothub-connection-device-id': 'd1',
            'iothub-message-source': 'deviceLifecycleEvents',
            'content-type': 'application/json',
            'x-opt-sequence-number': 0,
            sequenceNumber: 0,
          },
          { 'iothub-message-source': 'twinChangeEvents', 'x-opt-sequence-number': 1 },
        ],
      },
    });
    const metadata = batch?.['metadata'] as { offsetArray: unknown[]; enqueuedTimeUtcArray: string[] };
    // Texts that look like JSON are parsed by the library; times have no zone.
    expect(metadata.offsetArray.every((offset) => typeof offset === 'number')).toBe(true);
    expect(metadata.enqueuedTimeUtcArray[0]).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?$/);

    const single = await notes.atLeast(2, ({ name }) => name === 'single');
    expect(single.map((note) => [note['body'], note['metadata']])).toMatchObject([
      [{ deviceId: 'd1' }, { sequenceNumber: 0, properties: { opType: 'createDeviceIdentity' } }],
      [{ version: 3 }, { sequenceNumber: 1, systemProperties: { 'iothub-connection-device-id': 'd1' } }],
    ]);
    const [objects] = await notes.atLeast(1, ({ name }) => name === 'objects');
    expect(objects?.['bodies']).toMatchObject([{ deviceId: 'd1' }, { version: 3 }]);

    await stored(2);
    const [position] = Object.values(await blobs('mirror/checkpoint'));
    expect(position).toEqual({ sequencenumber: '1', offset: String(metadata.offsetArray[1]) });
    const owners = Object.values(await blobs('mirror/ownership')).map(({ ownerid }) => ownerid);
    expect(owners).toHaveLength(4);
    expect(new Set(owners).size).toBe(1);
  });

  test('gives a batch again that a killed host had not ended, and none that had ended, be it with an error', async () => {
    const first = await start(['batches']);
    await create('fails');
    await stored(1);
    expect(first.log.text()).toContain('this batch is bad');
    await create('hangs');
    await notes.atLeast(1, withId('batches', 'hangs'));
    await first.kill();
    await writeFile(join(directory, 'release'), '');
    await start(['batches']);
    await notes.atLeast(2, withId('batches', 'hangs'));
    await create('late');
    await notes.atLeast(1, withId('batches', 'late'));
    expect((await notes.all()).map(idsOf)).toEqual([['fails'], ['hangs'], ['hangs'], ['late']]);
  });

  test('keeps the position, and the order, while a retry policy is at work', async () => {
    await create('fails');
    await start(['retried']);
    await notes.atLeast(1, withId('retried', 'fails'));
    await tag('fails', { site: 'faro' });
    await notes.atLeast(5, withId('retried', 'fails'));
    const tried = (await notes.all()).map((note) => [
      note['operations'],
      (note['retry'] as { retryCount: number })?.retryCount,
    ]);
    const created = ['createDeviceIdentity'];
    expect(tried).toEqual([
      [created, undefined],
      [created, 1],
      [created, 2],
      [created, 3],
      [['updateTwin'], undefined],
    ]);
    await stored(2, 'retried');
  });

  test('says once what is wrong, without secrets, while other functions go on; and reads once nothing is', async () => {
    const right = hub.eventsConnectionString;
    const key = Buffer.from('a key of somebody else').toString('base64');
    const port = /127\.0\.0\.1:(\d+)/.exec(right)?.[1] ?? '';
    const host = await start(['batches', 'single', 'objects', 'retried'], {
      env: {
        BatchEvents: right.replace(/SharedAccessKey=[^;]*/, `SharedAccessKey=${key}`),
        SingleEvents: right.replace(/EntityPath=[^;]*/, 'EntityPath=no-such-hub'),
        RetriedEvents: right.replace(port, '9'),
      },
    });
    await create('d1');
    await notes.atLeast(1, ({ name }) => name === 'objects');
    const lines = ['Access to event hub', 'There is no event hub "no-such-hub"', 'cannot be reached (ECONNREFUSED)'];
    await host.log.waitFor((text) => lines.every((line) => text.includes(line)), 'what is wrong');

    // Away, and back on the same port.
    await hub.close();
    const away = `The namespace of event hub "${eventHubName}" cannot be reached (ECONNREFUSED): look at "ObjectEvents".`;
    await host.log.waitFor((text) => text.includes(away), 'what is wrong with the hub that is away');
    hub = await openHub();
    await create('d2');
    await notes.atLeast(1, ({ name, bodies }) => name === 'objects' && JSON.stringify(bodies).includes('"d2"'));

    const log = await host.log.waitFor((text) => text.includes('can be read again.'), 'line of relief');
    for (const line of [...lines.slice(0, 2), away]) expect(log.split(line)).toHaveLength(2);
    expect(log).toContain(`[objects] Event hub "${eventHubName}" can be read again.`);
    expect(log).not.toContain(key);
    expect(log).not.toContain(/SharedAccessKey=([^;]*)/.exec(right)?.[1]);
  });

  test('goes on after a connection was cut', async () => {
    await start(['batches']);
    await create('d1');
    await stored(1);
    await fetch(`${hub.adminUrl}/events/drop`, { method: 'POST' });
    await create('d2');
    await notes.atLeast(1, withId('batches', 'd2'));
    expect((await notes.all()).map(idsOf)).toEqual([['d1'], ['d2']]);
  });

  test('shares partitions between two hosts, and takes over those of one that is killed', async () => {
    const env = { AzureFunctionsJobHost__extensions__eventHubs__partitionOwnershipExpirationInterval: '00:00:02' };
    await start(['batches'], { env });
    const other = await start(['batches'], { data: 'other', env });
    const shares = () =>
      eventually(async () => {
        const owners = Object.values(await blobs('mirror/ownership')).map(({ ownerid }) => ownerid);
        const each = new Set(owners);
        return owners.length === 4 &&
          [...each].every((id) => owners.filter((owner) => owner === id).length === 4 / each.size)
          ? each.size
          : undefined;
      }, 'partitions of two owners');
    await eventually(async () => ((await shares()) === 2 ? true : undefined), 'two owners');
    const ids = Array.from({ length: 12 }, (_, index) => `d${index}`);
    await create(...ids.slice(0, 6));
    await stored(6);
    await other.kill();
    await create(...ids.slice(6));
    await stored(12);
    expect(new Set((await notes.all()).flatMap(idsOf))).toEqual(new Set(ids));
  });

  test('gives everything in unkind mode, some of it twice, with sequence numbers of both kinds', async () => {
    await start(['batches'], { args: ['--unkind=11'] });
    const ids: string[] = [];
    await eventually(async () => {
      const more = Array.from({ length: 10 }, (_, index) => `d${ids.length + index}`);
      await create(...more);
      ids.push(...more);
      await notes.atLeast(1, withId('batches', more.at(-1) ?? ''));
      const all = await notes.all();
      const metadata = all.map((note) => note['metadata'] as { sequenceNumberArray: readonly unknown[] });
      const kinds = new Set(metadata.map(({ sequenceNumberArray }) => typeof sequenceNumberArray[0]));
      return all.flatMap(idsOf).length > ids.length && kinds.size === 2 ? true : undefined;
    }, 'events that come twice');
    await eventually(async () => {
      const given = new Set((await notes.all()).flatMap(idsOf));
      return ids.every((id) => given.has(id)) ? true : undefined;
    }, 'all events');
  });
});
