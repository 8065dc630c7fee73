import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { BlobServiceClient } from '@azure/storage-blob';

import type { HubSettings } from '../../local/hub/hubOptions.ts';
import { type Stack, type StackOptions, startStack } from '../../local/stack/index.ts';
import type { ProvisionRun } from '../../src/lib/provisioning/run/provisionRun.ts';
import { isFinal, OUTCOMES, type RunBase } from '../../src/lib/runs/runRecord.ts';
import { type HubRest, hubRest, queryRest } from './hubRest.ts';
import { readReport } from './readReport.ts';

export interface ReportRow {
  readonly line: string;
  readonly deviceId: string;
  readonly moduleId: string;
  readonly importMode: string;
  readonly outcome: string;
  readonly code: string;
  readonly reason: string;
  readonly action: string;
}

export interface TestStack extends Stack {
  readonly blobs: BlobServiceClient;
  drop(name: string, content: string | Buffer, metadata?: Record<string, string>): Promise<void>;
  /** Of all runs, in no order. */
  records(): Promise<ProvisionRun[]>;
  /** The newest record of a drop; undefined while there is none. */
  recordOf(blobName: string): Promise<ProvisionRun | undefined>;
  /** Waits for the run of a drop to be final, and checks that its outcomes add up to the lines of its input. */
  finalRecord(blobName: string, timeoutMs?: number): Promise<ProvisionRun>;
  /** A call of the HTTP API of the app. */
  api(method: string, path: string, body?: unknown): Promise<{ readonly status: number; readonly body: unknown }>;
  /** Waits for a run of any kind to be final. */
  finalRun<Run extends RunBase>(runId: string, timeoutMs?: number): Promise<Run>;
  until<T>(what: string, look: () => Promise<T | undefined | false>, timeoutMs?: number): Promise<T>;
  read(container: string, name: string): Promise<string>;
  rows(record: ProvisionRun): Promise<ReportRow[]>;
  /** A request to the hub with a token of the test's own making: no code of the app has a part in it. */
  readonly rest: HubRest;
  /** Ids of all devices of the hub, by query, page by page. */
  deviceIds(): Promise<string[]>;
  /** Twins of all devices of the hub, the same way. */
  twins(): Promise<Record<string, unknown>[]>;
  hubState(): Promise<HubState>;
  hostLog(): Promise<string>;
}

export interface HubState {
  readonly devices: number;
  readonly modules: number;
  readonly jobs: { readonly importsCreated: number; readonly exportsCreated: number; readonly overlapped: boolean };
  readonly activity: { readonly largestBulkCall: number };
}

/** Marks metadata as all the options there are, so that no `options.json` is waited for. */
export const NOW = { hubkeeper: 'test' };

/** No test has a backup that it has not asked for, whatever the time is. */
const NO_TIMERS = { BACKUP_SCHEDULE: 'off', BACKUP_VERIFY_SCHEDULE: 'off', RECONCILE_SCHEDULE: 'off' };

export interface TestStackOptions extends Partial<StackOptions> {
  /** The app has a mirror. Default: it has none, whose readings of the hub would come in between. */
  readonly mirror?: boolean;
}

function settingsFor({ mirror = false, moreHubs = [], settings }: TestStackOptions): Record<string, string> {
  const sources = ['MIRROR_EVENTS', ...['default', ...moreHubs].map((alias) => `MIRROR_EVENTS_${alias}`)];
  const noMirror = mirror ? {} : Object.fromEntries(sources.map((name) => [name, '']));
  return { ...NO_TIMERS, ...noMirror, ...settings };
}

/** Runs `use` with a whole local stack of its own, in unkind mode unless told otherwise; stops it whatever happens. */
export async function withStack<T>(options: TestStackOptions, use: (stack: TestStack) => Promise<T>): Promise<T> {
  const shared = shareStack(options);
  try {
    return await shared.use(use);
  } finally {
    await shared.stop();
  }
}

