/** How long after a change of a twin by REST its row shows it, through the whole local stack, at a steady pace. */

import { setTimeout as sleep } from 'node:timers/promises';

import type { Stack } from '../local/stack/index.ts';
import { mapAtOnce } from '../src/lib/mirror/store/atOnce.ts';
import type { MirrorStore } from '../src/lib/mirror/store/mirrorStore.ts';
import { createTableStore } from '../src/lib/mirror/store/tableStore.ts';
import { createStorage } from '../src/lib/storage/storage.ts';
import { hubRequest, until, withStack } from './byHand.ts';

const DEVICES = 200;
/** Of so many changes the row of one is looked at, so often: looking takes of the same machine. */
const LOOK_AT = 20;
const LOOK_MS = 40;
const HUB = 'default';
const SETTINGS = { BACKUP_SCHEDULE: 'off', BACKUP_VERIFY_SCHEDULE: 'off', RECONCILE_SCHEDULE: 'off' };

/** @param pace changes a second */
export async function printLag(pace: number, seconds: number): Promise<void> {
  await withStack(async (stack) => {
    const store = storeOf(stack);
    const devices = Array.from({ length: DEVICES }, (_, n) => `lag-${n}`);
    await mapAtOnce(devices, 8, (deviceId) => hubRequest(stack, 'PUT', `/devices/${deviceId}`, { deviceId }));
    await until('the rows of the devices', async () => {
      const rows = await readAll(store, devices);
      return rows.every((row) => row?.state === 'present' && row.wanted === undefined) ? true : undefined;
    });
    const versions = new Map<string, number>();
    const start = performance.now();
    const changes: Promise<number | undefined>[] = [];
    for (let n = 0; n < pace * seconds; n += 1) {
      const waitMs = start + (1000 * n) / pace - performance.now();
      if (waitMs > 0) await sleep(waitMs);
      const deviceId = devices[n % DEVICES] as string;
      changes.push(change(stack, store, { deviceId, n, versions }));
    }
    const lags = (await Promise.all(changes)).flatMap((lag) => lag ?? []).sort((a, b) => a - b);
    const took = (performance.now() - start) / 1000;
    await until('the rows of the last changes', async () => {
      const rows = await readAll(store, devices);
      return rows.every((row, at) => row?.twin?.version === versions.get(devices[at] as string)) ? true : undefined;
    });
    const at = (share: number) =>
      `${((lags[Math.floor(share * (lags.length - 1))] ?? Number.NaN) / 1000).toFixed(2)} s`;
    console.log(
      `lag at ${((pace * seconds) / took).toFixed(0)} changes a second through the local stack, from REST to row: ` +
        `median ${at(0.5)}, 95 % within ${at(0.95)}, longest ${at(1)} (${lags.length} looked at)`,
    );
  }, SETTINGS);
}

function storeOf({ storageConnectionString: connectionString }: Stack): MirrorStore {
  const storage = createStorage({ kind: 'connectionString', connectionString }, () => {
    throw new Error('A connection string needs no credential.');
  });
  return createTableStore(storage.table('hubkeepermirror'));
}

async function readAll(store: MirrorStore, devices: readonly string[]) {
  const keys = devices.map((deviceId) => ({ deviceId }));
  return (await store.read(HUB, keys, { fresh: true })).map((stored) => stored?.row);
}

/** Changes a twin. @returns ms until its row shows it, of those that are looked at */
async function change(
  stack: Stack,
  store: MirrorStore,
  { deviceId, n, versions }: { readonly deviceId: string; readonly n: number; readonly versions: Map<string, number> },
): Promise<number | undefined> {
  const twin = await hubRequest(stack, 'PATCH', `/twins/${deviceId}`, { tags: { n } });
  const done = performance.now();
  const version = Number(twin['version']);
  versions.set(deviceId, Math.max(version, versions.get(deviceId) ?? 0));
  if (n % LOOK_AT > 0) return undefined;
  for (;;) {
    const [row] = await readAll(store, [deviceId]);
    if ((row?.twin?.version ?? 0) >= version) return performance.now() - done;
    if (performance.now() - done > 60_000) throw new Error(`The row of ${deviceId} did not show a change in a minute.`);
    await sleep(LOOK_MS);
  }
}
