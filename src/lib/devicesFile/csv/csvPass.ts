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
  const rows = createRowReader(options, events);
  let offset = 0;
  for await (const chunk of readText(await options.open(), events)) {
    for (let at = 0; at < chunk.length; at += PIECE_BYTES) {
      options.abortSignal?.throwIfAborted();
      const piece = chunk.subarray(at, at + PIECE_BYTES);
      const zero = piece.indexOf(0);
      // Text in UTF-16 has a zero byte beside its first character.
      if (zero >= 0 && offset + zero < 2) throw new FileRefused('utf16');
      await rows.feed(zero < 0 ? piece : piece.subarray(0, zero));
      if (zero >= 0) throw new FileRefused('binary', { line: rows.line() });
      offset += piece.length;
      const pause = options.pause();
      if (pause !== undefined) await pause;
    }
  }
  await rows.end();
  await options.pause();
}

interface RowReader {
  feed(piece: Buffer): Promise<void>;
  end(): Promise<void>;
  /** The line up to which all is read, from 1. */
  line(): number;
}

function createRowReader(options: LinePassOptions, events: RowPassEvents): RowReader {
  const { maxLineBytes } = options;
  /** What was read and is not handed out yet, `held[0, used)`; it starts with a row. */
  let held = Buffer.allocUnsafe(2 * PIECE_BYTES);
  let used = 0;
  /** Offset in the text of what `held` starts with, and its line. */
  let heldFrom = 0;
  let line = 1;
  /** Where in `held` the next row starts. */
  let rowStart = 0;
  let parser: Parser | undefined;
  let columns: CsvColumns | undefined;
  let headerLine = 0;
  /** Excel's line `sep=;`, if there is one: it belongs to the header. */
  let sepLine = Buffer.alloc(0);
  /** A row and its line of JSON behind one another. */
  let joined = Buffer.alloc(0);
  const source: LineBytes = { bytes: joined, start: 0, end: 0, textStart: 0, textEnd: 0 };

  function hold(piece: Buffer): void {
    if (rowStart > 0) {
      held.copy(held, 0, rowStart, used);
      used -= rowStart;
      heldFrom += rowStart;
      rowStart = 0;
    }
    if (used + piece.length > held.length) {
      const larger = Buffer.allocUnsafe(Math.max(held.length * 2, used + piece.length));
      held.copy(larger, 0, 0, used);
      held = larger;
    }
    piece.copy(held, used);
    used += piece.length;
  }

  /** @param end offset in the text after the row and its line break */
  function takeRow(cells: readonly CsvCell[], end: number): void {
    const bytes = held.subarray(rowStart, end - heldFrom);
    const at = line;
    line += countNewlines(bytes);
    rowStart = end - heldFrom;
    const row = bytes.at(-1) === NEWLINE ? bytes.subarray(0, -1) : bytes;
    if (row.length > maxLineBytes) throw tooLong(at);
    // Spreadsheets leave rows of delimiters behind their data.
    if (cells.every(({ text }) => text === '')) {
      if (columns !== undefined) events.blank();
      return;
    }
    if (columns === undefined) {
      if (!isUtf8(row)) throw new FileRefused('csvHeaderUtf8', { line: at });
      if (cells.some(({ text, quoted }) => !quoted && text.includes('\r'))) throw new FileRefused('macLineEnds');
      columns = readCsvColumns(decoded(cells, row), at);
      headerLine = at;
      events.header?.(sepLine.length === 0 ? row : Buffer.concat([sepLine, row]));
      events.columns?.(at, columns.notes);
    } else {
      handOut(cells, row, at, columns);
    }
  }

  function handOut(cells: readonly CsvCell[], row: Buffer, at: number, { count, lineOf }: CsvColumns): void {
    if (!isUtf8(row)) {
      events.badUtf8(at, row);
      return;
    }
    if (row.subarray(0, BYTE_ORDER_MARK.length).equals(BYTE_ORDER_MARK)) {
      events.badRow?.(at, row, problemOf('byteOrderMarkInside'));
      return;
    }
    if (cells.length > count && cells.slice(count).some(({ text }) => text !== '')) {
      events.badRow?.(at, row, problemOf('tooManyCells', { cells: cells.length, columns: count }));
      return;
    }
    const text = lineOf(decoded(cells, row), at);
    const room = row.length + text.length * 3;
    if (joined.length < room) joined = Buffer.allocUnsafe(room * 2);
    row.copy(joined);
    source.bytes = joined;
    source.end = row.length;
    source.textStart = row.length;
    source.textEnd = row.length + joined.write(text, row.length);
    events.text(at, text, source);
  }

  function tooLong(at: number): FileRefused {
    return new FileRefused('csvRowTooLong', { line: at, values: { limit: maxLineBytes } });
  }

  function explain(error: unknown): unknown {
    if (!(error instanceof CsvError)) return error;
    const row = held.subarray(rowStart, used);
    if (columns === undefined && hasLoneReturn(row)) return new FileRefused('macLineEnds');
    const code = row.subarray(0, BYTE_ORDER_MARK.length).equals(BYTE_ORDER_MARK) ? 'csvByteOrderMark' : 'csvQuotes';
    // The message of the error quotes the cell.
    return new FileRefused(code, { line });
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

  async function start(isAll: boolean): Promise<void> {
    // A copy: the parser keeps the end of what it is given, and what is held is moved about.
    const text = Buffer.from(held.subarray(0, used));
    refuseJson(text);
    refuseMac(text);
    const sep = readSepLine(text);
    if (sep !== undefined) {
      sepLine = text.subarray(0, sep.bytes);
      // The parser counts from what it is given.
      rowStart = sep.bytes;
      heldFrom = -sep.bytes;
      line += 1;
    }
    const delimiter = sep?.delimiter ?? detectDelimiter(text, isAll);
    if (delimiter === undefined) return;
    parser = createParser(delimiter, takeRow);
    await write(parser, text.subarray(rowStart));
  }

  return {
    async feed(piece) {
      hold(piece);
      try {
        if (parser !== undefined) await write(parser, piece);
        else if (piece.includes(NEWLINE)) await start(false);
      } catch (error) {
        throw explain(error);
      }
      // Most often a quote that is not closed: it makes one cell of all that follows.
      if (used - rowStart > maxLineBytes + LOOKAHEAD_BYTES) {
        if (parser === undefined) {
          refuseJson(held.subarray(0, used));
          refuseMac(held.subarray(0, used));
        }
        throw tooLong(line);
      }
    },
    async end() {
      try {
        if (used > 0 && parser === undefined) await start(true);
        if (parser === undefined) throw new FileRefused('empty');
        parser.end();
        parser.resume();
        await finished(parser);
      } catch (error) {
        throw explain(error);
      }
      if (columns === undefined) throw new FileRefused('empty');
      for (const { line: at = headerLine, ...note } of columns.findings()) events.columns?.(at, [note]);
    },
    line: () => line + countNewlines(held.subarray(rowStart, used)),
  };
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
