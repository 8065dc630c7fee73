import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { expect, it } from 'vitest';

import { keyText, type MirrorRow } from '../../src/lib/mirror/rows/row.ts';
import type { MirrorStore, RowWrite, StoredRow } from '../../src/lib/mirror/store/mirrorStore.ts';
import { createTableStore } from '../../src/lib/mirror/store/tableStore.ts';
import { createStorage } from '../../src/lib/storage/storage.ts';
import type { WorkRun } from '../../src/lib/work/workRun.ts';
import { hubContainer } from '../helpers/hubContainer.ts';
import { type TestStack, withStack } from '../helpers/stack.ts';
import { doWork } from '../scenarios/backupRuns.ts';
import { importLines } from '../scenarios/fleet.ts';

const DEVICES = Number(process.env['DEVICES'] ?? 200_000);
/** Of each sort of drift: 1 % in all. */
const DRIFT = Math.round(DEVICES / 300);
/** Of the host with the app, all that the system has given it, MiB. */
const MOST_MEGABYTES = 300;
/**
 * Heap that the host with the app is given, MiB: one that runs out of it ends, and with it the run. While it fills the store, it
 * also remembers the rows that it has written lately, 64 MB of them.
 */
const HEAP = { filling: 160, repairing: 96 };
const TIMEOUT_MS = 3_000_000;
const TABLE = 'reconciled';

const LIVE_MEMORY = pathToFileURL(join(import.meta.dirname, '..', 'helpers', 'liveMemory.ts')).href;

const idOf = (n: number): string => `device-${String(n).padStart(7, '0')}`;

function boundedTo(megabytes: number): string {
  return `--max-old-space-size=${megabytes} --import ${LIVE_MEMORY}`;
}

function* fleet(): Generator<string> {
  for (let n = 0; n < DEVICES; n += 1) {
    const tags = `{"site":"site-${n % 50}","floor":${n % 9},"owner":{"name":"owner-${n % 1000}"}}`;
    yield `{"id":"${idOf(n)}","status":"enabled","tags":${tags},"properties":{"desired":{"interval":${n % 60},"n":${n}}}}\n`;
  }
}

function storeOf(stack: TestStack): MirrorStore {
  const connection = { kind: 'connectionString', connectionString: stack.storageConnectionString } as const;
  const storage = createStorage(connection, () => {
    throw new Error('no identity in this test');
  });
  return createTableStore(storage.table(TABLE));
}

/** By key: its ETag, and what people see of it. */
type Seen = ReadonlyMap<string, { readonly etag: string; readonly text: string }>;

function seenOf({ row: { state, identity, twin } }: StoredRow): string {
  const { version: _version, ...sections } = twin ?? {};
  return JSON.stringify([state, identity, sections]);
}

async function seenIn(store: MirrorStore): Promise<Seen> {
  const seen = new Map<string, { etag: string; text: string }>();
  for await (const stored of store.rows('default')) {
    seen.set(keyText(stored.row), { etag: stored.etag, text: seenOf(stored) });
  }
  return seen;
}

/** Every so many-th device; drift of each sort is all over the registry. */
function some(of: number): string[] {
  const step = Math.floor(DEVICES / DRIFT);
  return Array.from({ length: DRIFT }, (_, at) => idOf(at * step + of));
}

/** Rows are taken out, made up and changed, as if events had been lost. */
async function drift(store: MirrorStore): Promise<Record<'missing' | 'extra' | 'different', string[]>> {
  const missing = some(0);
  const different = some(1);
  const extra = some(2).map((id) => `${id}-gone`);
  const rowsOf = async (ids: readonly string[]) => {
    const rows = await store.read(
      'default',
      ids.map((deviceId) => ({ deviceId })),
    );
    return rows.map((stored) => {
      if (stored === undefined) throw new Error('A row is not there.');
      return stored;
    });
  };
  const changed = (row: MirrorRow, at: number): MirrorRow => {
    if (at % 2 === 0) return { ...row, identity: { ...row.identity, status: 'disabled' } };
    return row.twin === undefined ? row : { ...row, twin: { ...row.twin, tags: { ...row.twin.tags, site: 'other' } } };
  };
  const model = (await rowsOf([idOf(3)]))[0]?.row;
  if (model === undefined) throw new Error('There is no row.');
  const writes: RowWrite[] = [
    ...(await rowsOf(missing)).map((before) => ({ key: before.row, row: undefined, before })),
    ...(await rowsOf(different)).map((before, at) => ({ key: before.row, row: changed(before.row, at), before })),
    ...extra.map((deviceId) => ({ key: { deviceId }, row: { ...model, deviceId } })),
  ];
  const lost = await store.write(
    'default',
    writes.map((write) => ({ ...write, key: { deviceId: write.key.deviceId } })),
  );
  expect(lost).toEqual([]);
  return { missing, extra, different };
}

