/**
 * From the bytes of a CSV file to lines of JSON, in flat memory: each row is handed out as the line that it stands for, so
 * that all that holds for lines holds for rows.
 */

import { isAscii, isUtf8 } from 'node:buffer';
import { finished } from 'node:stream/promises';
import { CsvError, type Parser, parse } from 'csv-parse';
import { FileRefused } from '../../textFile/fileRefused.ts';
import { readText } from '../../textFile/inputBytes.ts';
import type { LineBytes, LinePassEvents, LinePassOptions } from '../../textFile/linePass.ts';
import { type Note, type Problem, problemOf } from '../findings.ts';
import type { CsvCell } from './csvCells.ts';
import { type CsvColumns, readCsvColumns } from './csvColumns.ts';
import { type CsvDelimiter, detectDelimiter, readSepLine } from './csvDelimiter.ts';

/** Rows are told apart by the number of the line on which they start. */
export interface RowPassEvents extends LinePassEvents {
  /** The header, once and first, as it came. */
  header?(bytes: Buffer): void;
  /** What is to be said of columns: with the header, and when all rows are read. */
  columns?(line: number, notes: readonly Note[]): void;
  /** A row that does not fit the header. */
  badRow?(line: number, bytes: Buffer, problem: Problem): void;
}

const PIECE_BYTES = 64 * 1024;
/** More than the parser looks ahead: so many bytes behind a row may be held before the row is handed out. */
const LOOKAHEAD_BYTES = 16;
const NEWLINE = 0x0a;
const RETURN = 0x0d;
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);

/**
 * As `readLines`, but for CSV. What is handed out as `source` holds the row as it came (`start` to `end`) and the line made
 * of it (`textStart` to `textEnd`).
 *
 * @throws {FileRefused} if the file as a whole is no CSV file of devices; the signal's reason; what `open` and its stream
 *   throw.
 */
export async function readRows(options: LinePassOptions, events: RowPassEvents): Promise<void> {
  const rows = new RowReader(options, events);
  let offset = 0;
  for await (const chunk of readText(await options.open(), events)) {
    for (let at = 0; at < chunk.length; at += PIECE_BYTES) {
      options.abortSignal?.throwIfAborted();
      const piece = chunk.subarray(at, at + PIECE_BYTES);
      const zero = piece.indexOf(0);
      // Text in UTF-16 has a zero byte beside its first character.
      if (zero >= 0 && offset + zero < 2) throw new FileRefused('utf16');
      await rows.feed(zero < 0 ? piece : piece.subarray(0, zero));
      if (zero >= 0) throw new FileRefused('binary', { line: rows.lineRead() });
      offset += piece.length;
      const pause = options.pause();
      if (pause !== undefined) await pause;
    }
  }
  await rows.end();
  await options.pause();
}

/** Takes the text of a CSV file piece by piece, and hands out its rows. */
class RowReader {
  private readonly events: RowPassEvents;
  private readonly maxLineBytes: number;
  /** What was read and is not handed out yet, `held[0, used)`; it starts with a row. */
  private held = Buffer.allocUnsafe(2 * PIECE_BYTES);
  private used = 0;
  /** Offset in the text of what `held` starts with, and its line. */
  private heldFrom = 0;
  private line = 1;
  /** Where in `held` the next row starts. */
  private rowStart = 0;
  private parser: Parser | undefined;
  private columns: CsvColumns | undefined;
  private headerLine = 0;
  /** Excel's line `sep=;`, if there is one: it belongs to the header. */
  private sepLine = Buffer.alloc(0);
  /** A row and its line of JSON behind one another. */
  private joined = Buffer.alloc(0);
  private readonly source: LineBytes = { bytes: this.joined, start: 0, end: 0, textStart: 0, textEnd: 0 };

  constructor({ maxLineBytes }: LinePassOptions, events: RowPassEvents) {
    this.maxLineBytes = maxLineBytes;
    this.events = events;
  }