export interface SharedStack {
  /** Runs `use` with the stack, its hub and its containers empty; `hubSettings` hold until the next use. */
  use<T>(use: (stack: TestStack) => Promise<T>, hubSettings?: Partial<HubSettings>): Promise<T>;
  stop(): Promise<void>;
}

/**
 * A local stack for uses that come one after the other, as the tests of a file do: started by the first of them, and
 * started anew after one that failed or left a run behind.
 */
export function shareStack(options: TestStackOptions): SharedStack {
  let current: { readonly stack: TestStack; readonly hubSettings: object } | undefined;
  let busy = false;
  const stop = async (): Promise<void> => {
    const stack = current?.stack;
    current = undefined;
    await stack?.stop();
    if (stack !== undefined) await rm(stack.data, { recursive: true, force: true });
  };
  const start = async (): Promise<NonNullable<typeof current>> => {
    const data = await mkdtemp(join(tmpdir(), 'hubkeeper-test-'));
    const stack = testStack(await startStack({ data, unkind: 7, ...options, settings: settingsFor(options) }));
    return { stack, hubSettings: (await (await fetch(`${stack.hubAdminUrl}/options`)).json()) as object };
  };
  return {
    stop,
    async use(use, hubSettings = {}) {
      if (busy) throw new Error('A shared stack is for one use at a time.');
      busy = true;
      try {
        if (current !== undefined && !(await clear(current.stack))) await stop();
        current ??= await start();
        const settings = { ...current.hubSettings, ...hubSettings };
        await demand(`${current.stack.hubAdminUrl}/options`, 'PATCH', settings);
        return await use(current.stack);
      } catch (error) {
        // The log of the host says what a failed expectation cannot.
        const log = current && (await readFile(current.stack.logs.host, 'utf8').catch(() => ''));
        if (log !== undefined) console.error(`--- end of the host's log ---\n${log.slice(-6000)}`);
        await stop();
        throw error;
      } finally {
        busy = false;
      }
    },
  };
}

/** Empties the hub and all containers; false when there is a run that has not ended. */
async function clear(stack: TestStack): Promise<boolean> {
  for (const record of await stack.records()) if (!isFinal(record.state)) return false;
  await demand(`${stack.hubAdminUrl}/reset`, 'POST');
  for await (const { name: container } of stack.blobs.listContainers()) {
    const client = stack.blobs.getContainerClient(container);
    if (container.startsWith('hubkeeper-run-')) await client.delete();
    else if (/^(provision|hubkeeper-runs|hubkeeper-mirror|registry-backups)/.test(container)) {
      for await (const { name } of client.listBlobsFlat()) await client.deleteBlob(name);
    }
  }
  return true;
}

