import { isDeepStrictEqual } from 'node:util';

import type { RowWrite } from '../store/mirrorStore.ts';
import type { Consequences } from './applyReading.ts';
import { DAMAGED, readRows } from './readRows.ts';
import type { RefreshContext } from './refreshContext.ts';
import { writeRows } from './writeRows.ts';

/** As many rows as are written together: in each bucket of the store some. */
const ROWS_AT_ONCE = 500;
/** Where readings come this slowly, each is written at once. */
const SLOW_MS = 300;

export interface RowWriterOptions {
  /** Counts rows that were read, and of these those that are to be read again. */
  readonly tally: { read: number; again: number };
  /** The pace of the readings. */
  readonly msPerReading: number;
}

export interface RowWriter {
  add(more: Consequences): Promise<void>;
  /** Writes what was added last. */
  flush(): Promise<void>;
}

/**
 * Writes what follows from readings. What hangs on a row is wanted, or gone, before the row says so: whoever dies in between,
 * or comes too late for it, does both once more.
 */
export function createRowWriter(
  context: RefreshContext,
  hub: string,
  { tally, msPerReading }: RowWriterOptions,
): RowWriter {
  let first: RowWrite[] = [];
  let last: RowWrite[] = [];
  const flush = async (): Promise<void> => {
    const [before, after] = [first, last];
    [first, last] = [[], []];
    const missed = new Set((await writeRows(context, hub, before)).map(({ key }) => key.deviceId));
    const writes = missed.size === 0 ? after : after.filter(({ key }) => !missed.has(key.deviceId));
    const changed = await writeRows(context, hub, await afterModules(context, hub, writes, before));
    tally.read += after.length;
    tally.again += after.length - writes.length + changed.length;
    tally.again += writes.filter(({ row }) => row?.wanted !== undefined).length;
  };
  return {
    flush,
    async add(more) {
      first.push(...more.first);
      last.push(...more.last);
      if (last.length >= ROWS_AT_ONCE || msPerReading > SLOW_MS) await flush();
    },
  };
}

/** The first module of a device has made its row another version: the same row may still be written over. */
async function afterModules(
  context: RefreshContext,
  hub: string,
  writes: readonly RowWrite[],
  modules: readonly RowWrite[],
): Promise<readonly RowWrite[]> {
  const ids = new Set(modules.filter(({ before }) => before === undefined).map(({ key }) => key.deviceId));
  const isRenewed = ({ key, before }: RowWrite) =>
    key.moduleId === undefined && before?.noModules && ids.has(key.deviceId);
  const renewed = writes.filter(isRenewed);
  if (renewed.length === 0) return writes;
  const keys = renewed.map(({ key }) => key);
  const rows = await readRows(context, hub, keys, { fresh: true });
  const now = new Map(renewed.map((write, at) => [write, rows[at]]));
  return writes.map((write) => {
    const before = now.get(write);
    const isThere = before !== undefined && before !== DAMAGED;
    return isThere && isDeepStrictEqual(before.row, write.before?.row) ? { ...write, before } : write;
  });
}
