import type { BlockBlobClient } from '@azure/storage-blob';
import { defined } from '../defined.ts';

/**
 * A small blob as text, with the ETag of exactly that content.
 *
 * In one request: the SDK's `downloadToBuffer` asks for the length first, and tears a blob that is replaced in between.
 */
export async function readText(blob: BlockBlobClient): Promise<{ readonly text: string; readonly etag: string }> {
  const response = await blob.download();
  if (response.readableStreamBody === undefined || response.etag === undefined) {
    throw new Error(`Storage gave no content for ${blob.containerName}/${blob.name}.`);
  }
  const chunks: Uint8Array[] = [];
  for await (const chunk of response.readableStreamBody) {
    chunks.push(typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
  }
  return { text: Buffer.concat(chunks).toString('utf8'), etag: response.etag };
}

/** Which bytes of a blob. */
export interface ByteRange {
  readonly from: number;
  /** At least 1. */
  readonly count: number;
}

/**
 * The bytes of a blob as they arrive, whatever its size; a broken connection is taken up again, at the same version.
 *
 * @param range default: all of them
 */
export async function* bytesOf(
  blob: BlockBlobClient,
  ifMatch?: string,
  { from = 0, count }: Partial<ByteRange> = {},
): AsyncGenerator<Uint8Array> {
  const conditions = defined({ ifMatch });
  const { readableStreamBody } = await blob.download(from, count, { maxRetryRequests: 5, conditions });
  if (readableStreamBody === undefined)
    throw new Error(`Storage gave no content for ${blob.containerName}/${blob.name}.`);
  yield* readableStreamBody as AsyncIterable<Uint8Array>;
}
