/** When the mirror of a local stack shows what a run has made. */

import { setTimeout as sleep } from 'node:timers/promises';

import type { MirrorStatus } from '../../src/lib/mirror/status/mirrorStatus.ts';
import { readApp } from './apiCall.ts';
import type { Connection } from './connection.ts';
import { devicePages } from './devicePages.ts';

export interface Mirrored {
  readonly devices: number;
  readonly modules: number;
}

/** Queries of a hub lag behind by seconds, and are asked again then. */
const LONGEST_MS = 30_000;
const LOOK_MS = 500;
const MOST = 1_000;

/** What the mirror shows once nothing waits to be read any more; undefined: it takes longer, or the mirror is off. */
export async function waitForMirror(connection: Connection, signal: AbortSignal): Promise<Mirrored | undefined> {
  const end = Date.now() + LONGEST_MS;
  while (Date.now() < end && !signal.aborted) {
    const shown = await look(connection, signal).catch(() => 'off' as const);
    if (shown === 'off') return undefined;
    if (shown !== undefined) return shown;
    await sleep(LOOK_MS, undefined, { signal }).catch(() => undefined);
  }
  return undefined;
}

async function look(connection: Connection, signal: AbortSignal): Promise<Mirrored | undefined> {
  const filters = new URLSearchParams({ modules: 'true' });
  let [devices, modules] = [0, 0];
  for await (const { rows } of devicePages(connection, { filters, limit: MOST, signal })) {
    for (const { moduleId } of rows) {
      if (moduleId === undefined) devices += 1;
      else modules += 1;
    }
  }
  if (devices === 0) return undefined;
  const status = await readApp<MirrorStatus>(connection, { path: 'mirror', doing: 'the status of the mirror', signal });
  return status?.hubs.every(({ pendingRefreshes }) => pendingRefreshes === 0) ? { devices, modules } : undefined;
}
