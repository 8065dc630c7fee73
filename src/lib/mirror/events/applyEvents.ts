/** Events into rows: whoever else writes the same rows, however often the same events come. */

import type { MirrorEvent } from '../rows/mirrorEvent.ts';
import { type IdentityKey, keyText } from '../rows/row.ts';
import { type MirrorStore, RowTooLarge } from '../store/mirrorStore.ts';
import { type FoldedRow, foldEvents, isChanged, keyOf, writeOf } from './foldEvents.ts';
import { doubtModules, modulesOf, takeModulesAlong } from './settleModules.ts';

export interface ApplyContext {
  readonly store: MirrorStore;
  readonly now: () => Date;
  readonly sleep: (ms: number) => Promise<void>;
}

export interface Applied {
  /** Whether rows were left for which the registry has to be read. */
  readonly wanted: boolean;
  /** Those that no row can hold; the registry is asked instead. */
  readonly tooLarge: readonly MirrorEvent[];
}

/** Others change the same rows all the time: a moment later they do not. */
export class RowsContended extends Error {
  override readonly name = 'RowsContended';
}

const MOST_TRIES = 10;
const LONGEST_PAUSE_MS = 400;

/**
 * Applies events of one hub, in the order in which they are given. May be called again with the same events, and by
 * several at a time: each row is written only over what was read.
 *
 * @throws StoreUnavailable, RowsContended: some events may have been applied; to apply all of them again is right
 */
export async function applyEvents(
  context: ApplyContext,
  hub: string,
  events: readonly MirrorEvent[],
): Promise<Applied> {
  const { store, now, sleep } = context;
  const large = new Set<string>();
  const deletions: MirrorEvent[] = [];
  let wanted = false;
  let rest = events;
  let fresh = false;
  for (let tries = 1; rest.length > 0; ) {
    const usable = rest.flatMap((event) => (large.has(keyText(event)) ? withoutContent(event) : event));
    const folded = await foldEvents(store, hub, usable, { fresh, nowIso: now().toISOString() });
    const { left, conflicts, written, tooLarge } = await writeRows(store, hub, folded.rows, fresh);
    wanted ||= written.some(({ row }) => row?.wanted !== undefined);
    deletions.push(...folded.deletions);
    rest = rest.filter(({ deviceId }) => left.has(deviceId));
    fresh = true;
    // A row that is too large even without the events is left as it is.
    if (tooLarge !== undefined && large.has(tooLarge)) rest = rest.filter((event) => keyText(event) !== tooLarge);
    if (tooLarge !== undefined) large.add(tooLarge);
    if (conflicts === 0) continue;
    tries += 1;
    await pauseBefore(tries, sleep);
  }
  await settle(context, hub, { deletions, modules: modulesOf(events) });
  return { wanted, tooLarge: events.filter((event) => large.has(keyText(event)) && event.kind !== 'deleted') };
}

/** What is looked at once more when rows are written. */
interface Settling {
  readonly deletions: readonly MirrorEvent[];
  readonly modules: readonly IdentityKey[];
}

async function settle({ store, now, sleep }: ApplyContext, hub: string, settling: Settling): Promise<void> {
  let { deletions, modules } = settling;
  for (let tries = 1; ; tries++) {
    const nowIso = now().toISOString();
    const left = new Set([
      ...(await takeModulesAlong(store, hub, deletions, nowIso)),
      ...(await doubtModules(store, hub, modules, nowIso)),
    ]);
    if (left.size === 0) return;
    deletions = deletions.filter(({ deviceId }) => left.has(deviceId));
    modules = modules.filter(({ deviceId }) => left.has(deviceId));
    await pauseBefore(tries + 1, sleep);
  }
}

/** Two who meet again and again part by waiting differently long. */
async function pauseBefore(tries: number, sleep: ApplyContext['sleep']): Promise<void> {
  if (tries > MOST_TRIES) throw new RowsContended('Rows of the mirror are changed by others all the time.');
  await sleep(Math.random() * Math.min(LONGEST_PAUSE_MS, 10 * 2 ** tries));
}

/** What is left of an event that no row can hold. */
function withoutContent(event: MirrorEvent): MirrorEvent {
  if (event.kind === 'deleted') return event;
  const { hub, at, place } = event;
  return { hub, ...keyOf(event), at, place, kind: 'doubted' };
}

interface Written {
  /** Devices whose events are to be applied again. */
  readonly left: ReadonlySet<string>;
  readonly conflicts: number;
  readonly written: readonly FoldedRow[];
  /** Name of the row that the store cannot hold. */
  readonly tooLarge?: string;
}

/**
 * Writes what has changed. What has not was either known before, or was read as it no longer is: only a row that was read
 * fresh, or is written, tells which.
 *
 * Modules that went with their device are written before it: once the device is known to be deleted, nobody looks for them.
 */
async function writeRows(
  store: MirrorStore,
  hub: string,
  rows: readonly FoldedRow[],
  fresh: boolean,
): Promise<Written> {
  const changed = rows.filter(isChanged);
  const left = new Set(fresh ? [] : rows.filter((row) => !isChanged(row)).map(({ key }) => key.deviceId));
  const written: FoldedRow[] = [];
  let conflicts = 0;
  const write = async (some: readonly FoldedRow[]): Promise<void> => {
    const failed = new Set((await store.write(hub, some.map(writeOf))).map(({ key }) => keyText(key)));
    conflicts += failed.size;
    for (const row of some) {
      if (failed.has(keyText(row.key))) left.add(row.key.deviceId);
      else written.push(row);
    }
  };
  try {
    const modules = changed.filter(({ wentAlong }) => wentAlong);
    if (modules.length > 0) await write(modules);
    const waits = new Set(conflicts === 0 ? [] : left);
    const others = changed.filter(({ wentAlong, key }) => !wentAlong && !waits.has(key.deviceId));
    if (others.length > 0) await write(others);
    for (const { key } of changed) if (waits.has(key.deviceId)) left.add(key.deviceId);
  } catch (error) {
    if (!(error instanceof RowTooLarge)) throw error;
    // What was written of the others before is known when they are read again.
    return { left: new Set(rows.map(({ key }) => key.deviceId)), conflicts, written, tooLarge: keyText(error.key) };
  }
  return { left, conflicts, written };
}
