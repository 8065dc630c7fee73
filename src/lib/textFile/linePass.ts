/** Reads a devices file once, from the bytes as dropped to lines of text, in flat memory. */

import { isAscii, isUtf8 } from 'node:buffer';
import { FileRefused } from './fileRefused.ts';
import { type InputEvents, readText } from './inputBytes.ts';
import { createLineSplitter } from './lineSplitter.ts';

/** The bytes as dropped; asked for once. */
export type OpenInput = () => Promise<AsyncIterable<Uint8Array>> | AsyncIterable<Uint8Array>;

export interface LinePassOptions {
  readonly open: OpenInput;
  readonly maxLineBytes: number;
  /** How much of a line that is too long is handed out. */
  readonly headBytes: number;
  readonly abortSignal: AbortSignal | undefined;
  /** Called after each piece of input, and waited for. */
  readonly pause: () => Promise<void> | undefined;
}

/** A line as it came. One object for all lines; its bytes are valid only during the call. */
export interface LineBytes {
  bytes: Buffer;
  /** Without the newline. */
  start: number;
  end: number;
  /** Without blanks around it. */
  textStart: number;
  textEnd: number;
}

/** Line numbers start at 1 and count every line. Bytes are valid only during the call. */
export interface LinePassEvents extends InputEvents {
  /** `text` has no blanks around it. */
  text(line: number, text: string, source: LineBytes): void;
  blank(): void;
  badUtf8(line: number, bytes: Buffer): void;
  longLine(line: number, head: Buffer, length: number): void;
}

/** Input is worked on in pieces of at most this size, so that one huge chunk does not pile up in the sink. */
const PIECE_BYTES = 256 * 1024;

/** @throws {FileRefused} if the file as a whole is no text; the signal's reason; what `open` and its stream throw. */
export async function readLines(options: LinePassOptions, events: LinePassEvents): Promise<void> {
  let number = 0;
  let encoding: 'ascii' | 'utf8' | 'broken' = 'ascii';
  const source: LineBytes = { bytes: Buffer.alloc(0), start: 0, end: 0, textStart: 0, textEnd: 0 };

  const splitter = createLineSplitter(options, {
    block(bytes, start, end) {
      // Asked once for many lines: nearly every file is ASCII, which decodes fastest.
      const block = bytes.subarray(start, end);
      encoding = isAscii(block) ? 'ascii' : isUtf8(block) ? 'utf8' : 'broken';
    },
    line(bytes, start, end) {
      number += 1;
      let from = start;
      let to = end;
      while (to > from && isBlank(bytes[to - 1])) to -= 1;
      while (from < to && isBlank(bytes[from])) from += 1;
      if (from === to) {
        events.blank();
      } else {
        if (encoding === 'broken' && !isUtf8(bytes.subarray(start, end))) {
          events.badUtf8(number, bytes.subarray(start, end));
          return;
        }
        source.bytes = bytes;
        source.start = start;
        source.end = end;
        source.textStart = from;
        source.textEnd = to;
        events.text(number, bytes.toString(encoding === 'ascii' ? 'latin1' : 'utf8', from, to), source);
      }
    },
    longLine(head, length) {
      number += 1;
      events.longLine(number, head, length);
    },
  });

  for await (const chunk of readText(await options.open(), events)) {
    for (let at = 0; at < chunk.length; at += PIECE_BYTES) {
      options.abortSignal?.throwIfAborted();
      const piece = chunk.subarray(at, at + PIECE_BYTES);
      const zero = piece.indexOf(0);
      splitter.feed(zero < 0 ? piece : piece.subarray(0, zero));
      if (zero >= 0) throw new FileRefused('binary', { line: number + 1 });
      const pause = options.pause();
      if (pause !== undefined) await pause;
    }
  }
  splitter.end();
  await options.pause();
}

function isBlank(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0d || byte === 0x09;
}
