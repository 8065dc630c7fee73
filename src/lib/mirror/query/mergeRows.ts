import type { StoredRow } from '../store/mirrorStore.ts';
import { compareRows } from './place.ts';

/** Rows of several hubs, each in order, in one order (`compareRows`). */
export async function* mergeRows(sources: readonly AsyncIterable<StoredRow>[]): AsyncGenerator<StoredRow> {
  const readers = sources.map((source) => source[Symbol.asyncIterator]());
  try {
    const heads = await Promise.all(readers.map(next));
    for (;;) {
      const at = leastOf(heads);
      const [reader, head] = [readers[at], heads[at]];
      if (reader === undefined || head === undefined) return;
      yield head;
      heads[at] = await next(reader);
    }
  } finally {
    await Promise.all(readers.map((reader) => reader.return?.()));
  }
}

async function next(reader: AsyncIterator<StoredRow>): Promise<StoredRow | undefined> {
  const { done, value } = await reader.next();
  return done ? undefined : value;
}

/** Where the least of them is; -1: there is none. */
function leastOf(heads: readonly (StoredRow | undefined)[]): number {
  let least = -1;
  for (const [at, head] of heads.entries()) {
    const other = heads[least];
    if (head !== undefined && (other === undefined || compareRows(head.row, other.row) < 0)) least = at;
  }
  return least;
}
