import { safeError } from '../../redact.ts';
import { keyText } from '../rows/row.ts';
import { type MirrorStore, RowTooLarge, type RowWrite } from '../store/mirrorStore.ts';
import { LONG_MINUTES } from './applyReading.ts';
import type { RefreshContext } from './refreshContext.ts';
import { postponed } from './wants.ts';

type Context = Pick<RefreshContext, 'store' | 'now' | 'log'>;

/**
 * Writes what readings make of rows. Rows that were changed meanwhile are left as they are: they are still wanted, or know
 * better. One that no row can hold is looked at again much later.
 *
 * @returns those that were changed meanwhile
 */
export async function writeRows(
  context: Context,
  hub: string,
  writes: readonly RowWrite[],
): Promise<readonly RowWrite[]> {
  const changed: RowWrite[] = [];
  for (let rest = writes; rest.length > 0; ) {
    try {
      return [...changed, ...(await context.store.write(hub, rest))];
    } catch (error) {
      if (!(error instanceof RowTooLarge)) throw error;
      const name = keyText(error.key);
      const large = rest.find(({ key }) => keyText(key) === name);
      context.log.log('warn', `${name} of the hub ${hub}: ${safeError(error).message}`);
      // What was written before is not written over: it is not any more what was read.
      rest = rest.filter((write) => write !== large);
      if (large !== undefined) changed.push(...(await putOff(context.store, hub, large, context.now())));
    }
  }
  return changed;
}

async function putOff(
  store: MirrorStore,
  hub: string,
  { key, before }: RowWrite,
  now: Date,
): Promise<readonly RowWrite[]> {
  if (before?.row.wanted === undefined) return [];
  return store.write(hub, [{ key, before, row: postponed(before.row, now, LONG_MINUTES) }]);
}
