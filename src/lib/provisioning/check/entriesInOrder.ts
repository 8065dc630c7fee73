import type { BlockBlobClient } from '@azure/storage-blob';

import { linesOf, rowsOf } from '../../storage/ndjson.ts';
import { decodeEntry, type IndexEntry } from './lineIndex.ts';

/**
 * The line index in the order of the file.
 *
 * The check writes it in its own order: lines that needed a second look come after all others, in order among themselves.
 * The index is then read twice at a time, and the two are merged.
 *
 * @param inOrder how many rows come before the late ones; undefined when there are none
 */
export function entriesInOrder(index: BlockBlobClient, inOrder: number | undefined): AsyncIterable<IndexEntry> {
  return inOrder === undefined ? rowsOf(index, decodeEntry) : merged(index, inOrder);
}

async function* merged(index: BlockBlobClient, inOrder: number): AsyncGenerator<IndexEntry> {
  const late = entriesFrom(index, inOrder);
  let next = await late.next();
  let left = inOrder;
  for await (const entry of rowsOf(index, decodeEntry)) {
    if (left-- === 0) break;
    for (; !next.done && next.value.line < entry.line; next = await late.next()) yield next.value;
    yield entry;
  }
  for (; !next.done; next = await late.next()) yield next.value;
}

async function* entriesFrom(index: BlockBlobClient, start: number): AsyncGenerator<IndexEntry> {
  let at = 0;
  for await (const text of linesOf(index)) if (at++ >= start) yield decodeEntry(text);
}
