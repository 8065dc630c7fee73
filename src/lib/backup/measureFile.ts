/** Reads a file of a backup once, as a stream: what its manifest says of it, and whether every line of it is sound. */

import { createHash } from 'node:crypto';

import type { BlockBlobClient } from '@azure/storage-blob';

import { isModuleLine } from '../registryLines/snapshot.ts';
import { isObject } from '../runs/recordShape.ts';
import { bytesOf } from '../storage/readText.ts';
import { createLineSplitter } from '../textFile/lineSplitter.ts';
import type { BackupFile, BackupFileName } from './manifest.ts';

export interface MeasuredFile extends BackupFile {
  /** Of `devices.txt`; else 0. */
  readonly devices: number;
  /** Of `devices.txt`; else 0. */
  readonly modules: number;
  /** The first line that is not what the file has to hold; `byte` is where it begins, from 0. */
  readonly fault?: { readonly line: number; readonly byte: number };
}

/** Far above what a hub takes for one identity or configuration. */
const LONGEST_LINE = 16 * 1024 * 1024;

/**
 * @param etag of the version that is to be read
 * @throws whatever storage raises, and the reason of `signal`
 */
export async function measureFile(
  blob: BlockBlobClient,
  file: BackupFileName,
  { etag, signal }: { readonly etag: string; readonly signal?: AbortSignal | undefined },
): Promise<MeasuredFile> {
  const hash = createHash('sha256');
  const counts = { devices: 0, modules: 0, lines: 0 };
  let fault: MeasuredFile['fault'];
  let line = 0;
  let byte = 0;
  const counted = (length: number, isSound: () => boolean) => {
    line += 1;
    if (fault === undefined && !isSound()) fault = { line, byte };
    byte += length + 1;
  };
  const splitter = createLineSplitter(
    { maxLineBytes: LONGEST_LINE, headBytes: 0 },
    {
      block: () => undefined,
      line: (bytes, start, end) =>
        counted(end - start, () => countLine(bytes.toString('utf8', start, end), file, line, counts)),
      longLine: (_, length) => counted(length, () => false),
    },
  );
  let bytes = 0;
  for await (const chunk of bytesOf(blob, etag)) {
    signal?.throwIfAborted();
    hash.update(chunk);
    bytes += chunk.length;
    splitter.feed(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
  }
  splitter.end();
  return { bytes, sha256: hash.digest('hex'), ...counts, etag, ...(fault === undefined ? {} : { fault }) };
}

/** Counts a line; false: it does not belong there. */
function countLine(
  text: string,
  file: BackupFileName,
  line: number,
  counts: { devices: number; modules: number; lines: number },
): boolean {
  if (text.trim() === '') return true;
  // A hub that exports without keys may say so in a first line of plain text.
  if (line === 1 && file === 'devices.txt' && !text.startsWith('{')) return true;
  const value = objectOf(text);
  if (value === undefined) return false;
  // Live hubs write the members of configurations with capitals.
  const id = value['id'] ?? (file === 'configurations.txt' ? value['Id'] : undefined);
  if (file !== 'extras.ndjson' && typeof id !== 'string') return false;
  counts.lines += 1;
  if (file === 'devices.txt') {
    if (isModuleLine(value as { moduleId?: string | null })) counts.modules += 1;
    else counts.devices += 1;
  }
  return true;
}

function objectOf(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
