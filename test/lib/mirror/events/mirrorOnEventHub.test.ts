import { beforeAll, describe, expect, it } from 'vitest';
import { createLogger } from '../../../../src/lib/logger.ts';
import { deadLetterNames, dropOldLetters } from '../../../../src/lib/mirror/events/deadLetters.ts';
import { hubOfName } from '../../../../src/lib/mirror/events/hubNames.ts';
import type { MirrorContext } from '../../../../src/lib/mirror/events/mirrorContext.ts';
import { mirrorOnEventHub } from '../../../../src/lib/mirror/events/mirrorOnEventHub.ts';
import { createPositionNotes } from '../../../../src/lib/mirror/events/notePosition.ts';
import { parkedNames } from '../../../../src/lib/mirror/events/parkedBatches.ts';
import type { RawBatch, RawEvent } from '../../../../src/lib/mirror/events/rawBatch.ts';
import { replayDeadLetters, replayParked } from '../../../../src/lib/mirror/events/replay.ts';
import { createStoreTrouble } from '../../../../src/lib/mirror/events/storeTrouble.ts';
import { readPositions } from '../../../../src/lib/mirror/notes/position.ts';
import { readWantedReconcile } from '../../../../src/lib/mirror/notes/wantedReconcile.ts';
import { keyText } from '../../../../src/lib/mirror/rows/row.ts';
import { type MirrorStore, StoreUnavailable } from '../../../../src/lib/mirror/store/mirrorStore.ts';
import { createStorage, MIRROR_CONTAINER, type Storage } from '../../../../src/lib/storage/storage.ts';
import { startAzurite } from '../../../helpers/azurite.ts';
import { measured } from '../../../helpers/measured.ts';
import { createMemoryMirrorStore } from '../../../helpers/memoryMirrorStore.ts';
import { rawEvent, wholeTwin } from './sampleEvents.ts';

const HUBS = new Map([
  ['default', 'my-hub.azure-devices.net'],
  ['b', 'other.azure-devices.net'],
]);
const TWIN = { source: 'twinChangeEvents' };

/** An app with a mirror of its own, with a clock that waiting moves. */
function setUp(storage: Storage, source: string, { hub }: { readonly hub?: string } = {}) {
  const kept = createMemoryMirrorStore();
  const logs: string[] = [];
  let nowMs = Date.parse('2026-11-20T12:00:00.000Z');
  let trouble: Error | undefined;
  const fails = <Args extends unknown[], Result>(call: (...args: Args) => Promise<Result>) => {
    return async (...args: Args): Promise<Result> => {
      if (trouble !== undefined) throw trouble;
      return call(...args);
    };
  };
  const store: MirrorStore = { ...kept, read: fails(kept.read), write: fails(kept.write) };
  const context: MirrorContext = {
    store,
    storage,
    sources: [{ connectionName: source, ...(hub === undefined ? {} : { hub }) }],
    hubs: [...HUBS.keys()],
    hubOfName: hubOfName(HUBS),
    positions: createPositionNotes(storage),
    trouble: createStoreTrouble(),
    now: () => new Date(nowMs),
    sleep: async (ms) => {
      nowMs += ms;
    },
    log: createLogger((level, message) => logs.push(`${level}: ${message}`)),
  };
  const batch = (events: readonly RawEvent[], more: Partial<RawBatch> = {}): RawBatch => ({
    source,
    partition: '3',
    namespace: 'ns.servicebus.windows.net',
    eventHub: 'events',
    events: events.map((event, at) => ({
      ...event,
      place: { ...event.place, source, sequence: (events[0]?.place.sequence ?? 0) + at },
    })),
    ...more,
  });
  return {
    context,
    batch,
    logs,
    waited: () => nowMs - Date.parse('2026-11-20T12:00:00.000Z'),
    pass: (ms: number) => {
      nowMs += ms;
    },
    break: (error?: Error) => {
      trouble = error;
    },
    take: (events: readonly RawEvent[], more?: Partial<RawBatch>) => mirrorOnEventHub(context, batch(events, more)),
    rows: (alias = 'default') => Object.fromEntries(kept.all(alias).map((row) => [keyText(row), row])),
    position: async () => (await readPositions(storage, source))[0],
    dead: async () => (await Array.fromAsync(deadLetterNames(storage))).filter((name) => name.includes(`/${source}/`)),
    parked: async () => (await Array.fromAsync(parkedNames(storage))).filter((name) => name.includes(`/${source}/`)),
  };
}

let storage: Storage;
beforeAll(async () => {
  const { connectionString } = await startAzurite();
  storage = createStorage({ kind: 'connectionString', connectionString }, () => {
    throw new Error('no identity in this test');
  });
});

