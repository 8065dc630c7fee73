/**
 * Compares the mirror with the sample code that one finds: for each event of a batch one awaited `upsertEntity`, or
 * `deleteEntity`, of a table.
 *
 * One Azurite, and batches as a Functions host hands them to an app, of one partition or of four: those of one partition one
 * after the other, the partitions at once. In pairs, who begins alternates, and each has an empty table. Each pair has other events: a
 * fleet that comes and is used, or waves over all of it; in the form that hubs document now, or an older one. The mirror
 * takes them in as in the app: from the raw batch on, with ordering, refresh queue, positions and all; what is in its table
 * after that has to be right.
 *
 * Then, through a whole local stack, twins are changed by REST at a steady pace, and rows are looked at until they show it.
 *
 *     node bench/mirror.ts [--devices 1500] [--pairs 3] [--pace 200] [--seconds 20]
 *
 * Exits with 1 if the mirror takes in fewer than 5 times as many events a second.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';

import { TableClient } from '@azure/data-tables';

import { azuriteConnectionString, startAzurite } from '../local/stack/azurite.ts';
import type { MirrorContext } from '../src/lib/mirror/events/mirrorContext.ts';
import { mirrorOnEventHub } from '../src/lib/mirror/events/mirrorOnEventHub.ts';
import { createPositionNotes } from '../src/lib/mirror/events/notePosition.ts';
import { rawBatch } from '../src/lib/mirror/events/rawBatch.ts';
import { createStoreTrouble } from '../src/lib/mirror/events/storeTrouble.ts';
import { createTableStore } from '../src/lib/mirror/store/tableStore.ts';
import { createStorage } from '../src/lib/storage/storage.ts';
import { median } from './measure.ts';
import { type Call, type Calls, callsOf, type Form } from './mirrorCalls.ts';
import { type History, historyOf, type Story } from './mirrorHistory.ts';
import { printLag } from './mirrorLag.ts';

const LEAST_TIMES = 5;
const HUB = 'default';

type Handler = (call: Call) => Promise<void>;

interface Contestant {
  readonly handler: Handler;
  /** Whether the table is as it has to be; then it is removed. */
  end(history: History): Promise<void>;
}

let tables = 0;

async function sampleCode(connectionString: string): Promise<Contestant> {
  tables += 1;
  const table = TableClient.fromConnectionString(connectionString, `sample${tables}`, {
    allowInsecureConnection: true,
  });
  await table.createTable();
  const handler: Handler = async ({ messages, metadata }) => {
    const all = metadata['propertiesArray'] as readonly Readonly<Record<string, string>>[];
    for (const [at, message] of messages.entries()) {
      const { opType = '', deviceId = '', moduleId, operationTimestamp = '' } = all[at] ?? {};
      const rowKey = moduleId === undefined ? deviceId : `${deviceId}|${moduleId}`;
      if (opType.startsWith('delete')) await table.deleteEntity(HUB, rowKey);
      else {
        const twin = JSON.parse(message.toString()) as object;
        await table.upsertEntity({ partitionKey: HUB, rowKey, opType, operationTimestamp, twin: JSON.stringify(twin) });
      }
    }
  };
  return { handler, end: () => table.deleteTable().then(() => undefined) };
}

async function mirror(connectionString: string): Promise<Contestant> {
  tables += 1;
  const storage = createStorage({ kind: 'connectionString', connectionString }, () => {
    throw new Error('A connection string needs no credential.');
  });
  const source = `MIRROR_EVENTS_${tables}`;
  const table = storage.table(`mirror${tables}`);
  const store = createTableStore(table);
  await store.prepare();
  const context: MirrorContext = {
    store,
    storage,
    sources: [{ connectionName: source, hub: HUB }],
    hubs: [HUB],
    hubOfName: () => HUB,
    positions: createPositionNotes(storage),
    trouble: createStoreTrouble(),
    now: () => new Date(),
    sleep: (ms) => sleep(ms),
    log: SILENT,
  };
  const handler: Handler = async ({ messages, metadata }) => {
    const batch = rawBatch(source, messages, new Date().toISOString(), metadata);
    const { parked, dead } = await mirrorOnEventHub(context, batch);
    if (parked + dead > 0) throw new Error(`${parked} events were parked and ${dead} are dead.`);
  };
  const end = async ({ end }: History): Promise<void> => {
    const left = new Map(end);
    for await (const { row } of store.rows(HUB, { presentOnly: true })) {
      const name = row.moduleId === undefined ? row.deviceId : `${row.deviceId}/${row.moduleId}`;
      if (left.get(name) !== row.twin?.version) throw new Error(`The row of ${name} is not as it has to be.`);
      left.delete(name);
    }
    if (left.size > 0) throw new Error(`The mirror lacks ${left.size} rows.`);
    await table.deleteTable();
  };
  return { handler, end };
}

