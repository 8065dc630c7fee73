import type { BlobClient, RestError } from '@azure/storage-blob';

/**
 * A blob's whole content in one GET. The SDK's `downloadToBuffer` asks for the length first, and cuts a blob that is
 * rewritten in between.
 */
export async function downloadAll(blob: BlobClient): Promise<Buffer> {
  const { readableStreamBody } = await blob.download();
  const chunks: Buffer[] = [];
  for await (const chunk of readableStreamBody ?? []) {
    chunks.push(Buffer.from(chunk));
  }
  return Buffer.concat(chunks);
}

/** A note of the host's own, as JSON; undefined when there is none, or none that can be read: it is written anew. */
export async function downloadNote(blob: BlobClient): Promise<Readonly<Record<string, unknown>> | undefined> {
  let content: Buffer;
  try {
    content = await downloadAll(blob);
  } catch (error) {
    if ((error as RestError).statusCode === 404) {
      return undefined;
    }
    throw error;
  }
  try {
    const value: unknown = JSON.parse(content.toString('utf8'));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