async function driftIn(stack: TestStack, { report }: WorkRun): Promise<Record<string, string[]>> {
  const found: Record<string, string[]> = { missing: [], extra: [], different: [] };
  for (const line of (await stack.read('provision-results', report?.drift ?? '')).trim().split('\n')) {
    const { deviceId, drift: sort } = JSON.parse(line) as { readonly deviceId: string; readonly drift: string };
    found[sort]?.push(deviceId);
  }
  return found;
}

async function peakMegabytes(stack: TestStack): Promise<number> {
  const status = await readFile(`/proc/${stack.pids().host}/status`, 'utf8');
  return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) / 1024;
}

it('a large registry fills the mirror, and 1 % of drift of all three sorts is repaired exactly, in flat memory', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'hubkeeper-reconcile-'));
  const liveFile = join(folder, 'live.txt');
  const settings = {
    HUB_TIER: 'S3',
    HUB_UNITS: '200',
    MIRROR_TABLE: TABLE,
    NODE_OPTIONS: boundedTo(HEAP.filling),
    LIVE_MEMORY_FILE: liveFile,
  };
  try {
    await withStack({ mirror: true, unkind: false, settings }, async (stack) => {
      const reconcile = async (what: string): Promise<WorkRun> => {
        const startedAt = performance.now();
        const run = await doWork(stack, 'mirror/reconcile', undefined, TIMEOUT_MS);
        const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
        const live = Number(await readFile(liveFile, 'utf8')) / 2 ** 20;
        console.log(
          `${what}: ${seconds} s, ${live.toFixed(0)} MiB in use, ${(await peakMegabytes(stack)).toFixed(0)} MiB the host at its peak`,
        );
        expect(run.error).toBeUndefined();
        return run;
      };
      await importLines(stack.rest, await hubContainer(stack.blobs), fleet());
      const all = { extra: 0, different: 0, leftAlone: 0, identities: DEVICES };
      expect(await reconcile(`${DEVICES} devices into an empty store`)).toMatchObject({
        result: { ...all, missing: DEVICES, repaired: DEVICES },
      });
      const store = storeOf(stack);
      const right = await seenIn(store);
      expect(right.size).toBe(DEVICES);

      const drifted = await drift(store);
      const before = await seenIn(store);
      // A process that has written nothing yet.
      await stack.restartHost({ settings: { NODE_OPTIONS: boundedTo(HEAP.repairing) } });
      const repaired = await reconcile(`${3 * DRIFT} rows repaired`);
      const counts = { missing: DRIFT, extra: DRIFT, different: DRIFT, repaired: 3 * DRIFT, leftAlone: 0 };
      expect(repaired.result).toMatchObject({ ...counts, identities: DEVICES });
      const found = await driftIn(stack, repaired);
      for (const sort of ['missing', 'extra', 'different'] as const) {
        expect(found[sort]?.sort()).toEqual(drifted[sort]);
      }

      const after = await seenIn(store);
      const written = [...after].filter(([id, { etag }]) => before.get(id)?.etag !== etag).map(([id]) => id);
      expect(written.sort()).toEqual(Object.values(drifted).flat().sort());
      const wrong = [...right].filter(([id, { text }]) => after.get(id)?.text !== text).map(([id]) => id);
      expect(wrong).toEqual([]);
      expect(after.size - right.size).toBe(DRIFT);
      expect(await peakMegabytes(stack)).toBeLessThan(MOST_MEGABYTES);
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
