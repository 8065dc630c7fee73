/** What the check of a devices file takes and gives. */

import type { Finding } from '../textFile/reasonText.ts';
import type { Note, Problem } from './findings.ts';
import type { ImportMode } from './importMode.ts';
import type { AcceptedLine, MissingField } from './lineVerdict.ts';
import type { SkipCode } from './reasons.ts';

export interface CheckOptions {
  /** `lines`: one JSON object a line (default). `csv`: rows under a header; `line` is then where the row starts. */
  readonly format?: 'lines' | 'csv';
  /** For lines that name none. */
  readonly importMode: ImportMode;
  /**
   * What a line that may overwrite an identity must say, because nobody can fill it in later; with this, no accepted
   * line is missing anything. Absent: lines may leave out what they like.
   */
  readonly mustSay?: readonly MissingField[];
  /** Lines that merge into a twin are rejected: nobody reads the twin. */
  readonly noMerging?: boolean;
  /** A longer line is rejected without being kept in memory; a longer row refuses the file. Default 1 MiB. */
  readonly maxLineBytes?: number;
  readonly abortSignal?: AbortSignal;
}

/** A line of which something is told. */
interface ToldLine {
  readonly line: number;
  /** Only if it is an id that a hub takes. */
  readonly id?: string;
  readonly moduleId?: string;
}

/** Code and path are those of the first problem; the sentences tell of all, and hold no values of the line. */
export interface RejectedLine extends ToldLine, Problem {
  /** Where the JSON breaks (in characters) or the UTF-8 (in bytes), from 1. */
  readonly column?: number;
  /**
   * The line as it came, without its newline. Of one that is too long (`lineTooLong`): its first 64 KiB, and a note that it
   * is cut.
   */
  readonly raw: Uint8Array;
}

export interface SkippedLine extends ToldLine, Omit<Finding<SkipCode>, 'path'> {}

export interface LineWarning extends ToldLine, Note {}

/** What is to be said of a file once, such as of a column. */
export interface FileWarning extends Note {
  /** Where it was seen: the header, or the first line of its kind. */
  readonly line: number;
}

/** Where findings go, in the order of the file; but lines whose identity hash met another come after all others. */
export interface CheckSink {
  /** Of a CSV file, once and before all else but a byte order mark: its header as it came. The bytes are a copy. */
  header?(raw: Uint8Array): void;
  device(line: AcceptedLine): void;
  module(line: AcceptedLine): void;
  rejected(line: RejectedLine): void;
  skipped(line: SkippedLine): void;
  /** Of an accepted line, before it is handed out; or of the file (no id). */
  warning(warning: LineWarning): void;
  /** Called between pieces of input; the check waits for it. */
  drain(): Promise<void> | undefined;
}

export interface CheckSummary {
  /** Lines that are not blank: the sum of devices, modules, rejected and skipped. */
  readonly lines: number;
  readonly blankLines: number;
  /** Of the input as dropped, compressed or not. */
  readonly bytes: number;
  readonly devices: number;
  readonly modules: number;
  readonly rejected: number;
  readonly skipped: number;
  readonly warnings: number;
  /** Warnings of the file as a whole, the first of them; they are counted above too. Absent: there is none. */
  readonly fileWarnings?: readonly FileWarning[];
  /** Accepted lines by mode; only modes that occur. */
  readonly byMode: Readonly<Partial<Record<ImportMode, number>>>;
  /** Of the input as dropped, hexadecimal. */
  readonly sha256: string;
}
