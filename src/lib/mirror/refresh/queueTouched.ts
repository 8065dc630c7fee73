/** Puts identities that a run has touched into the queue. */

import { type IdentityKey, keyText } from '../rows/row.ts';
import type { RowWrite, StoredRow } from '../store/mirrorStore.ts';
import { DAMAGED, readDeviceRows, readRows } from './readRows.ts';
import type { RefreshContext } from './refreshContext.ts';
import type { Touched } from './touched.ts';
import { type WantedBy, wantedBy } from './wants.ts';

type QueueContext = Pick<RefreshContext, 'store' | 'damage' | 'now' | 'log'>;

const MOST_TRIES = 8;
const READS_AT_ONCE = 16;

/** @throws Error when others change the same rows all the time */
export async function queueTouched(
  context: QueueContext,
  hub: string,
  touched: readonly Touched[],
  by: Pick<WantedBy, 'runId' | 'doneAt'>,
): Promise<void> {
  const { store, now } = context;
  let rest = await withModules(context, hub, touched);
  for (let tries = 1; rest.length > 0; tries += 1) {
    if (tries > MOST_TRIES) throw new Error(`Rows of the hub ${hub} are changed by others all the time.`);
    const stored = await readRows(context, hub, rest);
    const writes = rest.flatMap((each, at) => {
      const before = stored[at];
      return before === DAMAGED ? [] : [write(hub, each, before, { by, now })];
    });
    const conflicts = await store.write(hub, writes);
    const left = new Set(conflicts.map(({ key }) => keyText(key)));
    rest = rest.filter((each) => left.has(keyText(each)));
  }
}

function write(
  hub: string,
  { deviceId, moduleId, mayBeGone }: Touched,
  before: StoredRow | undefined,
  { by, now }: { readonly by: Pick<WantedBy, 'runId' | 'doneAt'>; readonly now: () => Date },
): RowWrite {
  const key: IdentityKey = moduleId === undefined ? { deviceId } : { deviceId, moduleId };
  return { key, before, row: wantedBy(hub, key, before?.row, { ...by, ...(mayBeGone ? { mayBeGone } : {}) }, now()) };
}

/** All of them, each once, with the modules that the store knows where they are wanted. */
async function withModules(
  context: QueueContext,
  hub: string,
  touched: readonly Touched[],
): Promise<readonly Touched[]> {
  const all = new Map(touched.map((each) => [keyText(each), each]));
  const devices = touched.filter((each) => each.withModules && each.moduleId === undefined);
  for (let at = 0; at < devices.length; at += READS_AT_ONCE) {
    const batch = devices.slice(at, at + READS_AT_ONCE);
    const rows = await Promise.all(batch.map(({ deviceId }) => readDeviceRows(context, hub, deviceId)));
    for (const { row } of rows.flatMap((each) => (each === DAMAGED ? [] : each))) {
      const { deviceId, moduleId, state } = row;
      if (moduleId === undefined || state === 'deleted' || all.has(keyText(row))) continue;
      const mayBeGone = all.get(deviceId)?.mayBeGone;
      all.set(keyText(row), { deviceId, moduleId, ...(mayBeGone ? { mayBeGone } : {}) });
    }
  }
  return [...all.values()];
}