  private hold(piece: Buffer): void {
    if (this.rowStart > 0) {
      this.held.copy(this.held, 0, this.rowStart, this.used);
      this.used -= this.rowStart;
      this.heldFrom += this.rowStart;
      this.rowStart = 0;
    }
    if (this.used + piece.length > this.held.length) {
      const larger = Buffer.allocUnsafe(Math.max(this.held.length * 2, this.used + piece.length));
      this.held.copy(larger, 0, 0, this.used);
      this.held = larger;
    }
    piece.copy(this.held, this.used);
    this.used += piece.length;
  }

  /** @param end offset in the text after the row and its line break */
  private takeRow(cells: readonly CsvCell[], end: number): void {
    const bytes = this.held.subarray(this.rowStart, end - this.heldFrom);
    const at = this.line;
    this.line += countNewlines(bytes);
    this.rowStart = end - this.heldFrom;
    const row = bytes.at(-1) === NEWLINE ? bytes.subarray(0, -1) : bytes;
    if (row.length > this.maxLineBytes) throw this.tooLong(at);
    // Spreadsheets leave rows of delimiters behind their data.
    if (cells.every(({ text }) => text === '')) {
      if (this.columns !== undefined) this.events.blank();
      return;
    }
    if (this.columns === undefined) {
      if (!isUtf8(row)) throw new FileRefused('csvHeaderUtf8', { line: at });
      if (cells.some(({ text, quoted }) => !quoted && text.includes('\r'))) throw new FileRefused('macLineEnds');
      this.columns = readCsvColumns(decoded(cells, row), at);
      this.headerLine = at;
      this.events.header?.(this.sepLine.length === 0 ? row : Buffer.concat([this.sepLine, row]));
      this.events.columns?.(at, this.columns.notes);
    } else {
      this.handOut(cells, row, at, this.columns);
    }
  }

  private handOut(cells: readonly CsvCell[], row: Buffer, at: number, { count, lineOf }: CsvColumns): void {
    if (!isUtf8(row)) {
      this.events.badUtf8(at, row);
      return;
    }
    if (row.subarray(0, BYTE_ORDER_MARK.length).equals(BYTE_ORDER_MARK)) {
      this.events.badRow?.(at, row, problemOf('byteOrderMarkInside'));
      return;
    }
    if (cells.length > count && cells.slice(count).some(({ text }) => text !== '')) {
      this.events.badRow?.(at, row, problemOf('tooManyCells', { cells: cells.length, columns: count }));
      return;
    }
    const text = lineOf(decoded(cells, row), at);
    const room = row.length + text.length * 3;
    if (this.joined.length < room) this.joined = Buffer.allocUnsafe(room * 2);
    row.copy(this.joined);
    this.source.bytes = this.joined;
    this.source.end = row.length;
    this.source.textStart = row.length;
    this.source.textEnd = row.length + this.joined.write(text, row.length);
    this.events.text(at, text, this.source);
  }

  private tooLong(at: number): FileRefused {
    return new FileRefused('csvRowTooLong', { line: at, values: { limit: this.maxLineBytes } });
  }

  private explain(error: unknown): unknown {
    if (!(error instanceof CsvError)) return error;
    const row = this.held.subarray(this.rowStart, this.used);
    if (this.columns === undefined && hasLoneReturn(row)) return new FileRefused('macLineEnds');
    const code = row.subarray(0, BYTE_ORDER_MARK.length).equals(BYTE_ORDER_MARK) ? 'csvByteOrderMark' : 'csvQuotes';
    // The message of the error quotes the cell.
    return new FileRefused(code, { line: this.line });
  }

  private async start(isAll: boolean): Promise<void> {
    // A copy: the parser keeps the end of what it is given, and what is held is moved about.
    const text = Buffer.from(this.held.subarray(0, this.used));
    refuseJson(text);
    refuseMac(text);
    const sep = readSepLine(text);
    if (sep !== undefined) {
      this.sepLine = text.subarray(0, sep.bytes);
      // The parser counts from what it is given.
      this.rowStart = sep.bytes;
      this.heldFrom = -sep.bytes;
      this.line += 1;
    }
    const delimiter = sep?.delimiter ?? detectDelimiter(text, isAll);
    if (delimiter === undefined) return;
    this.parser = createParser(delimiter, (cells, end) => this.takeRow(cells, end));
    await write(this.parser, text.subarray(this.rowStart));
  }

