import type { BlockBlobClient } from '@azure/storage-blob';

import { readLineBatches } from '../../storage/readLines.ts';
import { decodeEntry, type IndexEntry } from './lineIndex.ts';

/** More than this are never held together. */
const MOST_AT_ONCE = 2_000;

/**
 * The line index in the order of the file, in batches.
 *
 * The check writes it in its own order: lines that needed a second look come after all others, in order among themselves.
 * The index is then read twice at a time, and the two are merged.
 *
 * @param inOrder how many rows come before the late ones; undefined when there are none
 */
export async function* entriesInOrder(
  index: BlockBlobClient,
  inOrder: number | undefined,
): AsyncGenerator<readonly IndexEntry[]> {
  if (inOrder === undefined) {
    for await (const batch of readLineBatches(index)) yield batch.map(decodeEntry);
    return;
  }
  const late = rowsFrom(index, inOrder);
  let next = await late.next();
  let merged: IndexEntry[] = [];
  let left = inOrder;
  for await (const batch of readLineBatches(index)) {
    for (const text of batch.slice(0, left)) {
      const entry = decodeEntry(text);
      for (; !next.done && next.value.line < entry.line; next = await late.next()) merged.push(next.value);
      merged.push(entry);
      if (merged.length < MOST_AT_ONCE) continue;
      yield merged;
      merged = [];
    }
    left -= Math.min(left, batch.length);
    if (left === 0) break;
  }
  for (; !next.done; next = await late.next()) {
    merged.push(next.value);
    if (merged.length < MOST_AT_ONCE) continue;
    yield merged;
    merged = [];
  }
  if (merged.length > 0) yield merged;
}

async function* rowsFrom(index: BlockBlobClient, start: number): AsyncGenerator<IndexEntry> {
  let skip = start;
  for await (const batch of readLineBatches(index)) {
    for (const text of batch.slice(skip)) yield decodeEntry(text);
    skip -= Math.min(skip, batch.length);
  }
}
