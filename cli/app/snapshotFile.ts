/** A file as a side of a comparison: a snapshot, or a devices file with an object of JSON a line. */

import { isAscii, isUtf8 } from 'node:buffer';
import { createReadStream } from 'node:fs';

import { type Problem, problemOf } from '../../src/lib/devicesFile/findings.ts';
import type { Side } from '../../src/lib/registryLines/compareSnapshots.ts';
import type { SnapshotKeys } from '../../src/lib/registryLines/snapshot.ts';
import { oneByOne } from '../../src/lib/storage/ndjson.ts';
import { FileRefused } from '../../src/lib/textFile/fileRefused.ts';
import { readText } from '../../src/lib/textFile/inputBytes.ts';
import { createLineSplitter } from '../../src/lib/textFile/lineSplitter.ts';
import { refuseOtherFormats } from '../../src/lib/textFile/otherFormats.ts';
import { locateUtf8Error } from '../../src/lib/textFile/utf8Error.ts';
import { usageError } from '../cliError.ts';
import { type DevicesFile, inspectFile } from './drop.ts';
import { refusedFile } from './refusedFile.ts';

/** Text that is worked on at a time. */
const PIECE_BYTES = 256 * 1024;
const MAX_LINE_BYTES = 1024 * 1024;
/** Enough of a line that is too long to tell another format by. */
const HEAD_BYTES = 4096;

export interface SnapshotFileEvents {
  /** Bytes of the file that were read. */
  read(bytes: number): void;
  /** A line that cannot be read as text. */
  rejected(line: number, problem: Problem): void;
}

/**
 * Looks at a file that is to be compared.
 *
 * @throws CliError for what is no file, or CSV
 */
export async function inspectSnapshotFile(path: string): Promise<DevicesFile> {
  const file = await inspectFile(path, { mayBeEmpty: true });
  if (file.format === 'csv') {
    throw usageError(
      `${path} is CSV; files are compared that have a JSON object a line.`,
      'Give a snapshot, or a devices file in JSON.',
    );
  }
  return file;
}

/** @throws once it is read: CliError for a file of another form; the signal's reason */
export function snapshotFile(
  { path, bytes: size, isGzip }: Pick<DevicesFile, 'path' | 'bytes' | 'isGzip'>,
  events: SnapshotFileEvents,
  signal: AbortSignal,
): Side {
  let keys: SnapshotKeys = 'included';
  async function* batches(): AsyncGenerator<readonly string[], undefined> {
    const lines = new TextLines(events);
    const bytes = async function* (): AsyncGenerator<Uint8Array> {
      for await (const chunk of createReadStream(path, { highWaterMark: PIECE_BYTES, signal })) {
        events.read((chunk as Uint8Array).length);
        yield chunk as Uint8Array;
      }
    };
    try {
      for await (const chunk of readText(bytes(), {})) {
        // What is unpacked may come in larger pieces.
        for (let at = 0; at < chunk.length; at += PIECE_BYTES) yield lines.feed(chunk.subarray(at, at + PIECE_BYTES));
      }
      yield lines.end();
    } catch (error) {
      throw error instanceof FileRefused ? refusedFile(path, error) : error;
    } finally {
      keys = lines.keys;
    }
    return undefined;
  }
  return {
    get keys() {
      return keys;
    },
    lines: () => oneByOne(notEmpty(batches()), (line) => line),
    ...(isGzip ? {} : { bytes: size }),
  };
}

async function* notEmpty(
  batches: AsyncGenerator<readonly string[], undefined>,
): AsyncGenerator<readonly string[], undefined> {
  for await (const batch of batches) if (batch.length > 0) yield batch;
  return undefined;
}

/** Text in pieces of any size, as lines; one that is no text is told of, and comes as an empty one. */
class TextLines {
  keys: SnapshotKeys = 'included';
  private number = 0;
  private ready: string[] = [];
  private atFirstText = true;
  private readonly events: SnapshotFileEvents;
  private readonly splitter = createLineSplitter(
    { maxLineBytes: MAX_LINE_BYTES, headBytes: HEAD_BYTES },
    {
      block: () => undefined,
      line: (bytes, start, end) => this.take(bytes.subarray(start, end)),
      longLine: (head, length) => {
        this.lookAt(head.toString('latin1'));
        this.reject(problemOf('lineTooLong', { length, limit: MAX_LINE_BYTES }));
      },
    },
  );

  constructor(events: SnapshotFileEvents) {
    this.events = events;
  }

  feed(chunk: Buffer): readonly string[] {
    const zero = chunk.indexOf(0);
    this.splitter.feed(zero < 0 ? chunk : chunk.subarray(0, zero));
    if (zero >= 0) throw new FileRefused('binary', { line: this.number + 1 });
    return this.taken();
  }

  end(): readonly string[] {
    this.splitter.end();
    return this.taken();
  }

  private taken(): readonly string[] {
    const { ready } = this;
    this.ready = [];
    return ready;
  }

  private take(bytes: Buffer): void {
    if (isAscii(bytes)) {
      this.add(bytes.toString('latin1'));
    } else if (isUtf8(bytes)) {
      this.add(bytes.toString('utf8'));
    } else {
      if (this.atFirstText && !bytes.includes('{')) throw new FileRefused('binary', { line: this.number + 1 });
      this.reject(problemOf('badUtf8', { byte: locateUtf8Error(bytes) + 1 }));
    }
  }

  private add(text: string): void {
    this.lookAt(text.trim());
    this.number += 1;
    this.ready.push(text);
  }

  private reject(problem: Problem): void {
    this.number += 1;
    this.atFirstText = false;
    this.events.rejected(this.number, problem);
    this.ready.push('');
  }

  /** What the first text of a file tells of it. */
  private lookAt(text: string): void {
    if (!this.atFirstText || text === '') return;
    this.atFirstText = false;
    refuseOtherFormats(this.number + 1, text);
    if (this.number === 0 && !/[{}"]/.test(text)) this.keys = 'excluded';
  }
}
