/** The store of the mirror in memory: what every store promises, and nothing else. */

import type { IdentityKey, MirrorRow } from '../../src/lib/mirror/rows/row.ts';
import { bucketOf } from '../../src/lib/mirror/store/bucketOf.ts';
import { type MirrorStore, type RowRange, RowTooLarge, type RowWrite } from '../../src/lib/mirror/store/mirrorStore.ts';

interface Kept {
  /** As JSON: what is read is nobody else's object. */
  readonly text: string;
  readonly etag: string;
  /** When the registry is to be read, if it is. */
  readonly due: string | undefined;
  readonly bucket: number;
}

export interface MemoryMirrorStore extends MirrorStore {
  /** Puts rows there, whatever was there. */
  put(...rows: readonly MirrorRow[]): void;
  /** All rows of a hub, in order, without their ETags. */
  all(hub: string): readonly MirrorRow[];
  /** How many rows were written. */
  written(): number;
  /** Whether the registry is to be read for no row. */
  isIdle(): boolean;
}

const MOST_OF_ROW = 640 * 1024;

export function createMemoryMirrorStore(): MemoryMirrorStore {
  const hubs = new Map<string, Map<string, Kept>>();
  let version = 0;
  let writes = 0;
  const rowsOf = (hub: string): Map<string, Kept> => {
    const rows = hubs.get(hub) ?? new Map<string, Kept>();
    hubs.set(hub, rows);
    return rows;
  };
  const keep = (row: MirrorRow): void => {
    const device = rowsOf(row.hub).get(row.deviceId);
    // Who has read it without modules is to be told.
    if (row.moduleId !== undefined && device !== undefined && !hasModules(row)) {
      version += 1;
      rowsOf(row.hub).set(row.deviceId, { ...device, etag: `"${version}"` });
    }
    version += 1;
    if (!rowsOf(row.hub).has(nameOf(row))) countModule(row.hub, row, 1);
    const due = row.wanted === undefined ? undefined : (row.wanted.due ?? row.wanted.since);
    rowsOf(row.hub).set(nameOf(row), {
      text: JSON.stringify(row),
      etag: `"${version}"`,
      due,
      bucket: bucketOf(row.deviceId),
    });
  };
  /** How many modules each device has. */
  const modules = new Map<string, number>();
  const countModule = (hub: string, { deviceId, moduleId }: IdentityKey, more: number): void => {
    const name = `${hub}\u0000${deviceId}`;
    if (moduleId !== undefined) modules.set(name, (modules.get(name) ?? 0) + more);
  };
  const hasModules = ({ hub, deviceId }: MirrorRow): boolean => (modules.get(`${hub}\u0000${deviceId}`) ?? 0) > 0;
  const open = ({ text, etag }: Kept) => {
    const row = JSON.parse(text) as MirrorRow;
    return { row, etag, ...(row.moduleId !== undefined || hasModules(row) ? {} : { noModules: true as const }) };
  };
  const sorted = (hub: string, of?: number) =>
    [...rowsOf(hub)]
      .filter(([, { bucket }]) => of === undefined || bucket === of)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, kept]) => kept);

  return {
    prepare: async () => undefined,
    put: (...rows) => rows.forEach(keep),
    all: (hub) => sorted(hub).map((kept) => open(kept).row),
    written: () => writes,
    isIdle: () => [...hubs.keys()].every((hub) => sorted(hub).every(({ due }) => due === undefined)),
    async read(hub, keys) {
      return keys.map((key) => {
        const kept = rowsOf(hub).get(nameOf(key));
        return kept === undefined ? undefined : open(kept);
      });
    },
    async readDevice(hub, deviceId) {
      return [...rowsOf(hub)]
        .filter(([name]) => name === deviceId || name.startsWith(`${deviceId}\u0000`))
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([, kept]) => open(kept));
    },
    async write(hub, asked) {
      if (new Set(asked.map(({ key }) => nameOf(key))).size !== asked.length)
        throw new Error('Two writes are of one key.');
      const tooLarge = asked.find(({ row }) => row !== undefined && JSON.stringify(row).length > MOST_OF_ROW);
      if (tooLarge !== undefined) throw new RowTooLarge(tooLarge.key);
      const isOld = ({ key, before }: RowWrite) => rowsOf(hub).get(nameOf(key))?.etag !== before?.etag;
      const conflicts = asked.filter(isOld);
      for (const { key, row } of asked.filter((write) => !conflicts.includes(write))) {
        writes += 1;
        if (row !== undefined) keep(row);
        else if (rowsOf(hub).delete(nameOf(key))) countModule(hub, key, -1);
      }
      return conflicts;
    },
    async *rows(hub, range = {}) {
      for (const stored of sorted(hub, range.bucket).map(open)) {
        if (isIn(stored.row, range)) yield range.withoutProperties ? { ...stored, row: less(stored.row) } : stored;
      }
    },
    async *wanted(hub, { dueBy, most }) {
      const taken = new Map<number, number>();
      for (const kept of rowsOf(hub).values()) {
        const { bucket } = kept;
        if (kept.due === undefined || kept.due > dueBy || (taken.get(bucket) ?? 0) >= most) continue;
        const { deviceId, moduleId } = open(kept).row;
        taken.set(bucket, (taken.get(bucket) ?? 0) + 1);
        yield { deviceId, ...(moduleId === undefined ? {} : { moduleId }), due: kept.due };
      }
    },
    async countWanted(hub, most) {
      return Math.min(most, sorted(hub).filter(({ due }) => due !== undefined).length);
    },
  };
}

/** A device comes before its modules; no character of an id comes before this one. */
function nameOf({ deviceId, moduleId }: IdentityKey): string {
  return moduleId === undefined ? deviceId : `${deviceId}\u0000${moduleId}`;
}

function isIn({ deviceId, moduleId, state }: MirrorRow, range: RowRange): boolean {
  return (
    (range.after === undefined || deviceId > range.after) &&
    deviceId.startsWith(range.prefix ?? '') &&
    (range.of === undefined || (range.of === 'modules') === (moduleId !== undefined)) &&
    (range.presentOnly !== true || state === 'present')
  );
}

function less(row: MirrorRow): MirrorRow {
  return {
    ...row,
    changes: [],
    ...(row.twin === undefined ? {} : { twin: { ...row.twin, desired: {}, reported: {} } }),
  };
}