const created = (deviceId: string, more = {}) =>
  rawEvent('createDeviceIdentity', wholeTwin({ deviceId }), { deviceId, ...more });
const patched = (deviceId: string, version: number, tags: unknown) =>
  rawEvent('updateTwin', { version, tags }, { ...TWIN, deviceId });

describe('a batch of events', () => {
  it('is applied, counted, and its position noted', async () => {
    const app = setUp(storage, 'ALL');
    let result: unknown;
    const told = await measured(async () => {
      result = await app.take([
        created('d1'),
        patched('d1', 3, { site: 'faro' }),
        rawEvent('', 'text', { source: 'Telemetry' }),
        rawEvent('deviceConnected', {}, { source: 'deviceConnectionStateEvents' }),
        created('d9', { properties: { hubName: 'foreign' } }),
        created('e1', { properties: { hubName: 'OTHER' } }),
        rawEvent('updateTwin', 'no JSON', { ...TWIN, deviceId: 'd2' }),
      ]);
    });
    expect(told).toEqual([['hubkeeper.mirror.dead_letters', 1, { reason: 'notJson' }]]);
    expect(result).toEqual({ wanted: ['default', 'b'], parked: 0, dead: 1 });
    expect(app.rows()).toMatchObject({
      d1: { twin: { version: 3, tags: { site: 'faro' } } },
      d2: { state: 'unknown', wanted: {} },
    });
    expect(Object.keys(app.rows('b'))).toEqual(['e1']);
    expect(await app.dead()).toEqual(['dead-letters/ALL/3/65-notJson.json']);
    expect(await app.position()).toEqual({
      source: 'ALL',
      partition: '3',
      namespace: 'ns.servicebus.windows.net',
      eventHub: 'events',
      sequence: 65,
      offset: '616008',
      enqueuedAt: '2026-11-20T10:11:12.250Z',
      at: '2026-11-20T12:00:00.000Z',
      counts: {
        applied: { createDeviceIdentity: 2, updateTwin: 1 },
        ignored: { Telemetry: 1, deviceConnectionStateEvents: 1 },
        foreign: { foreign: 1 },
        parked: 0,
        dead: 1,
        skipped: 0,
      },
      firstLifecycleAt: '2026-11-20T10:11:12.250Z',
      lastLifecycleAt: '2026-11-20T10:11:12.250Z',
    });
    await app.take([patched('d1', 4, {})]);
    // Of what is read again the furthest counts.
    expect(await app.position()).toMatchObject({ sequence: 65, counts: { applied: { updateTwin: 2 } } });
  });

  it('of a source of one hub is of that hub', async () => {
    const app = setUp(storage, 'OF_B', { hub: 'b' });
    await app.take([created('d1')]);
    expect(Object.keys(app.rows('b'))).toEqual(['d1']);
  });

  it('is noted by whoever has the partition', async () => {
    const [one, other] = [setUp(storage, 'MOVED'), setUp(storage, 'MOVED')];
    await one.take([created('d1', { sequence: 1 })]);
    await other.take([created('d2', { sequence: 2 })]);
    await one.take([created('d3', { sequence: 3 })]);
    expect(await one.position()).toMatchObject({ sequence: 3, counts: { applied: { createDeviceIdentity: 3 } } });
  });

  it('counts no more kinds than a note has room for', async () => {
    const app = setUp(storage, 'KINDS');
    await app.take(Array.from({ length: 50 }, (_, n) => rawEvent('', '', { source: `kind${n}` })));
    const { ignored } = (await app.position())?.counts ?? {};
    expect(Object.keys(ignored ?? {})).toHaveLength(31);
    expect(ignored?.['others']).toBe(20);
  });
});

