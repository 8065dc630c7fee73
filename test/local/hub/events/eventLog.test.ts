import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type EventLog, type EventLogOptions, openEventLog } from '../../../../local/hub/events/eventLog.ts';
import { partitionOf } from '../../../../local/hub/events/partitionOf.ts';
import { openDatabase } from '../../../../local/hub/registry/database.ts';
import { createIdentityStore, type IdentityStore } from '../../../../local/hub/registry/identityStore.ts';

let data: string;
let nowMs = 1000;
let databases: DatabaseSync[] = [];

beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), 'events-'));
});

afterEach(async () => {
  for (const database of databases.filter(({ isOpen }) => isOpen)) database.close();
  databases = [];
  await rm(data, { recursive: true, force: true });
});

function open(options: Partial<EventLogOptions> = {}): { log: EventLog; store: IdentityStore; database: DatabaseSync } {
  const database = openDatabase(data);
  databases.push(database);
  const store = createIdentityStore(database);
  const log = openEventLog(database, store, {
    name: undefined,
    defaultName: 'events',
    partitions: undefined,
    retention: () => 1000,
    now: () => nowMs,
    ...options,
  });
  return { log, store, database };
}

const append = ({ log, store }: ReturnType<typeof open>, deviceId: string, count = 1) =>
  store.transaction(() => {
    for (let n = 0; n < count; n += 1) log.append({ kind: 'create', deviceId, moduleId: '', payload: `{"n":${n}}` });
  });
const sequences = (log: EventLog, partition: number, after = -1, limit = 1_000_000) =>
  Array.from(log.read(partition, after, limit), ({ sequence }) => sequence);

describe('the event log', () => {
  it('numbers the events of each partition from 0, under offsets that rise', () => {
    const hub = open({ partitions: 1 });
    append(hub, 'd1', 3);
    expect(sequences(hub.log, 0)).toEqual([0, 1, 2]);
    const offsets = Array.from(hub.log.read(0, -1, 9), ({ offset }) => offset);
    expect(offsets[0]).toBe(0);
    expect(offsets.every((offset, at) => at === 0 || offset > (offsets[at - 1] ?? 0) + 1)).toBe(true);
    expect(sequences(hub.log, 0, 0, 1)).toEqual([1]);
  });

  it('goes on with its numbers after a restart, and keeps the name and the partitions that it was made with', () => {
    const first = open({ partitions: 1, name: 'mine' });
    append(first, 'd1', 2);
    const before = first.log.partitions();
    first.database.close();
    const second = open();
    expect(second.log.name).toBe('mine');
    expect(second.log.partitions()).toEqual(before);
    append(second, 'd1');
    const [, last, next] = [...second.log.read(0, -1, 9)];
    expect([last?.sequence, next?.sequence]).toEqual([1, 2]);
    expect(next?.offset).toBeGreaterThan(last?.offset ?? 0);
  });

  it('refuses another number of partitions, which would scatter the events of a device', () => {
    open({ partitions: 2 }).database.close();
    expect(() => open({ partitions: 4 })).toThrow(/has 2 partitions of events, which cannot change/);
    expect(() => open({ partitions: 0 })).toThrow(/from 1 to 128, not 0/);
  });

  it('takes back the events of a transaction that fails, and tells of those that are committed only', () => {
    const hub = open({ partitions: 1 });
    const told: number[] = [];
    hub.log.onAppended((partition) => told.push(partition));
    append(hub, 'd1');
    expect(() =>
      hub.store.transaction(() => {
        hub.log.append({ kind: 'create', deviceId: 'd1', moduleId: '', payload: '{}' });
        throw new Error('no');
      }),
    ).toThrow('no');
    expect(hub.log.partition(0)).toMatchObject({ last: 0 });
    append(hub, 'd1');
    expect(sequences(hub.log, 0)).toEqual([0, 1]);
    expect(told).toEqual([0, 0]);
  });

  it('lets go of its oldest events, and never has fewer than it is to keep', () => {
    const hub = open({ partitions: 1, retention: () => 10 });
    for (let n = 0; n < 30; n += 1) append(hub, 'd1', 100);
    const { begin = 0, last = 0 } = hub.log.partition(0) ?? {};
    expect(last).toBe(2999);
    expect(last - begin + 1).toBeGreaterThanOrEqual(10);
    expect(last - begin + 1).toBeLessThan(1100);
    expect(sequences(hub.log, 0, -1, 1)).toEqual([begin]);
  });

  it('finds the last event before a time or an offset', () => {
    const hub = open({ partitions: 1, retention: () => 5 });
    for (nowMs = 0; nowMs < 1500; nowMs += 1) append(hub, 'd1');
    const { begin = 0, last = 0 } = hub.log.partition(0) ?? {};
    const lastBefore = (ms: number) => hub.log.lastWhere(0, ({ enqueuedMs }) => enqueuedMs < ms)?.sequence;
    expect([lastBefore(1400), lastBefore(9999), lastBefore(begin + 1)]).toEqual([1399, last, begin]);
    expect([lastBefore(0), lastBefore(begin)]).toEqual([undefined, undefined]);
  });

  it('does not turn its order around when the clock is set back', () => {
    const hub = open({ partitions: 1 });
    nowMs = 5000;
    append(hub, 'd1');
    nowMs = 4000;
    append(hub, 'd1');
    expect(Array.from(hub.log.read(0, -1, 9), ({ enqueuedMs }) => enqueuedMs)).toEqual([5000, 5000]);
  });

  it('begins anew under another name after a failover, for good', () => {
    const hub = open({ partitions: 2 });
    append(hub, 'd1', 3);
    hub.log.failOver();
    expect(hub.log.name).toBe('events-2');
    expect(hub.log.partitions()).toEqual([0, 1].map((id) => ({ id, begin: 0, last: -1, lastOffset: -1 })));
    hub.database.close();
    const again = open();
    expect(again.log.name).toBe('events-2');
    append(again, 'd1');
    const partition = partitionOf('d1', 2);
    expect(sequences(again.log, partition)).toEqual([0]);
  });
});

describe('the partition of a device', () => {
  it('is spread evenly over all there are', () => {
    const counts = [0, 0, 0, 0];
    for (let n = 0; n < 10_000; n += 1) {
      const partition = partitionOf(`device-${n}`, 4);
      counts[partition] = (counts[partition] ?? 0) + 1;
    }
    expect(Math.min(...counts)).toBeGreaterThan(2000);
  });
});
