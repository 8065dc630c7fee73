/** Events into rows: whoever else writes the same rows, however often the same events come. */

import type { MirrorEvent } from '../rows/mirrorEvent.ts';
import { type IdentityKey, keyOf, keyText } from '../rows/row.ts';
import { type MirrorStore, RowTooLarge, type RowWrite } from '../store/mirrorStore.ts';
import { foldEvents, isChanged } from './foldEvents.ts';
import { doubtModules, lastDeletions, modulesOf, takeModulesAlong } from './settleModules.ts';

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
 * @param again whether the events were most likely applied before
 * @throws StoreUnavailable, RowsContended: some events may have been applied; to apply all of them again is right
 */
export async function applyEvents(
  context: ApplyContext,
  hub: string,
  events: readonly MirrorEvent[],
  { again = false }: { readonly again?: boolean } = {},
): Promise<Applied> {
  const { store, now, sleep } = context;
  const large = new Set<string>();
  const deletions = new Map<string, MirrorEvent>();
  let wanted = false;
  let rest = events;
  let fresh = again;
  for (let tries = 1; rest.length > 0; ) {
    const usable = rest.flatMap((event) => (large.has(keyText(event)) ? withoutContent(event) : event));
    const rows = await foldEvents(store, hub, usable, { fresh, nowIso: now().toISOString() });
    for (const event of lastDeletions(usable, rows)) deletions.set(event.deviceId, event);
    const { left, conflicts, tooLarge } = await writeRows(store, hub, [...rows.values()], fresh);
    wanted ||= [...rows.values()].some((write) => isChanged(write) && write.row?.wanted !== undefined);
    rest = rest.filter((event) => left.has(keyText(event)));
    fresh = true;
    // A row that is too large even without the events is left as it is.
    if (tooLarge !== undefined && large.has(tooLarge)) rest = rest.filter((event) => keyText(event) !== tooLarge);
    if (tooLarge !== undefined) large.add(tooLarge);
    if (conflicts === 0) continue;
    tries += 1;
    await pauseBefore(tries, sleep);
  }
  await settle(context, hub, { deletions: [...deletions.values()], modules: modulesOf(events) });
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
  /** Names of rows to which the events are to be applied again. */
  readonly left: ReadonlySet<string>;
  readonly conflicts: number;
  /** Name of the row that the store cannot hold. */
  readonly tooLarge?: string;
}

/**
 * Writes what has changed. What has not was either known before, or was read as it no longer is: only a row that was read
 * fresh, or is written, tells which.
 */
async function writeRows(store: MirrorStore, hub: string, rows: readonly RowWrite[], fresh: boolean): Promise<Written> {
  const changed = rows.filter(isChanged);
  const unsure = fresh ? [] : rows.filter((write) => !isChanged(write));
  try {
    const conflicts = changed.length === 0 ? [] : await store.write(hub, changed);
    return { left: new Set([...unsure, ...conflicts].map(({ key }) => keyText(key))), conflicts: conflicts.length };
  } catch (error) {
    if (!(error instanceof RowTooLarge)) throw error;
    // What was written of the others before is known when they are read again.
    return { left: new Set(rows.map(({ key }) => keyText(key))), conflicts: 0, tooLarge: keyText(error.key) };
  }
}