describe('a store in trouble', () => {
  const down = () => new StoreUnavailable('The table service does not do its work (503).');

  it('is waited for, not longer than half a minute', async () => {
    const app = setUp(storage, 'WAITED');
    app.break(down());
    const { sleep } = app.context;
    const context = {
      ...app.context,
      sleep: async (ms: number) => {
        await sleep(ms);
        if (app.waited() > 10_000) app.break();
      },
    };
    expect(await mirrorOnEventHub(context, app.batch([created('d1')]))).toMatchObject({ parked: 0 });
    expect(Object.keys(app.rows())).toEqual(['d1']);
    expect(await app.parked()).toEqual([]);
  });

  it('has batches parked, and applied in any order once it is back', async () => {
    const app = setUp(storage, 'PARKED');
    app.break(down());
    expect(await app.take([created('d1', { sequence: 1 }), patched('d1', 3, { a: 1 })])).toEqual({
      wanted: [],
      parked: 2,
      dead: 0,
    });
    expect(app.waited()).toBeLessThanOrEqual(30_000);
    const waited = app.waited();
    // Nobody waits for it with each batch.
    await app.take([{ ...patched('d1', 4, { a: 2 }), place: { ...created('d1').place, sequence: 3 } }]);
    expect(app.waited()).toBe(waited);
    expect(await app.parked()).toEqual(['parked/PARKED/3/1-2-default.json', 'parked/PARKED/3/3-3-default.json']);
    // What waits was not applied.
    expect(await app.position()).toMatchObject({ sequence: 3, counts: { applied: {}, parked: 3 } });

    expect(await replayParked(app.context)).toMatchObject({ applied: 0, left: true });
    app.break();
    await app.take([{ ...patched('d1', 5, { a: 3 }), place: { ...created('d1').place, sequence: 4 } }]);
    expect(app.rows()['d1']).toMatchObject({ state: 'unknown', wanted: { version: 5 } });
    expect(await replayParked(app.context)).toEqual({ applied: 3, dead: 0, left: false, wanted: ['default'] });
    expect(await app.parked()).toEqual([]);
    expect(app.rows()['d1']).toMatchObject({ state: 'present', wanted: { version: 5 } });
    expect(app.logs.some((line) => line.startsWith('warn: 2 events of partition 3'))).toBe(true);
  });

  it('is replayed for as long as is allowed', async () => {
    const app = setUp(storage, 'ALLOWED');
    app.break(down());
    await app.take([created('d1', { sequence: 1 })]);
    app.break();
    expect(await replayParked(app.context, app.context.now())).toMatchObject({ applied: 0, left: true });
    expect(await replayParked(app.context, new Date(app.context.now().getTime() + 1))).toMatchObject({ applied: 1 });
  });

  it('and storage, too, stop the partition', async () => {
    const app = setUp(storage, 'STOPPED');
    await app.take([created('d0', { sequence: 1 })]);
    app.break(down());
    const container = storage.container(MIRROR_CONTAINER);
    const broken = {
      getBlockBlobClient: (name: string) => {
        const blob = container.getBlockBlobClient(name);
        blob.upload = () => Promise.reject(Object.assign(new Error('Server busy'), { statusCode: 503 }));
        return blob;
      },
    };
    const context = { ...app.context, storage: { container: () => broken as never } };
    const batch = app.batch([created('d1', { sequence: 2 })]);
    await expect(mirrorOnEventHub(context, batch)).rejects.toThrow('Server busy');
    expect(await app.position()).toMatchObject({ sequence: 1 });
    // The host calls it again with the same.
    app.break();
    await mirrorOnEventHub(app.context, batch);
    expect(Object.keys(app.rows())).toEqual(['d0', 'd1']);
    expect(await app.position()).toMatchObject({ sequence: 2 });
  });

  it('that refuses one device holds up no other', async () => {
    const app = setUp(storage, 'REFUSED');
    const { write } = app.context.store;
    const store: MirrorStore = {
      ...app.context.store,
      write: async (hub, writes) => {
        if (writes.some(({ key }) => key.deviceId === 'd2'))
          throw new Error('The request of SharedAccessKey=abc is invalid.');
        return write(hub, writes);
      },
    };
    const events = ['d1', 'd2', 'd3'].map((deviceId) => created(deviceId));
    expect(await mirrorOnEventHub({ ...app.context, store }, app.batch(events))).toMatchObject({ dead: 1, parked: 0 });
    expect((await app.position())?.counts).toMatchObject({ applied: { createDeviceIdentity: 2 }, dead: 1 });
    expect(Object.keys(app.rows())).toEqual(['d1', 'd3']);
    expect(await app.dead()).toEqual(['dead-letters/REFUSED/3/60-notTaken.json']);
    // Its cause gone, it is fed again.
    expect(await replayDeadLetters(app.context)).toMatchObject({ applied: 1, left: false });
    expect(Object.keys(app.rows())).toEqual(['d1', 'd2', 'd3']);
    expect(await app.dead()).toEqual([]);
  });
});

