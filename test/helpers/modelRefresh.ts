/** Refreshes of a mirror that read a model of a registry, in two steps between which anything may happen. */

import { mergeReading } from '../../src/lib/mirror/rows/mergeReading.ts';
import type { IdentityKey, MirrorRow } from '../../src/lib/mirror/rows/row.ts';
import { needsGet } from '../../src/lib/mirror/rows/wanting.ts';
import type { MirrorStore, RowWrite } from '../../src/lib/mirror/store/mirrorStore.ts';
import type { RegistryModel } from './registryModel.ts';

export interface ModelRefreshOptions {
  readonly store: MirrorStore;
  readonly registry: RegistryModel;
  readonly hub: string;
  readonly nowIso: () => string;
  /** How many steps of the registry a query is behind. */
  readonly lagSteps: () => number;
}

const TRIES_BY_QUERY = 3;

/**
 * Reads up to `most` rows that are wanted, and the registry for them.
 *
 * @returns what writes them; undefined when no row is wanted
 */
export async function beginRefresh(
  options: ModelRefreshOptions,
  most: number,
): Promise<(() => Promise<void>) | undefined> {
  const { store, registry, hub, nowIso, lagSteps } = options;
  const keys: IdentityKey[] = [];
  for await (const { deviceId, moduleId } of store.wanted(hub, { dueBy: '9999', most })) {
    keys.push(moduleId === undefined ? { deviceId } : { deviceId, moduleId });
    if (keys.length === most) break;
  }
  if (keys.length === 0) return undefined;
  const stored = await store.read(hub, keys);
  const begunAt = nowIso();
  const readings = keys.map((key, at) => {
    const row = stored[at]?.row;
    const byGet = row !== undefined && (needsGet(row, begunAt) || (row.wanted?.tries ?? 0) >= TRIES_BY_QUERY);
    const by: 'get' | 'query' = byGet ? 'get' : 'query';
    return { key, by, before: stored[at], reading: byGet ? registry.get(key) : registry.query(key, lagSteps()) };
  });
  return async () => {
    const writes: RowWrite[] = [];
    for (const { key, by, before, reading } of readings) {
      if (before?.row.wanted === undefined) continue;
      const how = { hub, ...key, by, begunAt, nowIso: nowIso() };
      const row = mergeReading(before.row, reading, how);
      if (row === undefined) continue;
      writes.push({ key, before, row: row === 'again' ? triedInVain(before.row) : row });
      if (by !== 'get' || reading !== 'absent' || key.moduleId !== undefined || row === 'again') continue;
      // Modules go with their device.
      for (const module of await store.readDevice(hub, key.deviceId)) {
        const { moduleId } = module.row;
        if (moduleId === undefined || module.row.state === 'deleted') continue;
        if (keys.some((other) => other.deviceId === key.deviceId && other.moduleId === moduleId)) continue;
        const gone = mergeReading(module.row, 'absent', { ...how, moduleId });
        if (gone === undefined || gone === 'again') continue;
        writes.push({ key: { deviceId: key.deviceId, moduleId }, before: module, row: gone });
      }
    }
    // Those that were changed meanwhile are still wanted, or know better.
    await store.write(hub, writes);
  };
}

function triedInVain(row: MirrorRow): MirrorRow {
  const wanted = row.wanted ?? { since: row.updatedAt };
  return { ...row, wanted: { ...wanted, tries: (wanted.tries ?? 0) + 1 } };
}
