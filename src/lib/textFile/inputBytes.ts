/**
 * From the bytes as dropped to the bytes of the text: tells gzip by its first bytes (whatever the name says), unpacks it,
 * drops a UTF-8 byte order mark, and refuses what can be no devices file.
 */

import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { defined } from '../defined.ts';
import type { FileRefusedCode } from './fileReasons.ts';
import { FileRefused } from './fileRefused.ts';

export interface InputEvents {
  /** Each chunk as dropped, before anything is done to it. */
  dropped?(chunk: Buffer): void;
  /** The text starts with a byte order mark, which was left out. */
  byteOrderMark?(): void;
}

/** Enough to know every format of `MAGIC`, and the name of the first file in a zip archive. */
const HEAD_BYTES = 64;
const GZIP = [0x1f, 0x8b];
const ZIP = [0x50, 0x4b, 0x03, 0x04];
/** Where the name of the first file stands in a zip archive, and what that is in workbooks of Excel and LibreOffice. */
const ZIP_NAME_AT = 30;
const WORKBOOK_FILES = /^(?:\[Content_Types\]\.xml|_rels\/|docProps\/|xl\/|mimetypeapplication\/vnd\.oasis)/;
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf];

/** First bytes of files that people drop by mistake; a position that is undefined may be anything. */
const MAGIC: readonly {
  readonly bytes: readonly (number | undefined)[];
  readonly code: FileRefusedCode;
  readonly format?: string;
}[] = [
  { bytes: [0xff, 0xfe], code: 'utf16' },
  { bytes: [0xfe, 0xff], code: 'utf16' },
  // UTF-16 and UTF-32 without a mark: an ASCII character with zero bytes on one side.
  { bytes: [0x7b, 0x00], code: 'utf16' },
  { bytes: [0x00, 0x7b], code: 'utf16' },
  { bytes: [0x00, 0x00, 0x00, 0x7b], code: 'utf16' },
  { bytes: [0x00, 0x00, 0xfe, 0xff], code: 'utf16' },
  // Workbooks: of old Excel (and all that are encrypted), and of new ones, which are zip archives.
  { bytes: [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1], code: 'workbook' },
  { bytes: ZIP, code: 'otherCompression', format: 'zip' },
  { bytes: [0x28, 0xb5, 0x2f, 0xfd], code: 'otherCompression', format: 'zstd' },
  { bytes: [0x42, 0x5a, 0x68, undefined, 0x31, 0x41], code: 'otherCompression', format: 'bzip2' },
  { bytes: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], code: 'otherCompression', format: 'xz' },
  { bytes: [0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c], code: 'otherCompression', format: '7-Zip' },
];

/**
 * The bytes of the text, in chunks of any size.
 *
 * @throws {FileRefused} for whole-file trouble; whatever `source` throws, unchanged.
 */
export async function* readText(source: AsyncIterable<Uint8Array>, events: InputEvents): AsyncGenerator<Buffer> {
  const dropped = countDropped(source, events);
  const unpacked: AsyncGenerator<Buffer>[] = [];
  try {
    const { head, chunks } = await lookAhead(dropped);
    if (!startsWith(head, GZIP)) {
      yield* plainText(head, chunks, events);
      return;
    }
    const text = gunzip(chunks);
    unpacked.push(text);
    const inner = await lookAhead(text);
    if (startsWith(inner.head, GZIP)) throw new FileRefused('gzipTwice');
    yield* plainText(inner.head, inner.chunks, events);
  } finally {
    // Whatever was refused or given up: the source (a connection, a file) is let go of.
    for (const opened of [...unpacked, dropped]) await opened.return(undefined);
  }
}

async function* plainText(head: Buffer, chunks: AsyncIterable<Buffer>, events: InputEvents): AsyncGenerator<Buffer> {
  if (startsWith(head, ZIP) && WORKBOOK_FILES.test(head.toString('latin1', ZIP_NAME_AT))) {
    throw new FileRefused('workbook');
  }
  for (const { bytes, code, format } of MAGIC) {
    if (startsWith(head, bytes)) throw new FileRefused(code, { values: defined({ format }) });
  }
  let toDrop = 0;
  if (startsWith(head, BYTE_ORDER_MARK)) {
    toDrop = BYTE_ORDER_MARK.length;
    events.byteOrderMark?.();
  }
  for await (const chunk of chunks) {
    if (toDrop === 0) {
      yield chunk;
    } else {
      const rest = chunk.subarray(toDrop);
      toDrop -= chunk.length - rest.length;
      if (rest.length > 0) yield rest;
    }
  }
}

async function* countDropped(source: AsyncIterable<Uint8Array>, events: InputEvents): AsyncGenerator<Buffer> {
  for await (const chunk of source) {
    if (chunk.length === 0) continue;
    const bytes = Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    events.dropped?.(bytes);
    yield bytes;
  }
}

/** The first bytes; `chunks` still gives all of them. */
async function lookAhead(source: AsyncGenerator<Buffer>): Promise<{ head: Buffer; chunks: AsyncGenerator<Buffer> }> {
  const seen: Buffer[] = [];
  let length = 0;
  while (length < HEAD_BYTES) {
    const next = await source.next();
    if (next.done === true) break;
    seen.push(next.value);
    length += next.value.length;
  }
  async function* chunks(): AsyncGenerator<Buffer> {
    yield* seen;
    yield* source;
  }
  return { head: Buffer.concat(seen).subarray(0, HEAD_BYTES), chunks: chunks() };
}

function startsWith(head: Buffer, bytes: readonly (number | undefined)[]): boolean {
  return head.length >= bytes.length && bytes.every((byte, index) => byte === undefined || head[index] === byte);
}

async function* gunzip(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const unzip = createGunzip({ chunkSize: 256 * 1024 });
  let fed = 0;
  let sourceFailure: { readonly error: unknown } | undefined;
  async function* feed(): AsyncGenerator<Buffer> {
    try {
      for await (const chunk of source) {
        fed += chunk.length;
        yield chunk;
      }
    } catch (error) {
      sourceFailure = { error };
      throw error;
    }
  }
  const piped = pipeline(Readable.from(feed()), unzip);
  // The same failure reaches the loop below, which reports it.
  piped.catch(() => undefined);
  try {
    for await (const chunk of unzip) yield chunk as Buffer;
    await piped;
  } catch (error) {
    if (sourceFailure !== undefined) throw sourceFailure.error;
    throw gzipRefusal(error);
  }
  // After a member, Node takes a zero byte for the end of all and drops what follows; lines may be lost there.
  if (unzip.bytesWritten !== fed) throw new FileRefused('gzipCorrupt');
}

function gzipRefusal(error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'Z_BUF_ERROR') return new FileRefused('gzipTruncated');
  // The source was read well, so it is the unpacking that stopped before the end.
  if (code === 'ERR_STREAM_PREMATURE_CLOSE') return new FileRefused('gzipCorrupt');
  if (typeof code === 'string' && code.startsWith('Z_')) return new FileRefused('gzipCorrupt');
  return error;
}