describe('dead letters', () => {
  it('never hold up what comes with them, and are the same when they come again', async () => {
    const app = setUp(storage, 'DEAD');
    const events = [
      created('d1', { sequence: 1 }),
      rawEvent('updateTwin', Buffer.alloc(9 * 1024 * 1024, 'junk'), { ...TWIN, deviceId: 'd1', sequence: 1 }),
      rawEvent('updateTwin', { version: 4 }, { ...TWIN, deviceId: '', sequence: 1 }),
      created('d2', { sequence: 1 }),
    ];
    for (let times = 0; times < 2; times++) expect(await app.take(events)).toMatchObject({ dead: 2 });
    expect(Object.keys(app.rows())).toEqual(['d1', 'd2']);
    expect(app.rows()['d1']).toMatchObject({ wanted: { byGet: true } });
    expect(await app.dead()).toEqual([
      'dead-letters/DEAD/3/2-bodyTooLarge.json',
      'dead-letters/DEAD/3/3-noDeviceId.json',
    ]);
  });

  it('stay what they are when they are read again, unless the app or its settings have changed', async () => {
    const app = setUp(storage, 'AGAIN');
    await app.take([rawEvent('updateTwin', 'no JSON', { ...TWIN, sequence: 1 })]);
    expect(await replayDeadLetters(app.context)).toMatchObject({ applied: 0 });
    const [name = ''] = await app.dead();
    // As if an older app had not understood it.
    const letter = storage.container(MIRROR_CONTAINER).getBlockBlobClient(name);
    const text = (await letter.downloadToBuffer()).toString();
    const fixed = text.replace(
      Buffer.from('no JSON').toString('base64'),
      Buffer.from('{"version":7}').toString('base64'),
    );
    await letter.upload(fixed, fixed.length);
    expect(await replayDeadLetters(app.context)).toMatchObject({ applied: 1, left: false, wanted: ['default'] });
    expect(app.rows()['d1']).toMatchObject({ wanted: { version: 7 } });
    expect(await app.dead()).toEqual([]);
  });

  it('are read again in portions, however many there are', async () => {
    const app = setUp(storage, 'MANY');
    const ids = Array.from({ length: 50 }, (_, at) => `d${at}`);
    app.break(new Error('The entity is refused.'));
    await app.take(ids.map((deviceId) => created(deviceId, { sequence: 100 })));
    app.break();
    await app.take([rawEvent('updateTwin', 'no JSON', { ...TWIN, sequence: 150 })]);
    expect(await app.dead()).toHaveLength(51);
    const time = () => new Date(app.context.now().getTime() + 1);
    let calls = 0;
    // After each portion of letters its time is up.
    const context = { ...app.context, now: () => new Date(app.context.now().getTime() + calls++) };
    const first = await replayDeadLetters(context, { until: time() });
    expect(first).toMatchObject({ left: true });
    const second = await replayDeadLetters(app.context, { until: time(), after: first.next ?? '' });
    expect(second).toMatchObject({ left: false });
    expect(second).not.toHaveProperty('next');
    expect(first.applied).toBeGreaterThan(0);
    expect(first.applied + second.applied).toBe(50);
    expect(Object.keys(app.rows()).sort()).toEqual(ids.sort());
    expect(await app.dead()).toEqual(['dead-letters/MANY/3/150-notJson.json']);
  });

  it('are kept for thirty days', async () => {
    const app = setUp(storage, 'OLD');
    await app.take([rawEvent('updateTwin', 'no JSON', { ...TWIN, sequence: 1 })]);
    const inDays = (days: number) => new Date(Date.now() + days * 24 * 60 * 60_000);
    await dropOldLetters(storage, inDays(29));
    expect(await app.dead()).toHaveLength(1);
    await dropOldLetters(storage, inDays(31));
    expect(await app.dead()).toEqual([]);
  });

  it('and parked events, rows, logs and notes hold no secret of the events', async () => {
    const key = 'qv3ZkLm9Qx7PtRb2NwYc5AqJ8sUd4FhG6KeT1oViWs=';
    const sas = 'SharedAccessSignature sr=my-hub&sig=abcdefghijklmnop%3D&se=1795169472';
    const app = setUp(storage, 'SECRETS');
    const body = wholeTwin({
      deviceId: 'd1',
      authentication: { symmetricKey: { primaryKey: key } },
      connectionString: sas,
    });
    const events = [
      rawEvent('createDeviceIdentity', body, { sequence: 1, annotations: { 'iothub-connection-auth-method': sas } }),
      rawEvent('updateTwin', `{"primaryKey":"${key}", ${sas}`, { ...TWIN, sequence: 1 }),
      rawEvent('updateTwin', body, { source: sas, sequence: 1, properties: { hubName: sas } }),
      rawEvent(sas, body, { sequence: 1 }),
    ];
    await app.take(events);
    app.break(new StoreUnavailable(`The request with ${sas} failed.`));
    await app.take(events);
    app.break(new Error(`The entity with ${key} is refused.`));
    await app.take(events);
    const container = storage.container(MIRROR_CONTAINER);
    const written: string[] = [JSON.stringify(app.rows()), ...app.logs];
    for (const name of await app.parked())
      written.push((await container.getBlockBlobClient(name).downloadToBuffer()).toString());
    for (const name of await app.dead()) {
      const { reason, event } = JSON.parse((await container.getBlockBlobClient(name).downloadToBuffer()).toString());
      written.push(name, JSON.stringify({ reason, event }));
    }
    written.push(JSON.stringify(await app.position()));
    for (const secret of [key, 'abcdefghijklmnop']) expect(written.filter((text) => text.includes(secret))).toEqual([]);
    expect(written.length).toBeGreaterThan(8);
  });
});

