/**
 * Text blobs of one line each: lines and JSON rows, read and written as streams.
 *
 * For blobs that HubKeeper or a hub wrote; what people drop is read by the devices-file check, which trusts nothing.
 */

import type { BlockBlobClient } from '@azure/storage-blob';

import { createBlockWriter } from './blockWriter.ts';
import { bytesOf } from './readText.ts';

/**
 * The lines of a blob, or of one version of it, without their line ends; the last needs none. To be read once, one line
 * after the other.
 */
export function linesOf(blob: BlockBlobClient, ifMatch?: string): AsyncIterableIterator<string> {
  return oneByOne(splitLines(bytesOf(blob, ifMatch)), (line) => line);
}

/** The same, parsed. A row costs little more than in a loop of one's own over what arrives at a time. */
export function rowsOf<T>(
  blob: BlockBlobClient,
  parse: (line: string) => T = JSON.parse as (line: string) => T,
): AsyncIterableIterator<T> {
  return oneByOne(splitLines(bytesOf(blob)), parse);
}

/** The rows of a blob that say something of some lines of another, in the order of these. */
export interface RowsAlong<T> {
  /** Whether no row is left: the other lines need not even be parsed then. */
  isOver(): boolean;
  /** The next row, taken, if it is of the line that is at hand. */
  take(isOfLine: (row: T) => boolean): Promise<T | undefined>;
}

export async function rowsAlong<T>(blob: BlockBlobClient): Promise<RowsAlong<T>> {
  const rows = rowsOf<T>(blob);
  let next = await rows.next();
  return {
    isOver: () => next.done === true,
    async take(isOfLine) {
      if (next.done || !isOfLine(next.value)) return undefined;
      const { value } = next;
      next = await rows.next();
      return value;
    },
  };
}

/** Writes lines as a blob that appears whole, or not at all; gives their number. */
export async function writeLines(
  blob: BlockBlobClient,
  lines: Iterable<string> | AsyncIterable<string>,
  contentType?: string,
): Promise<number> {
  const writer = createBlockWriter(blob);
  let count = 0;
  for await (const line of lines) {
    writer.writeLine(0, line);
    count += 1;
    const wait = writer.drain();
    if (wait !== undefined) await wait;
  }
  await writer.commit(contentType);
  return count;
}

/** Splits a byte stream into batches of lines; none of them is empty. */
export async function* splitLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<readonly string[], undefined> {
  const decoder = new TextDecoder('utf-8');
  // Parts of a line that is not complete yet, joined once: joining per chunk would be quadratic in the line's length.
  let parts: string[] = [];
  for await (const chunk of chunks) {
    const lines = decoder.decode(chunk, { stream: true }).split('\n');
    if (lines.length > 1) {
      lines[0] = parts.join('') + lines[0];
      parts = [lines.pop() ?? ''];
      yield lines.map(withoutReturn);
    } else {
      parts.push(lines[0] ?? '');
    }
  }
  const last = parts.join('') + decoder.decode();
  if (last !== '') yield [withoutReturn(last)];
  return undefined;
}

function withoutReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}

/** By hand: a generator that hands on each line takes three times as long, and files have a million of them. */
export function oneByOne<T>(
  batches: AsyncGenerator<readonly string[], undefined>,
  of: (line: string) => T,
): AsyncIterableIterator<T> {
  let batch: readonly string[] = [];
  let at = 0;
  const fromNext = async (): Promise<IteratorResult<T, undefined>> => {
    const next = await batches.next();
    if (next.done) return { done: true, value: undefined };
    batch = next.value;
    at = 0;
    return result();
  };
  const result = (): IteratorResult<T, undefined> => ({ done: false, value: of(batch[at++] as string) });
  return {
    async next() {
      return at < batch.length ? result() : fromNext();
    },
    async return() {
      batch = [];
      await batches.return(undefined);
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
