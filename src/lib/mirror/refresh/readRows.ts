/** Reads rows of the store, though there may be some among them that nobody can read: these hold up no others. */

import { safeError } from '../../redact.ts';
import { type IdentityKey, keyText } from '../rows/row.ts';
import { type ReadOptions, type StoredRow, StoreUnavailable } from '../store/mirrorStore.ts';
import type { RefreshContext } from './refreshContext.ts';

type Context = Pick<RefreshContext, 'store' | 'damage' | 'now' | 'log'>;

/** What is stored there cannot be read, and so not be written over either: a reconcile, or a person, has to put it right. */
export const DAMAGED = 'damaged';

/**
 * In the order of `keys`.
 *
 * @throws StoreUnavailable
 */
export async function readRows(
  context: Context,
  hub: string,
  keys: readonly IdentityKey[],
  options?: ReadOptions,
): Promise<readonly (StoredRow | undefined | typeof DAMAGED)[]> {
  const all = await orDamaged(context, hub, undefined, () => context.store.read(hub, keys, options));
  if (all !== DAMAGED) return all;
  return Promise.all(
    keys.map(async (key) => {
      const read = await orDamaged(context, hub, key, () => context.store.read(hub, [key], options));
      return read === DAMAGED ? DAMAGED : read[0];
    }),
  );
}

/**
 * A device and its modules.
 *
 * @throws StoreUnavailable
 */
export async function readDeviceRows(
  context: Context,
  hub: string,
  deviceId: string,
): Promise<readonly StoredRow[] | typeof DAMAGED> {
  return orDamaged(context, hub, { deviceId }, () => context.store.readDevice(hub, deviceId));
}

async function orDamaged<Result>(
  { damage, now, log }: Context,
  hub: string,
  key: IdentityKey | undefined,
  read: () => Promise<Result>,
): Promise<Result | typeof DAMAGED> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof StoreUnavailable) throw error;
    const name = key && `${keyText(key)} of the hub ${hub}`;
    if (name !== undefined && damage.isNews(name, now())) {
      log.log('error', `${name} cannot be read in the mirror: ${safeError(error).message}`);
    }
    return DAMAGED;
  }
}

/** Of the rows that were read, those that are there. */
export function readable(rows: readonly (StoredRow | undefined | typeof DAMAGED)[]): StoredRow[] {
  return rows.filter((each) => each !== undefined && each !== DAMAGED);
}
