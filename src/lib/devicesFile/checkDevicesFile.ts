/** The check of a devices file: one streaming pass in flat memory that finds everything there is to find. */

import { createHash } from 'node:crypto';
import { FileRefused } from '../textFile/fileRefused.ts';
import { type LineBytes, type LinePassOptions, type OpenInput, readLines } from '../textFile/linePass.ts';
import { refuseOtherFormats } from '../textFile/otherFormats.ts';
import type { ReasonValues } from '../textFile/reasonText.ts';
import { locateUtf8Error } from '../textFile/utf8Error.ts';
import { createLineChecker, type LineChecker } from './checkLine.ts';
import type { CheckOptions, CheckSink, CheckSummary } from './checkTypes.ts';
import { type RowPassEvents, readRows } from './csv/csvPass.ts';
import { noteOf, type Problem, problemOf } from './findings.ts';
import { createIdentityTable, identityOf } from './identityTable.ts';
import { NESTING_LIMIT } from './keyNames.ts';
import type { AcceptedLine, LineVerdict } from './lineVerdict.ts';
import type { RejectCode } from './reasons.ts';
import { createTally } from './tally.ts';

export { FileRefused } from '../textFile/fileRefused.ts';
export type { OpenInput } from '../textFile/linePass.ts';
export type { CheckOptions, CheckSink, CheckSummary, LineWarning, RejectedLine, SkippedLine } from './checkTypes.ts';
export type { AcceptedLine, MissingField } from './lineVerdict.ts';

const MAX_LINE_BYTES = 1024 * 1024;
/** How much is kept of a line that is too long to be read. */
const HEAD_BYTES = 64 * 1024;

/**
 * Checks every line and hands each to the sink exactly once.
 *
 * @throws {FileRefused} if the file as a whole can be no devices file (what the sink got before is void);
 *   the signal's reason when aborted; what `open` and its stream throw.
 */
export async function checkDevicesFile(open: OpenInput, options: CheckOptions, sink: CheckSink): Promise<CheckSummary> {
  const maxLineBytes = options.maxLineBytes ?? MAX_LINE_BYTES;
  const passOptions: LinePassOptions = {
    open,
    maxLineBytes,
    headBytes: HEAD_BYTES,
    abortSignal: options.abortSignal,
    pause: () => sink.drain(),
  };
  const checkLine = withoutRangeErrors(createLineChecker(options));
  const identities = createIdentityTable();
  const digest = createHash('sha256');
  const isCsv = options.format === 'csv';
  const tally = createTally(sink);
  let bytesDropped = 0;
  // What other formats show by their first line, CSV shows by its header.
  let atFirstLine = !isCsv;
  let plainFirstLine = false;

  const events: RowPassEvents = {
    dropped(chunk) {
      bytesDropped += chunk.length;
      digest.update(chunk);
    },
    byteOrderMark() {
      // Spreadsheets write one, and need it.
      if (isCsv) return;
      tally.warnOfFile({ line: 1, ...noteOf('byteOrderMark') });
    },
    header: (bytes) => sink.header?.(new Uint8Array(bytes)),
    columns(line, notes) {
      for (const note of notes) tally.warnOfFile({ line, ...note });
    },
    badRow: (line, bytes, found) => tally.reject(line, [found], bytes),
    blank: tally.blank,
    longLine(line, head, length) {
      if (atFirstLine) refuseOtherFormats(line, head.toString('latin1'));
      atFirstLine = false;
      tally.reject(line, problem('lineTooLong', { length, limit: maxLineBytes }), cutLine(head, length));
    },
    badUtf8(line, bytes) {
      if (atFirstLine && !bytes.subarray(0, 64).includes('{')) throw new FileRefused('binary', { line });
      atFirstLine = false;
      const column = locateUtf8Error(bytes) + 1;
      tally.reject(line, problem('badUtf8', { byte: column }), bytes, { column });
    },
    text(line, text, source) {
      const isObject = text.charCodeAt(0) === 0x7b;
      if (atFirstLine) {
        refuseOtherFormats(line, text);
        atFirstLine = false;
        // A keyless export begins with a warning in plain text. What could be a damaged device is no such text.
        if (line === 1 && !isObject && !/[{}"]/.test(text)) {
          plainFirstLine = true;
          tally.skip({ line, code: 'plainFirstLine' });
          return;
        }
      }
      const verdict = isObject ? checkLine(text, line, source) : startOf(text);
      if (verdict.kind === 'accepted') {
        const { accepted, notes } = verdict;
        const first = identities.claim(identityOf(accepted), line);
        if (first === 0) tally.accept(accepted, notes);
        else tally.reject(line, duplicateOf(accepted, first), bytesOf(source), namesOf(accepted));
      } else if (verdict.kind === 'systemModule') {
        tally.skip({ line, id: verdict.id, moduleId: verdict.moduleId, code: 'systemModule' });
      } else {
        const { problems, kind: _, ...details } = verdict;
        tally.reject(line, problems, bytesOf(source), details);
      }
    },
  };
  await (isCsv ? readRows(passOptions, events) : readLines(passOptions, events));

  const summary = { ...tally.summary(), bytes: bytesDropped, sha256: digest.digest('hex') };
  if (summary.lines === 0) throw new FileRefused(isCsv ? 'csvNoRows' : 'empty');
  // A lone line of text is an export without keys of a hub without devices, or no devices file at all.
  if (summary.lines === 1 && plainFirstLine) throw new FileRefused('noDevices');
  return summary;
}

/** What no rule foresaw must cost one line, not the file: nesting without end is the known case. */
function withoutRangeErrors(checker: LineChecker): LineChecker['check'] {
  return (text, line, source) => {
    try {
      return checker.check(text, line, source);
    } catch (error) {
      if (error instanceof RangeError) return UNREADABLE;
      throw error;
    }
  };
}

function duplicateOf({ moduleId }: AcceptedLine, first: number): [Problem] {
  return problem('duplicate', { first, what: moduleId === undefined ? 'id' : 'id and moduleId' });
}

function namesOf({ id, moduleId }: AcceptedLine): Pick<AcceptedLine, 'id' | 'moduleId'> {
  return moduleId === undefined ? { id } : { id, moduleId };
}

function bytesOf({ bytes, start, end }: LineBytes): Buffer {
  return bytes.subarray(start, end);
}

const UNREADABLE: LineVerdict = {
  kind: 'rejected',
  problems: problem('nestedTooDeep', { path: 'The line', limit: NESTING_LIMIT }),
};

const NOT_AN_OBJECT: LineVerdict = { kind: 'rejected', problems: problem('notAnObject') };
const BYTE_ORDER_MARK: LineVerdict = { kind: 'rejected', problems: problem('byteOrderMarkInside') };

/** Why a line that does not start with a brace is none. */
function startOf(text: string): LineVerdict {
  return text.charCodeAt(0) === 0xfeff ? BYTE_ORDER_MARK : NOT_AN_OBJECT;
}

/**
 * The start of a line that is too long, with a note of ours at its end. Without it the start could be taken for a whole
 * line when it is dropped again: after a whole object there may be nothing but blanks, or a second object far behind.
 */
function cutLine(head: Buffer, length: number): Uint8Array {
  return Buffer.concat([head, Buffer.from(` [cut off here: the line had ${length} bytes]`)]);
}

function problem(code: RejectCode, values: ReasonValues = {}): [Problem] {
  return [problemOf(code, values)];
}
