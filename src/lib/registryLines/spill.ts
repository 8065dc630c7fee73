/**
 * Rows spread over buckets, in one file: written as they come, read back bucket by bucket. Memory is what a row and the
 * rows of one bucket take, and as much again of each bucket as is not written yet.
 */

import { isAscii } from 'node:buffer';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { platform } from 'node:process';

/** Of a bucket, in memory; larger rows go to the file at once. */
const HELD_BYTES = 32 * 1024;
/** A character of UTF-16 takes at most so many bytes of UTF-8. */
const MOST_BYTES = 3;
/** As many as a system takes in one call, or more (IOV_MAX is 1024 on Linux and macOS). */
const MOST_PIECES = 256;
const NEWLINE = 0x0a;

/** The error to throw when something cannot be written. */
export type ExplainWrite = (error: unknown) => unknown;

export class Spill {
  private readonly file: FileHandle;
  private readonly held: Buffer;
  /** How much of each bucket is in memory. */
  private readonly filled: Uint32Array;
  /** Where the parts of each bucket are in the file: offset and length, in turn. */
  private readonly parts: number[][];
  private readonly explain: ExplainWrite;
  private end = 0;

  private constructor(file: FileHandle, buckets: number, explain: ExplainWrite) {
    this.file = file;
    this.explain = explain;
    this.held = Buffer.allocUnsafe(buckets * HELD_BYTES);
    this.filled = new Uint32Array(buckets);
    this.parts = Array.from({ length: buckets }, () => []);
  }

  /** @param path of a file that is not there; others may not read it */
  static async create(path: string, buckets: number, explain: ExplainWrite = (error) => error): Promise<Spill> {
    const file = await open(path, 'wx+', 0o600);
    // Without a name it is gone with the process, however that ends. Windows keeps the name until the file is closed.
    if (platform !== 'win32') await rm(path);
    return new Spill(file, buckets, explain);
  }

  /**
   * @param row without a newline
   * @returns what to wait for before the next row; undefined: nothing
   */
  add(bucket: number, row: string): Promise<void> | undefined {
    const most = row.length * MOST_BYTES + 1;
    if (most > HELD_BYTES) return this.addLarge(bucket, row);
    const filled = this.filled[bucket] ?? 0;
    if (filled + most <= HELD_BYTES) {
      this.hold(bucket, row, filled);
      return undefined;
    }
    return this.flush().then(() => this.hold(bucket, row, 0));
  }

  /** The rows of a bucket, in the order in which they came. */
  async read(bucket: number): Promise<readonly string[]> {
    await this.flush();
    const parts = this.parts[bucket] ?? [];
    let length = 0;
    for (let part = 1; part < parts.length; part += 2) length += parts[part] ?? 0;
    if (length === 0) return [];
    const bytes = Buffer.allocUnsafe(length);
    const reads: Promise<void>[] = [];
    for (let part = 0, at = 0; part < parts.length; part += 2) {
      const [offset = 0, size = 0] = parts.slice(part, part + 2);
      reads.push(readFully(this.file, bytes.subarray(at, at + size), offset));
      at += size;
    }
    await Promise.all(reads);
    return bytes.toString(isAscii(bytes) ? 'latin1' : 'utf8', 0, length - 1).split('\n');
  }

  async close(): Promise<void> {
    await this.file.close();
  }

  private hold(bucket: number, row: string, filled: number): void {
    const start = bucket * HELD_BYTES + filled;
    const length = this.held.write(row, start, 'utf8');
    this.held[start + length] = NEWLINE;
    this.filled[bucket] = filled + length + 1;
  }

  private async addLarge(bucket: number, row: string): Promise<void> {
    await this.flush();
    const bytes = Buffer.from(`${row}\n`);
    await this.append([bucket], [bytes]);
  }

  /** All buckets in one go: they fill alike, and one call for each would take most of the time. */
  private async flush(): Promise<void> {
    const buckets: number[] = [];
    const pieces: Buffer[] = [];
    this.filled.forEach((filled, bucket) => {
      if (filled === 0) return;
      const start = bucket * HELD_BYTES;
      buckets.push(bucket);
      pieces.push(this.held.subarray(start, start + filled));
    });
    this.filled.fill(0);
    for (let from = 0; from < buckets.length; from += MOST_PIECES) {
      await this.append(buckets.slice(from, from + MOST_PIECES), pieces.slice(from, from + MOST_PIECES));
    }
  }

  private async append(buckets: readonly number[], pieces: Buffer[]): Promise<void> {
    const offset = this.end;
    let length = 0;
    pieces.forEach((piece, index) => {
      this.parts[buckets[index] ?? 0]?.push(offset + length, piece.length);
      length += piece.length;
    });
    try {
      await this.write(pieces, length, offset);
    } catch (error) {
      throw this.explain(error);
    }
    this.end += length;
  }

  private async write(pieces: Buffer[], length: number, offset: number): Promise<void> {
    const { bytesWritten } = await this.file.writev(pieces, offset);
    if (bytesWritten === length) return;
    // A call may write less than it was given.
    const all = Buffer.concat(pieces);
    for (let at = bytesWritten; at < length; ) {
      at += (await this.file.write(all, at, length - at, offset + at)).bytesWritten;
    }
  }
}

async function readFully(file: FileHandle, into: Buffer, offset: number): Promise<void> {
  for (let at = 0; at < into.length; ) {
    const { bytesRead } = await file.read(into, at, into.length - at, offset + at);
    if (bytesRead === 0) throw new Error('A file with rows that were put aside is shorter than what was written.');
    at += bytesRead;
  }
}
