import { beforeEach, describe, expect, it } from 'vitest';

import type { EventSource } from '../../../../src/lib/mirror/mirrorSettings.ts';
import { writeLastReconcile } from '../../../../src/lib/mirror/notes/lastReconcile.ts';
import { writeNote } from '../../../../src/lib/mirror/notes/note.ts';
import { type PartitionPosition, positionName } from '../../../../src/lib/mirror/notes/position.ts';
import { wantReconcile } from '../../../../src/lib/mirror/notes/wantedReconcile.ts';
import { createCounts } from '../../../../src/lib/mirror/query/counts.ts';
import { mirrorStatus, type StatusContext } from '../../../../src/lib/mirror/status/mirrorStatus.ts';
import type { SourceEnds } from '../../../../src/lib/mirror/status/partitionEnds.ts';
import { StoreUnavailable } from '../../../../src/lib/mirror/store/mirrorStore.ts';
import { MIRROR_CONTAINER } from '../../../../src/lib/storage/storage.ts';
import { startAzurite } from '../../../helpers/azurite.ts';
import { measured } from '../../../helpers/measured.ts';
import { createMemoryMirrorStore, type MemoryMirrorStore } from '../../../helpers/memoryMirrorStore.ts';
import { testContext } from '../../../helpers/provisioningContext.ts';
import { rowOf } from '../query/sampleRows.ts';
import { positionOf } from './samplePosition.ts';

const T0 = Date.parse('2026-11-26T12:00:00.000Z');
const LIFECYCLE = { firstLifecycleAt: '2026-11-20T00:00:00.000Z', lastLifecycleAt: '2026-11-26T11:00:00.000Z' };

let store: MemoryMirrorStore;
let ends: SourceEnds;
let minutes: number;
let context: StatusContext;

const secret = 'c2VjcmV0LW9mLXRoZS1ldmVudC1odWItcG9saWN5';
const source: EventSource = {
  connectionName: 'MIRROR_EVENTS',
  connection: {
    kind: 'connectionString',
    connectionString: `Endpoint=sb://ns;SharedAccessKeyName=a;SharedAccessKey=${secret};EntityPath=hub-events`,
  },
  eventHub: 'hub-events',
  consumerGroup: 'hubkeeper',
};

beforeEach(async () => {
  const { storage } = testContext((await startAzurite()).connectionString);
  store = createMemoryMirrorStore();
  minutes = 0;
  ends = { namespace: 'ns', ends: [endOf(9)] };
  const now = () => new Date(T0 + minutes * 60_000);
  const container = storage.container(MIRROR_CONTAINER);
  const hubs = ['default', 'east'];
  const counts = createCounts({ store, container, hubs, now, sleep: async () => undefined });
  const mirror = { sources: [source], table: 'mirror', reconcileSchedule: '0 0 */6 * * *' };
  context = { storage, store, counts, mirror, hubs, now, readEnds: async () => ends };
});

function endOf(lastSequence: number) {
  return { partition: '0', isEmpty: false, firstSequence: 0, lastSequence, lastEnqueuedAt: '2026-11-26T11:59:00.000Z' };
}

function note(position: PartitionPosition): Promise<unknown> {
  return writeNote(context.storage, positionName(position.source, position.partition), position);
}

async function reconciled(hub: string): Promise<void> {
  const at = context.now().toISOString();
  const found = { missing: 1, extra: 2, different: 3, repaired: 6, leftAlone: 0, identities: 10 };
  const last = { ...found, runId: '0123456789abcdef0123', at, begunAt: at, dryRun: false, from: 'export' } as const;
  await writeLastReconcile(context.storage, hub, last);
}

const codes = async (mayCount = true) => (await mirrorStatus(context, mayCount)).notes.map(({ code }) => code);

describe('the lag of a partition is measured', () => {
  const lags = () => measured(() => mirrorStatus(context, false));
  const partition = { partition: 'MIRROR_EVENTS/0' };

  it('as 0 where nothing waits, and by the oldest event that does', async () => {
    await note(positionOf({ sequence: 9 }));
    expect(await lags()).toEqual([['hubkeeper.mirror.lag', 0, partition]]);
    ends = { namespace: 'ns', ends: [endOf(10)] };
    expect(await lags()).toEqual([['hubkeeper.mirror.lag', 60, partition]]);
  });

  it('where nothing was taken in yet, since that was seen first', async () => {
    expect(await lags()).toEqual([['hubkeeper.mirror.lag', 0, partition]]);
    minutes = 20;
    expect(await lags()).toEqual([['hubkeeper.mirror.lag', 1200, partition]]);
  });
});

