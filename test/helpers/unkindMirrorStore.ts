/** A store of the mirror that remembers rows too long, and is out of order now and then. */

import { keyText } from '../../src/lib/mirror/rows/row.ts';
import { type MirrorStore, type StoredRow, StoreUnavailable } from '../../src/lib/mirror/store/mirrorStore.ts';

export interface Unkindness {
  /** Whether this read of a row, or this call, is affected. */
  readonly stale: () => boolean;
  readonly fails: () => boolean;
}

export function createUnkindStore(store: MirrorStore, { stale, fails }: Unkindness): MirrorStore {
  /** Rows as they once were. */
  const old = new Map<string, StoredRow | undefined>();
  const name = (hub: string, key: Parameters<typeof keyText>[0]) => `${hub}|${keyText(key)}`;
  const maybeFail = () => {
    if (fails()) throw new StoreUnavailable('The store is out of order.');
  };
  return {
    ...store,
    async read(hub, keys, options = {}) {
      maybeFail();
      const rows = await store.read(hub, keys, options);
      return rows.map((row, at) => {
        const key = keys[at];
        if (key === undefined) return row;
        const text = name(hub, key);
        if (options.fresh !== true && old.has(text) && stale()) return old.get(text);
        if (stale()) old.set(text, row);
        return row;
      });
    },
    async readDevice(hub, deviceId) {
      maybeFail();
      return store.readDevice(hub, deviceId);
    },
    async write(hub, writes) {
      maybeFail();
      // Some of it is done when it fails.
      if (writes.length > 1 && fails()) {
        await store.write(hub, writes.slice(0, Math.ceil(writes.length / 2)));
        throw new StoreUnavailable('The store is out of order.');
      }
      return store.write(hub, writes);
    },
  };
}