const SILENT: MirrorContext['log'] = { log: () => undefined, scope: () => SILENT };

/** Ms that a contestant takes. The host has one batch of each partition handled at a time. */
async function timed(contestant: Contestant, calls: Calls, history: History): Promise<number> {
  const start = performance.now();
  await Promise.all(
    calls.map(async (ofPartition) => {
      for (const call of ofPartition) await contestant.handler(call);
    }),
  );
  const ms = performance.now() - start;
  await contestant.end(history);
  return ms;
}

interface Kind {
  readonly name: string;
  readonly story: Story;
  readonly form: Form;
}

const KINDS: readonly Kind[] = [
  { name: 'a fleet in use', story: 'used', form: 'present' },
  { name: 'a fleet in use, older form', story: 'used', form: 'older' },
  { name: 'waves over a fleet', story: 'waves', form: 'present' },
];

interface Size {
  readonly devices: number;
  readonly partitions: number;
}

async function compare(connectionString: string, { story, form }: Kind, { devices, partitions }: Size, pair: number) {
  const history = historyOf(story, devices, pair + 1);
  const calls = callsOf(history.happenings, form, partitions);
  const events = history.happenings.length;
  const perSecond = { sample: 0, mirror: 0 };
  for (const which of pair % 2 === 0 ? (['sample', 'mirror'] as const) : (['mirror', 'sample'] as const)) {
    const contestant = await (which === 'sample' ? sampleCode : mirror)(connectionString);
    perSecond[which] = (1000 * events) / (await timed(contestant, calls, history));
  }
  return { events, ...perSecond, times: perSecond.mirror / perSecond.sample };
}

const { values } = parseArgs({
  options: {
    devices: { type: 'string', default: '1500' },
    pairs: { type: 'string', default: '3' },
    pace: { type: 'string', default: '200' },
    seconds: { type: 'string', default: '20' },
  },
});

const data = mkdtempSync(path.join(tmpdir(), 'hubkeeper-bench-'));
const azurite = await startAzurite({
  location: data,
  ports: { blob: 0, queue: 0, table: 0 },
  logFile: path.join(data, 'azurite.log'),
  env: process.env,
  readyTimeoutMs: 60_000,
});
try {
  const connectionString = azuriteConnectionString(azurite.ready);
  // What both have to load, they have loaded.
  for (const kind of KINDS) await compare(connectionString, kind, { devices: 30, partitions: 4 }, 0);
  const devices = Number(values.devices);
  const table: Record<string, object> = {};
  for (const kind of KINDS) {
    for (const partitions of [1, 4]) {
      const pairs: Awaited<ReturnType<typeof compare>>[] = [];
      for (let pair = 0; pair < Number(values.pairs); pair += 1) {
        pairs.push(await compare(connectionString, kind, { devices, partitions }, pair));
      }
      const middle = (of: 'events' | 'sample' | 'mirror' | 'times') => median(pairs.map((pair) => pair[of]));
      table[`${kind.name}, ${partitions} at once`] = {
        events: middle('events'),
        'sample events/s': Math.round(middle('sample')),
        'mirror events/s': Math.round(middle('mirror')),
        times: middle('times').toFixed(2),
        'at least': LEAST_TIMES,
      };
      if (!(middle('times') >= LEAST_TIMES)) process.exitCode = 1;
    }
  }
  console.log('events into tables of Azurite, of one partition, and of four at once');
  console.table(table);
} finally {
  await azurite.stop(5_000);
  rmSync(data, { recursive: true, force: true });
}
if (Number(values.seconds) > 0) await printLag(Number(values.pace), Number(values.seconds));