describe('the status of the mirror', () => {
  it('of which all is well has numbers, and nothing to say', async () => {
    const kinds = { applied: { updateTwin: 3 }, ignored: { telemetry: 2 }, foreign: { other: 1 } };
    const counts = { ...kinds, parked: 4, dead: 5, skipped: 6 };
    await note(positionOf({ counts, ...LIFECYCLE }));
    for (const hub of context.hubs) await reconciled(hub);
    store.put(rowOf('a', { hub: 'east' }), rowOf('b', { hub: 'east', wanted: { since: context.now().toISOString() } }));
    store.put(rowOf('b', { hub: 'east', moduleId: 'm' }), rowOf('c', { hub: 'east', state: 'deleted' }));
    const status = await mirrorStatus(context, true);
    expect(status).toMatchObject({
      at: '2026-11-26T12:00:00.000Z',
      sources: [
        {
          source: 'MIRROR_EVENTS',
          namespace: 'ns',
          eventHub: 'hub-events',
          consumerGroup: 'hubkeeper',
          hub: null,
          events: 0,
          seconds: 0,
          partitions: [{ partition: '0', events: 0, sequence: 9, lastSequence: 9 }],
        },
      ],
      events: { ...counts, ...LIFECYCLE },
      hubs: [
        { hub: 'default', devices: 0, pendingRefreshes: 0 },
        {
          hub: 'east',
          devices: 2,
          modules: 1,
          countedAt: '2026-11-26T12:00:00.000Z',
          pendingRefreshes: 1,
          pendingRefreshesMore: false,
          reconcile: { missing: 1, extra: 2, different: 3, repaired: 6 },
          nextReconcile: '2026-11-26T18:00:00.000Z',
        },
      ],
      parked: { count: 0, oldestAt: null },
      deadLetters: { count: 0 },
      notes: [],
    });
  });

  it('of one that was just set up asks for the route and a reconcile, and is not ill', async () => {
    const { notes, sources } = await mirrorStatus(context, true);
    expect(notes.map(({ code, unhealthy }) => [code, unhealthy])).toEqual([
      ['noLifecycleEvent', false],
      ['reconcileNever', false],
      ['reconcileNever', false],
    ]);
    expect(notes[0]?.message).toBe('No lifecycle event has ever been seen: is the route there?');
    expect(sources).toMatchObject([{ events: 10, seconds: null }]);
  });

  it('counts a position of another namespace or Event Hub for nothing', async () => {
    await note(positionOf({ namespace: 'before-the-failover', ...LIFECYCLE }));
    expect(await mirrorStatus(context, true)).toMatchObject({
      sources: [{ events: 10, partitions: [{ sequence: null }] }],
    });
  });

  it('names the hubs whose events arrive, when none is mirrored', async () => {
    await note(
      positionOf({ counts: { applied: {}, ignored: {}, foreign: { 'hub-old': 4 }, parked: 0, dead: 0, skipped: 0 } }),
    );
    expect((await mirrorStatus(context, true)).notes[0]).toMatchObject({
      code: 'eventsForeign',
      message: expect.stringMatching(/: hub-old\.$/),
    });
  });

  it('tells that a namespace does not answer, and all else', async () => {
    for (const hub of context.hubs) await reconciled(hub);
    ends = { namespace: 'ns', problem: 'no answer within 5 s' };
    await note(positionOf(LIFECYCLE));
    const status = await mirrorStatus(context, true);
    expect(status).toMatchObject({
      sources: [{ events: null, seconds: null, partitions: [] }],
      notes: [{ code: 'eventsUnreachable', unhealthy: true, message: expect.stringContaining('no answer within 5 s') }],
    });
    expect(JSON.stringify(status)).not.toContain(secret);
  });

  it('is ill once the same events have waited for a quarter of an hour, and well when these were taken in', async () => {
    for (const hub of context.hubs) await reconciled(hub);
    await note(positionOf({ sequence: 5, ...LIFECYCLE }));
    expect(await codes()).toEqual([]);
    minutes = 15;
    expect(await codes()).toEqual([]);
    minutes = 16;
    ends = { namespace: 'ns', ends: [endOf(50)] };
    const { notes } = await mirrorStatus(context, true);
    expect(notes).toMatchObject([
      { code: 'eventsWaiting', unhealthy: true, message: expect.stringContaining('15 minutes: partitions 0.') },
    ]);
    await note(positionOf({ sequence: 9, ...LIFECYCLE }));
    expect(await codes()).toEqual([]);
  });

  it('tells of events that expired, batches that are parked, dead letters and a reconcile that is wanted', async () => {
    for (const hub of context.hubs) await reconciled(hub);
    await note(positionOf({ sequence: 5, ...LIFECYCLE }));
    ends = { namespace: 'ns', ends: [{ ...endOf(9), firstSequence: 8 }] };
    await writeNote(context.storage, 'parked/MIRROR_EVENTS/0/6.json', {});
    await writeNote(context.storage, 'dead-letters/MIRROR_EVENTS/0/7-filter-notJson.json', {});
    await wantReconcile(context.storage, { hub: 'east', reason: 'The Event Hub is another one.', at: '' });
    expect(await mirrorStatus(context, true)).toMatchObject({
      parked: { count: 1, more: false, oldestAt: expect.stringMatching(/^20/) },
      deadLetters: { count: 1, reasons: { notJson: 1 } },
      notes: [
        {
          code: 'eventsExpired',
          message: 'The Event Hub of MIRROR_EVENTS has dropped 2 events before they were read.',
        },
        { code: 'deadLetters', unhealthy: false },
        {
          code: 'reconcileWanted',
          message: 'A reconcile of the hub east is about to begin: The Event Hub is another one.',
        },
      ],
    });
    // The clock of the storage account is not that of this test.
    minutes = (Date.now() - T0) / 60_000 + 16;
    expect(
      (await mirrorStatus(context, true)).notes.filter(({ unhealthy }) => unhealthy).map(({ code }) => code),
    ).toContain('batchesParked');
  });

  it('is ill when refreshes have been due for an hour', async () => {
    for (const hub of context.hubs) await reconciled(hub);
    await note(positionOf(LIFECYCLE));
    store.put(rowOf('a', { hub: 'default', wanted: { since: context.now().toISOString() } }));
    minutes = 59;
    expect(await codes()).toEqual([]);
    minutes = 61;
    expect(await codes()).toEqual(['refreshesStuck']);
  });

  it('is ill when two reconciles were due and none was made since the schedule is there', async () => {
    await note(positionOf(LIFECYCLE));
    await reconciled('default');
    const overdue = async () => (await codes()).filter((code) => code === 'reconcileOverdue').length;
    expect(await overdue()).toBe(0);
    // Due at 18:00 and 0:00, the second finished by 2:00.
    minutes = 14 * 60;
    expect(await overdue()).toBe(0);
    minutes += 1;
    expect(await overdue()).toBe(2);
    await reconciled('east');
    expect(await overdue()).toBe(1);
    // Another schedule begins anew.
    context = { ...context, mirror: { ...context.mirror, reconcileSchedule: '0 0 * * * *' } };
    expect(await overdue()).toBe(0);
    context = { ...context, mirror: { sources: [source], table: 'mirror' } };
    minutes *= 100;
    expect(await overdue()).toBe(0);
  });

  it('tells once that the store does not answer, with what else is known', async () => {
    for (const hub of context.hubs) await reconciled(hub);
    await note(positionOf(LIFECYCLE));
    await mirrorStatus(context, true);
    const silent = async () => Promise.reject(new StoreUnavailable('busy'));
    store.countWanted = silent;
    store.rows = () => {
      throw new StoreUnavailable('busy');
    };
    minutes = 5;
    expect(await mirrorStatus(context, true)).toMatchObject({
      notes: [{ code: 'storeSilent', unhealthy: true }],
      hubs: [{ pendingRefreshes: null, devices: 0, countedAt: '2026-11-26T12:00:00.000Z' }, {}],
    });
  });

  it('counts no rows for whoever only asks for health', async () => {
    store.rows = () => {
      throw new Error('nobody may count');
    };
    expect(await mirrorStatus(context, false)).toMatchObject({ hubs: [{ devices: null, countedAt: null }, {}] });
  });

  it('is of the hubs that there are events of', async () => {
    context = { ...context, mirror: { ...context.mirror, sources: [{ ...source, hub: 'east' }] } };
    expect((await mirrorStatus(context, true)).hubs.map(({ hub }) => hub)).toEqual(['east']);
  });
});
