import type { BlockBlobClient } from '@azure/storage-blob';

/**
 * The lines of a text blob, in batches as they arrive, without their line ends. For blobs that HubKeeper or a hub wrote;
 * what people drop is read by the devices-file check, which trusts nothing.
 */
export async function* readLineBatches(blob: BlockBlobClient): AsyncGenerator<readonly string[]> {
  const response = await blob.download(0, undefined, { maxRetryRequests: 5 });
  if (response.readableStreamBody === undefined) {
    throw new Error(`Storage gave no content for ${blob.containerName}/${blob.name}.`);
  }
  yield* splitLines(response.readableStreamBody as AsyncIterable<Uint8Array>);
}

/** The same, line by line. */
export async function* readEachLine(blob: BlockBlobClient): AsyncGenerator<string, undefined> {
  for await (const batch of readLineBatches(blob)) yield* batch;
  return undefined;
}

/** Splits a byte stream into batches of lines; the last line needs no newline. */
export async function* splitLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<readonly string[]> {
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
}

function withoutReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}
