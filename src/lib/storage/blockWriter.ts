import { createHash, randomBytes } from 'node:crypto';

import type { BlockBlobClient } from '@azure/storage-blob';

/**
 * A blob has 50,000 blocks at most: enough for 200 GB. Each is a request that has to come back before the next but one is
 * sent, so that smaller ones wait more than they send.
 */
const BLOCK_BYTES = 4 * 1024 * 1024;
/** Blocks on their way at once: bounds memory, and hides the latency of one upload behind the filling of the next. */
const UPLOADS_AT_ONCE = 2;

/**
 * Writes lines into one block blob, in sections that need not be written in order: sections are put one after another
 * when the blob is committed. Memory stays flat, whatever the size of the blob.
 */
export interface BlockWriter {
  /** Appends one line (a newline is added) to a section. Never waits: call `drain` between batches. */
  writeLine(section: number, line: string | Uint8Array): void;
  /** Waits while too much is on its way; undefined when nothing needs waiting for. */
  drain(): Promise<void> | undefined;
  /** Makes the blob appear, whole, and gives its ETag. Nothing of it can be seen before. */
  commit(contentType?: string): Promise<string>;
}

interface Section {
  buffer: Buffer;
  used: number;
  readonly blockIds: string[];
}

/** @param blockBytes of a block; each section holds one, so that many sections want smaller ones */
export function createBlockWriter(blob: BlockBlobClient, sections = 1, blockBytes = BLOCK_BYTES): BlockWriter {
  // Two attempts may write the same blob at a time; ids of their own keep their uncommitted blocks apart.
  const attempt = randomBytes(6).toString('hex');
  let blocks = 0;
  const uploads = new Set<Promise<void>>();
  let failure: unknown;
  /** Sent blocks' memory, used again: a large file would otherwise leave hundreds of megabytes to the garbage collector. */
  const spare: Buffer[] = [];

  const all = Array.from({ length: sections }, (): Section => ({ buffer: Buffer.alloc(0), used: 0, blockIds: [] }));

  const upload = (section: Section): void => {
    if (section.used === 0) return;
    const { buffer } = section;
    const body = buffer.subarray(0, section.used);
    section.buffer = spare.pop() ?? Buffer.alloc(0);
    section.used = 0;
    const id = Buffer.from(`${attempt}-${String(blocks++).padStart(6, '0')}`).toString('base64');
    section.blockIds.push(id);
    const sent = blob
      // Storage refuses a block that was damaged on its way.
      .stageBlock(id, body, body.length, { transactionalContentMD5: createHash('md5').update(body).digest() })
      .then(
        () => undefined,
        (error: unknown) => {
          failure ??= error;
        },
      )
      .finally(() => {
        uploads.delete(sent);
        if (buffer.length === blockBytes) spare.push(buffer);
      });
    uploads.add(sent);
  };

  const makeRoom = (section: Section, bytes: number): void => {
    if (section.used + bytes <= section.buffer.length) return;
    if (section.used > 0 && section.used + bytes > blockBytes) {
      upload(section);
      if (bytes <= section.buffer.length) return;
    }
    grow(section, section.used + bytes, blockBytes);
  };

  const settled = async (atMost: number): Promise<void> => {
    while (uploads.size > atMost) await Promise.race(uploads);
    if (failure !== undefined) throw failure;
  };

  return {
    writeLine(index, line) {
      const section = all[index];
      if (section === undefined)
        throw new RangeError(`The blob has ${sections} sections; there is no section ${index}.`);
      const bytes = (typeof line === 'string' ? Buffer.byteLength(line) : line.length) + 1;
      makeRoom(section, bytes);
      if (typeof line === 'string') section.used += section.buffer.write(line, section.used, 'utf8');
      else {
        section.buffer.set(line, section.used);
        section.used += line.length;
      }
      section.buffer[section.used++] = 0x0a;
    },
    drain() {
      return uploads.size >= UPLOADS_AT_ONCE || failure !== undefined ? settled(UPLOADS_AT_ONCE - 1) : undefined;
    },
    async commit(contentType = 'application/x-ndjson; charset=utf-8') {
      for (const section of all) upload(section);
      await settled(0);
      const { etag } = await blob.commitBlockList(
        all.flatMap((section) => section.blockIds),
        { blobHTTPHeaders: { blobContentType: contentType } },
      );
      if (etag === undefined) throw new Error(`Storage gave no ETag for ${blob.containerName}/${blob.name}.`);
      return etag;
    },
  };
}

/** The first block starts small (most blobs stay small); later ones are known to fill up. */
function grow(section: Section, leastBytes: number, blockBytes: number): void {
  const wanted =
    section.blockIds.length > 0 ? blockBytes : Math.min(blockBytes, Math.max(16 * 1024, section.buffer.length * 2));
  const grown = Buffer.allocUnsafe(Math.max(wanted, leastBytes));
  section.buffer.copy(grown, 0, 0, section.used);
  section.buffer = grown;
}