  async feed(piece: Buffer): Promise<void> {
    this.hold(piece);
    try {
      if (this.parser !== undefined) await write(this.parser, piece);
      else if (piece.includes(NEWLINE)) await this.start(false);
    } catch (error) {
      throw this.explain(error);
    }
    // Most often a quote that is not closed: it makes one cell of all that follows.
    if (this.used - this.rowStart > this.maxLineBytes + LOOKAHEAD_BYTES) {
      if (this.parser === undefined) {
        refuseJson(this.held.subarray(0, this.used));
        refuseMac(this.held.subarray(0, this.used));
      }
      throw this.tooLong(this.line);
    }
  }

  async end(): Promise<void> {
    try {
      if (this.used > 0 && this.parser === undefined) await this.start(true);
      if (this.parser === undefined) throw new FileRefused('empty');
      this.parser.end();
      this.parser.resume();
      await finished(this.parser);
    } catch (error) {
      throw this.explain(error);
    }
    if (this.columns === undefined) throw new FileRefused('empty');
    for (const { line: at = this.headerLine, ...note } of this.columns.findings()) this.events.columns?.(at, [note]);
  }

  /** The line up to which all is read, from 1. */
  lineRead(): number {
    return this.line + countNewlines(this.held.subarray(this.rowStart, this.used));
  }
}

/** Old Macs ended lines in a carriage return alone: all of the file is one line then. */
function refuseMac(text: Buffer): void {
  const end = text.indexOf(RETURN);
  if (end >= 0 && !text.includes(NEWLINE) && text.subarray(end).some((byte) => byte > 0x20)) {
    throw new FileRefused('macLineEnds');
  }
}

function refuseJson(text: Buffer): void {
  const at = text.findIndex((byte) => byte > 0x20);
  if (text[at] === 0x7b || text[at] === 0x5b) {
    throw new FileRefused('csvIsJson', { line: 1 + countNewlines(text.subarray(0, at)) });
  }
}

/**
 * Rows are handed out while bytes are written; nothing is to be read from the stream. Cells are Latin-1, one character a
 * byte: rows that are no UTF-8 can be told, and given back byte for byte.
 */
function createParser(delimiter: CsvDelimiter, onRow: (cells: readonly CsvCell[], end: number) => void): Parser {
  const parser = parse({
    delimiter,
    encoding: 'latin1',
    record_delimiter: ['\r\n', '\n'],
    relax_column_count: true,
    // Blanks at the end are taken off later: here, they would be those of Latin-1, half characters among them.
    ltrim: true,
    cast: (text, { quoting: quoted }): CsvCell => ({ text: quoted ? text : text.replace(/[ \t\r\f]+$/, ''), quoted }),
    on_record: (cells: unknown, { bytes }) => {
      onRow(cells as readonly CsvCell[], bytes);
      return undefined;
    },
  });
  // Errors are those of `write` and of the end.
  parser.on('error', () => undefined);
  return parser;
}

function write(parser: Parser, bytes: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    parser.write(bytes, (error) => {
      if (error === undefined || error === null) resolve();
      else reject(error);
    });
  });
}

function decoded(cells: readonly CsvCell[], row: Buffer): readonly CsvCell[] {
  if (isAscii(row)) return cells;
  return cells.map(({ text, quoted }) => ({ text: Buffer.from(text, 'latin1').toString('utf8'), quoted }));
}

/** Whether the first carriage return ends a line by itself. */
function hasLoneReturn(bytes: Buffer): boolean {
  const at = bytes.indexOf(RETURN);
  return at >= 0 && at + 1 < bytes.length && bytes[at + 1] !== NEWLINE;
}

function countNewlines(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) count += 1;
  return count;
}