async function demand(url: string, method: string, body?: object): Promise<void> {
  const reply = await fetch(url, { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  if (!reply.ok) throw new Error(`${method} ${url} answered ${reply.status}: ${await reply.text()}`);
}

function testStack(stack: Stack): TestStack {
  const blobs = BlobServiceClient.fromConnectionString(stack.storageConnectionString);
  // In one request: a record may be replaced between two.
  const read = async (container: string, name: string): Promise<string> => {
    const { readableStreamBody } = await blobs.getContainerClient(container).getBlockBlobClient(name).download();
    return Buffer.concat(await Array.fromAsync((readableStreamBody ?? []) as AsyncIterable<Uint8Array>)).toString(
      'utf8',
    );
  };

  const rest = hubRest(stack.connectionString);

  // Read anew only once they were written anew: tests look at them several times a second.
  const known = new Map<string, { readonly etag: string; readonly record: ProvisionRun }>();
  const records = async (): Promise<ProvisionRun[]> => {
    const found: ProvisionRun[] = [];
    for await (const { name, properties } of blobs.getContainerClient('hubkeeper-runs').listBlobsFlat()) {
      const last = known.get(name);
      const etag = properties.etag;
      const record =
        last?.etag === etag ? last.record : (JSON.parse(await read('hubkeeper-runs', name)) as ProvisionRun);
      known.set(name, { etag, record });
      found.push(record);
    }
    return found;
  };
  const recordOf = async (blobName: string): Promise<ProvisionRun | undefined> =>
    (await records())
      .filter((record) => record.kind === 'provision' && record.drop.blobName === blobName)
      .sort((a, b) => (a.createdAt < b.createdAt ? 1 : -1))[0];

  const until = async <T>(what: string, look: () => Promise<T | undefined | false>, timeoutMs = 90_000): Promise<T> => {
    const end = Date.now() + timeoutMs;
    for (;;) {
      const value = await look();
      if (value !== undefined && value !== false) return value;
      if (Date.now() > end) throw new Error(`Waited ${timeoutMs / 1000} s in vain for ${what}.`);
      await sleep(200);
    }
  };

  return Object.assign(Object.create(stack) as Stack, {
    ...stack,
    blobs,
    read,
    records,
    recordOf,
    until,
    async drop(name: string, content: string | Buffer, metadata: Record<string, string> = NOW) {
      const body = Buffer.from(content);
      await blobs.getContainerClient('provision').getBlockBlobClient(name).uploadData(body, { metadata });
    },
    async finalRecord(blobName: string, timeoutMs?: number) {
      const record = await until(
        `the run of ${blobName} to end`,
        async () => {
          const current = await recordOf(blobName);
          return current !== undefined && isFinal(current.state) ? current : undefined;
        },
        timeoutMs,
      );
      assertAddsUp(record);
      return record;
    },
    async rows(record: ProvisionRun) {
      if (record.report === undefined) throw new Error(`The run ${record.runId} has no report.`);
      const rows = readReport<ReportRow>(await read(record.report.container, record.report.csv ?? ''));
      const wrong = rows.findIndex(({ line }, index) => Number(line) <= Number(rows[index - 1]?.line ?? 0));
      if (wrong >= 0) throw new Error(`Row ${wrong + 1} of the report of run ${record.runId} is out of order.`);
      return rows;
    },
    async api(method: string, path: string, body?: unknown) {
      const sent = body === undefined ? {} : { body: JSON.stringify(body) };
      const response = await fetch(`${stack.apiUrl}/${path}`, { method, ...sent });
      return { status: response.status, body: (await response.json()) as unknown };
    },
    finalRun: <Run extends RunBase>(runId: string, timeoutMs?: number) =>
      until(
        `run ${runId} to end`,
        async () => {
          const run = JSON.parse(await read('hubkeeper-runs', `${runId}.json`)) as Run;
          return isFinal(run.state) ? run : undefined;
        },
        timeoutMs,
      ),
    rest,
    async deviceIds() {
      const rows = queryRest<{ deviceId: string }>(rest, 'SELECT deviceId FROM devices');
      return Array.fromAsync(rows, ({ deviceId }) => deviceId);
    },
    twins: () => Array.fromAsync(queryRest<Record<string, unknown>>(rest, 'SELECT * FROM devices')),
    async hubState() {
      return (await (await fetch(`${stack.hubAdminUrl}/state`)).json()) as HubState;
    },
    hostLog: () => readFile(stack.logs.host, 'utf8'),
  });
}

/** The promise of every report, checked on every run of every test. */
export function assertAddsUp(record: ProvisionRun): void {
  if (record.outcomes === undefined) return;
  const sum = OUTCOMES.reduce((total, outcome) => total + (record.outcomes?.[outcome] ?? 0), 0);
  if (sum !== record.check?.lines) {
    throw new Error(`Outcomes of run ${record.runId} add up to ${sum}, its input has ${record.check?.lines} lines.`);
  }
  const { configurations } = record;
  if (configurations === undefined) return;
  const settled = OUTCOMES.reduce((total, outcome) => total + (configurations.outcomes?.[outcome] ?? 0), 0);
  if (settled !== configurations.lines) {
    throw new Error(`Run ${record.runId} has ${configurations.lines} configurations and outcomes for ${settled}.`);
  }
}
