/**
 * Modules go with their device. Events of a module and the deletion of its device may be taken in at a time, each without
 * the other's row: so each looks for the other's once its own is written, and one of them finds it.
 */

import { mergeEvent } from '../rows/mergeEvent.ts';
import type { MirrorEvent } from '../rows/mirrorEvent.ts';
import { type IdentityKey, keyOf, keyText } from '../rows/row.ts';
import { isJustDeleted, wantedAlso } from '../rows/wanting.ts';
import type { MirrorStore, RowWrite } from '../store/mirrorStore.ts';

/** Modules are asked for, for so many deleted devices at a time. */
const AT_ONCE = 16;

/**
 * Takes modules along with their device: of these there need be no event.
 *
 * @param deletions of devices, whose rows are written
 * @returns ids of devices of which a module was changed by others meanwhile
 */
export async function takeModulesAlong(
  store: MirrorStore,
  hub: string,
  deletions: readonly MirrorEvent[],
  nowIso: string,
): Promise<readonly string[]> {
  const writes: RowWrite[] = [];
  for (let at = 0; at < deletions.length; at += AT_ONCE) {
    const some = deletions.slice(at, at + AT_ONCE).map(async (event) => {
      for (const before of await store.readDevice(hub, event.deviceId)) {
        const { moduleId } = before.row;
        const row = moduleId === undefined ? undefined : mergeEvent(before.row, { ...event, moduleId }, nowIso);
        if (row !== undefined) writes.push({ key: keyOf(row), before, row });
      }
    });
    await Promise.all(some);
  }
  return writeSome(store, hub, writes);
}

/**
 * The last deletion of each device that is deleted and may have modules, if it is the last that the row knows of. Also of one
 * that was known before: perhaps what has to follow was not done.
 *
 * A device that has none as long as its row is what was read has none when that is written over. Who writes one after that
 * finds the device deleted.
 */
export function lastDeletions(
  events: readonly MirrorEvent[],
  rows: ReadonlyMap<string, Pick<RowWrite, 'row' | 'before'>>,
): readonly MirrorEvent[] {
  const last = new Map<string, MirrorEvent>();
  const withModules = new Set(events.flatMap(({ deviceId, moduleId }) => (moduleId === undefined ? [] : [deviceId])));
  for (const event of events) {
    if (event.kind !== 'deleted' || event.moduleId !== undefined) continue;
    const { row, before } = rows.get(keyText(event)) ?? {};
    if (before?.noModules && !withModules.has(event.deviceId)) continue;
    if (row?.diedAt === event.at) last.set(event.deviceId, event);
  }
  return [...last.values()];
}

/**
 * Has modules read one by one whose device was deleted a moment ago: queries still list modules that went with it, and
 * perhaps an event of one came after that.
 *
 * @param modules whose rows are written
 * @returns ids of devices of which a module was changed by others meanwhile
 */
export async function doubtModules(
  store: MirrorStore,
  hub: string,
  modules: readonly IdentityKey[],
  nowIso: string,
): Promise<readonly string[]> {
  if (modules.length === 0) return [];
  const ids = [...new Set(modules.map(({ deviceId }) => deviceId))];
  const devices = await store.read(
    hub,
    ids.map((deviceId) => ({ deviceId })),
    { fresh: true },
  );
  const deletedAt = new Map<string, string>();
  for (const device of devices) {
    if (device?.row.deletedAt === undefined || !isJustDeleted(device.row, nowIso)) continue;
    deletedAt.set(device.row.deviceId, device.row.deletedAt);
  }
  const doubtful = modules.filter(({ deviceId }) => deletedAt.has(deviceId));
  if (doubtful.length === 0) return [];
  const stored = await store.read(hub, doubtful, { fresh: true });
  const writes = stored.flatMap((before): RowWrite[] => {
    const last = before && deletedAt.get(before.row.deviceId);
    if (before === undefined || before.row.state === 'deleted') return [];
    if (last === undefined || (before.row.deletedAt ?? '') >= last) return [];
    const wanted = wantedAlso(before.row, { byGet: true }, nowIso);
    return [{ key: keyOf(before.row), before, row: { ...before.row, deletedAt: last, updatedAt: nowIso, wanted } }];
  });
  return writeSome(store, hub, writes);
}

async function writeSome(store: MirrorStore, hub: string, writes: readonly RowWrite[]): Promise<readonly string[]> {
  if (writes.length === 0) return [];
  return (await store.write(hub, writes)).map(({ key }) => key.deviceId);
}

/** The modules that events are of. */
export function modulesOf(events: readonly MirrorEvent[]): readonly IdentityKey[] {
  const modules = events.filter(({ moduleId }) => moduleId !== undefined);
  return [...new Map(modules.map((event) => [keyText(event), keyOf(event)])).values()];
}
