/** Events of a hub, folded into the rows that they change: one write a row, however many events it has. */

import { defined } from '../../defined.ts';
import { mergeEvent } from '../rows/mergeEvent.ts';
import type { MirrorEvent } from '../rows/mirrorEvent.ts';
import { type IdentityKey, keyText, type MirrorRow } from '../rows/row.ts';
import type { KeyToRead, MirrorStore, RowWrite, StoredRow } from '../store/mirrorStore.ts';

/** A row as it was read, and as the events leave it. */
export interface FoldedRow {
  readonly key: IdentityKey;
  readonly before: StoredRow | undefined;
  row: MirrorRow | undefined;
  /** It went with its device. */
  wentAlong: boolean;
}

export interface FoldOptions {
  /** Whether rows are read as they are stored, and not as they are remembered. */
  readonly fresh: boolean;
  readonly nowIso: string;
}

/** Modules are asked for, for so many deleted devices at a time. */
const AT_ONCE = 16;

export interface Folded {
  readonly rows: readonly FoldedRow[];
  /** Deletions of devices that were not known. */
  readonly deletions: readonly MirrorEvent[];
}

export async function foldEvents(
  store: MirrorStore,
  hub: string,
  events: readonly MirrorEvent[],
  { fresh, nowIso }: FoldOptions,
): Promise<Folded> {
  const rows = await readRows(store, hub, events, fresh);
  await addModules(store, hub, events, rows, nowIso);
  const deletions = events.filter((event) => apply(rows, event, nowIso) && isDeviceDeleted(event));
  return { rows: [...rows.values()], deletions };
}

export function writeOf({ key, before, row }: FoldedRow): RowWrite {
  return { key, before, row };
}

export function isChanged({ before, row }: FoldedRow): boolean {
  return row !== before?.row;
}

export function keyOf({ deviceId, moduleId }: IdentityKey): IdentityKey {
  return { deviceId, ...defined({ moduleId }) };
}

type Rows = Map<string, FoldedRow>;

async function readRows(
  store: MirrorStore,
  hub: string,
  events: readonly MirrorEvent[],
  fresh: boolean,
): Promise<Rows> {
  const keys = new Map<string, KeyToRead>();
  for (const event of events) {
    const text = keyText(event);
    // There is no row of most identities that are created: that one is there, its write tells.
    if (!keys.has(text)) keys.set(text, { ...keyOf(event), ...(event.kind === 'created' ? { likelyNew: true } : {}) });
  }
  const stored = await store.read(hub, [...keys.values()], fresh ? { fresh } : {});
  const rows: Rows = new Map();
  [...keys].forEach(([text, key], at) => {
    rows.set(text, { key: keyOf(key), before: stored[at], row: stored[at]?.row, wentAlong: false });
  });
  return rows;
}

/** Of devices that are deleted, and were not known to be: their modules go with them, and need have no event. */
async function addModules(
  store: MirrorStore,
  hub: string,
  events: readonly MirrorEvent[],
  rows: Rows,
  nowIso: string,
): Promise<void> {
  const devices = new Set<string>();
  for (const event of events) {
    if (!isDeviceDeleted(event)) continue;
    if (mergeEvent(rows.get(keyText(event))?.row, event, nowIso) !== undefined) devices.add(event.deviceId);
  }
  for (const before of await readModules(store, hub, [...devices])) {
    const { row } = before;
    const text = keyText(row);
    if (!rows.has(text)) rows.set(text, { key: keyOf(row), before, row, wentAlong: false });
  }
}

/** The rows of the modules of some devices. */
export async function readModules(
  store: MirrorStore,
  hub: string,
  deviceIds: readonly string[],
): Promise<readonly StoredRow[]> {
  const found: StoredRow[] = [];
  for (let at = 0; at < deviceIds.length; at += AT_ONCE) {
    const some = deviceIds.slice(at, at + AT_ONCE).map((deviceId) => store.readDevice(hub, deviceId));
    found.push(...(await Promise.all(some)).flat());
  }
  return found.filter(({ row }) => row.moduleId !== undefined);
}

/** @returns whether the event changes its row */
function apply(rows: Rows, event: MirrorEvent, nowIso: string): boolean {
  const folded = rows.get(keyText(event));
  if (folded === undefined) throw new Error('The row of an event was not read.');
  const after = mergeEvent(folded.row, event, nowIso);
  if (after === undefined) return false;
  folded.row = after;
  if (!isDeviceDeleted(event)) return true;
  for (const module of rows.values()) {
    const { deviceId, moduleId } = module.key;
    if (deviceId !== event.deviceId || moduleId === undefined || module.row === undefined) continue;
    const gone = mergeEvent(module.row, { ...event, moduleId }, nowIso);
    if (gone === undefined) continue;
    module.row = gone;
    module.wentAlong = true;
  }
  return true;
}

function isDeviceDeleted({ kind, moduleId }: MirrorEvent): boolean {
  return kind === 'deleted' && moduleId === undefined;
}