describe('events of another stream', () => {
  it.each([
    ['of another Event Hub', { eventHub: 'events-2' }, 1, '2026-11-20T10:11:12.250Z'],
    ['of another namespace', { namespace: 'other.servicebus.windows.net' }, 100, '2026-11-20T10:11:12.250Z'],
    ['that begins anew', {}, 1, '2026-11-20T10:30:00.000Z'],
  ])('%s have each hub reconciled', async (what, more, sequence, enqueuedAt) => {
    const source = `FAILOVER_${what.replaceAll(' ', '_')}`;
    const app = setUp(storage, source, { hub: 'b' });
    await app.take([created('d1', { sequence: 50 })]);
    // Read again from an older position it is the same.
    await app.take([created('d1', { sequence: 50 })]);
    await app.take([created('d2', { sequence: 51 })]);
    const container = storage.container(MIRROR_CONTAINER);
    await container.getBlockBlobClient('wanted-reconcile/b').deleteIfExists();
    const event = created('d3', { sequence });
    await app.take([{ ...event, place: { ...event.place, enqueuedAt } }], more);
    expect(await readWantedReconcile(storage, 'b')).toMatchObject({ hub: 'b', at: '2026-11-20T12:00:00.000Z' });
    expect(await app.position()).toMatchObject({ sequence, ...more });
    await container.getBlockBlobClient('wanted-reconcile/b').deleteIfExists();
    await app.take([{ ...event, place: { ...event.place, enqueuedAt, sequence: sequence + 1 } }], more);
    expect(await readWantedReconcile(storage, 'b')).toBeUndefined();
  });

  it('of which some were never taken in have each hub reconciled', async () => {
    const app = setUp(storage, 'GAP');
    const other = setUp(storage, 'GAP');
    const wanted = () => readWantedReconcile(storage, 'default');
    await storage.container(MIRROR_CONTAINER).getBlockBlobClient('wanted-reconcile/default').deleteIfExists();
    await app.take([created('d1', { sequence: 10 }), created('d2')]);
    // Another instance goes on, and the partition comes back.
    await other.take([created('d3', { sequence: 12 })]);
    await app.take([created('d4', { sequence: 13 })]);
    // Some are read again, and the app is started anew.
    await app.take([created('d1', { sequence: 10 })]);
    await setUp(storage, 'GAP').take([created('d4', { sequence: 14 })]);
    expect(await wanted()).toBeUndefined();
    await app.take([created('d5', { sequence: 1_015 })]);
    expect(await wanted()).toMatchObject({ reason: '1,000 events of partition 3 of GAP were never taken in.' });
    expect(Object.keys(app.rows())).toEqual(['d1', 'd2', 'd4', 'd5']);
    expect((await app.position())?.counts).toMatchObject({ skipped: 1_000, applied: { createDeviceIdentity: 7 } });
  });

  it('are not those to which the host has given no numbers', async () => {
    const app = setUp(storage, 'UNNUMBERED', { hub: 'b' });
    await storage.container(MIRROR_CONTAINER).getBlockBlobClient('wanted-reconcile/b').deleteIfExists();
    for (const enqueuedAt of ['2026-11-20T10:11:12.250Z', '2026-11-20T10:11:13.250Z']) {
      const event = created('d1', { sequence: -1 });
      await app.take([{ ...event, place: { ...event.place, enqueuedAt } }]);
    }
    expect(await readWantedReconcile(storage, 'b')).toBeUndefined();
  });

  it('of a source of several hubs have all of them reconciled', async () => {
    const app = setUp(storage, 'FAILOVER');
    await app.take([created('d1')]);
    await app.take([created('d1')], { eventHub: 'events-2' });
    for (const hub of HUBS.keys()) expect(await readWantedReconcile(storage, hub)).toMatchObject({ hub });
  });
});
