/**
 * A snapshot spread over the buckets of the store: one blob, with a section for each bucket. So a bucket is compared
 * without reading the rest, by whichever attempt, and with what it needs in memory.
 */

import type { BlockBlobClient } from '@azure/storage-blob';

import { lacksParent, type ParentScopes } from '../../registryExtras/parentScopes.ts';
import { createBlockWriter } from '../../storage/blockWriter.ts';
import { bucketOf } from '../store/bucketOf.ts';
import { BUCKETS } from '../store/mirrorStore.ts';
import { shownIdentity } from './shownIdentity.ts';

/** Where the sections lie; it is noted in the record of the run. */
export interface SplitSnapshot {
  readonly blobName: string;
  readonly etag: string;
  /** Bytes of each section, in the order of the buckets. */
  readonly sections: readonly number[];
  /** Identities in all of them. */
  readonly identities: number;
}

export interface SplitOptions {
  /** Of the lines, about. */
  readonly bytes: number;
  /** Asked for once a line does not tell its parent; undefined: nobody knows. */
  parents(): Promise<ParentScopes | undefined>;
}

/** Each section fills one at a time: 64 of the least are 8 MB. A blob has 50,000 at most. */
const LEAST_BLOCK_BYTES = 128 * 1024;
const MOST_BLOCKS = 40_000;

/**
 * Writes the blob, which holds no key.
 *
 * @param lines as a hub exports them, verified
 */
export async function splitSnapshot(
  lines: AsyncIterable<string>,
  blob: BlockBlobClient,
  { bytes, parents }: SplitOptions,
): Promise<SplitSnapshot> {
  const writer = createBlockWriter(blob, BUCKETS, Math.max(LEAST_BLOCK_BYTES, Math.ceil(bytes / MOST_BLOCKS)));
  const sections = new Array<number>(BUCKETS).fill(0);
  let identities = 0;
  let asked: { readonly scopes: ParentScopes | undefined } | undefined;
  for await (const text of lines) {
    if (lacksParent(text)) asked ??= { scopes: await parents() };
    const shown = shownIdentity(text, asked?.scopes);
    const bucket = bucketOf(shown.deviceId);
    const line = JSON.stringify(shown);
    writer.writeLine(bucket, line);
    sections[bucket] = (sections[bucket] ?? 0) + Buffer.byteLength(line) + 1;
    identities += 1;
    const wait = writer.drain();
    if (wait !== undefined) await wait;
  }
  return { blobName: blob.name, etag: await writer.commit(), sections, identities };
}
