/**
 * Reads lines of JSON once, as a stream: how much they are, and whether each is what it has to be. For what hubs export and
 * what backups keep.
 */

import { isAscii } from 'node:buffer';
import { createHash } from 'node:crypto';

import { createLineSplitter } from '../textFile/lineSplitter.ts';
import { isIdentityLine, isModuleLine } from './snapshot.ts';

export interface MeasuredLines {
  readonly bytes: number;
  /** Hexadecimal. */
  readonly sha256: string;
  /** The first line that does not belong there; `byte` is where it begins, from 0. */
  readonly fault?: { readonly line: number; readonly byte: number };
}

/** Far above what a hub takes for one identity or configuration. */
const LONGEST_LINE = 16 * 1024 * 1024;
const BYTE_ORDER_MARK = 0xfeff;

/**
 * @param belongs whether a line belongs there, numbered from 1. Not asked about blank lines, which do everywhere, and about
 *   what comes after a fault
 * @throws what the chunks throw, and the reason of `signal`
 */
export async function measureLines(
  chunks: AsyncIterable<Uint8Array>,
  belongs: (text: string, line: number) => boolean,
  signal?: AbortSignal,
): Promise<MeasuredLines> {
  const hash = createHash('sha256');
  let fault: MeasuredLines['fault'];
  let line = 0;
  let byte = 0;
  // Of the block that is at hand, where it is ASCII: decoded at once, which costs half of what it does line by line.
  let block = { start: 0, text: '' };
  const counted = (length: number, isSound: () => boolean) => {
    line += 1;
    if (fault === undefined && !isSound()) fault = { line, byte };
    byte += length + 1;
  };
  const splitter = createLineSplitter(
    { maxLineBytes: LONGEST_LINE, headBytes: 0 },
    {
      block(bytes, start, end) {
        block = { start, text: isAscii(bytes.subarray(start, end)) ? bytes.toString('latin1', start, end) : '' };
      },
      line: (bytes, start, end) =>
        counted(end - start, () => {
          const text =
            block.text === ''
              ? textOf(bytes.toString('utf8', start, end), line)
              : block.text.slice(start - block.start, end - block.start);
          return isBlank(text) || belongs(text, line);
        }),
      longLine: (_, length) => counted(length, () => false),
    },
  );
  let bytes = 0;
  for await (const chunk of chunks) {
    signal?.throwIfAborted();
    hash.update(chunk);
    bytes += chunk.length;
    splitter.feed(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
  }
  splitter.end();
  return { bytes, sha256: hash.digest('hex'), ...(fault === undefined ? {} : { fault }) };
}

function isBlank(text: string): boolean {
  return !isIdentityLine(text) && text.trim() === '';
}

function textOf(text: string, line: number): string {
  return line === 1 && text.charCodeAt(0) === BYTE_ORDER_MARK ? text.slice(1) : text;
}

export interface IdentityCount {
  /** Counts a line; false: it is none of an export. */
  add(text: string, line: number): boolean;
  identities(): number;
  /** Of these, the modules. */
  modules(): number;
}

/** Lines as a hub exports its registry; what is counted here is what readers take for an identity. */
export function countIdentities(): IdentityCount {
  let identities = 0;
  let modules = 0;
  return {
    add(text, line) {
      // A hub that exports without keys may say so in a first line of plain text.
      if (!isIdentityLine(text)) return line === 1;
      const found = objectOf(text);
      if (typeof found?.['id'] !== 'string') return false;
      identities += 1;
      if (isModuleLine(found as { moduleId?: string | null })) modules += 1;
      return true;
    },
    identities: () => identities,
    modules: () => modules,
  };
}

/** Undefined: the line is no object of JSON. */
export function objectOf(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Readonly<Record<string, unknown>>)
      : undefined;
  } catch {
    return undefined;
  }
}
