/** Hands findings to the sink and counts them: what is counted is what was handed out. */

import type { CheckSink, CheckSummary, FileWarning, LineWarning, RejectedLine, SkippedLine } from './checkTypes.ts';
import { type Note, noteOf, type Problem } from './findings.ts';
import type { ImportMode } from './importMode.ts';
import type { AcceptedLine } from './lineVerdict.ts';
import { SKIP_REASONS } from './reasons.ts';

export interface Tally {
  blank(): void;
  accept(accepted: AcceptedLine, notes: readonly Note[]): void;
  /** `bytes` is the line as it came; it is copied. */
  reject(line: number, problems: readonly [Problem, ...Problem[]], bytes: Uint8Array, details?: RejectDetails): void;
  skip(skipped: Omit<SkippedLine, 'reason' | 'action'>): void;
  /** Of the file as a whole. */
  warnOfFile(warning: FileWarning): void;
  /** What is known when all lines are counted; then the counts. */
  summary(): Omit<CheckSummary, 'bytes' | 'sha256'>;
}

/** The summary goes into the record of a run, which stays small. */
const FILE_WARNINGS_KEPT = 20;

export type RejectDetails = Pick<RejectedLine, 'id' | 'moduleId' | 'column'>;

/** Problems of one line that are told one by one; of the others, how many. */
const PROBLEMS_TOLD = 5;

export function createTally(sink: CheckSink): Tally {
  const counts = { blankLines: 0, devices: 0, modules: 0, rejected: 0, skipped: 0, warnings: 0 };
  const byMode: Partial<Record<ImportMode, number>> = {};
  const fileWarnings: FileWarning[] = [];
  let hidden = 0;
  /** Lines as an export without keys has them, and the first of these. */
  const keyless = { lines: 0, first: 0 };

  function warn(warning: LineWarning): void {
    counts.warnings += 1;
    sink.warning(warning);
  }

  function warnOfFile(warning: FileWarning): void {
    warn(warning);
    if (fileWarnings.length < FILE_WARNINGS_KEPT) fileWarnings.push(warning);
    else hidden += 1;
  }

  function warnOfKeyless(): void {
    const { lines, first } = keyless;
    if (lines === 0) return;
    const values = { lines: lines === 1 ? '1 line has' : `${lines} lines have` };
    warnOfFile({ line: first, ...noteOf('keylessExport', values) });
  }

  return {
    warnOfFile,
    blank() {
      counts.blankLines += 1;
    },
    accept(accepted, notes) {
      const { line, id, moduleId, mode } = accepted;
      for (const note of notes) warn(moduleId === undefined ? { line, id, ...note } : { line, id, moduleId, ...note });
      byMode[mode] = (byMode[mode] ?? 0) + 1;
      if (accepted.keyless) {
        keyless.lines += 1;
        if (keyless.first === 0 || line < keyless.first) keyless.first = line;
      }
      if (moduleId === undefined) {
        counts.devices += 1;
        sink.device(accepted);
      } else {
        counts.modules += 1;
        sink.module(accepted);
      }
    },
    reject(line, problems, bytes, details = {}) {
      counts.rejected += 1;
      const [{ code, path }] = problems;
      const told = problems.slice(0, PROBLEMS_TOLD).map(({ reason }) => reason);
      if (problems.length > PROBLEMS_TOLD) told.push(`The line has ${problems.length - PROBLEMS_TOLD} more problems.`);
      sink.rejected({
        line,
        ...details,
        code,
        reason: told.join(' '),
        action: [...new Set(problems.slice(0, PROBLEMS_TOLD).map(({ action }) => action))].join(' '),
        ...(path === undefined ? {} : { path }),
        raw: new Uint8Array(bytes),
      });
    },
    skip(skipped) {
      counts.skipped += 1;
      const { says: reason, action } = SKIP_REASONS[skipped.code];
      sink.skipped({ ...skipped, reason, action });
    },
    summary() {
      warnOfKeyless();
      const lines = counts.devices + counts.modules + counts.rejected + counts.skipped;
      const more = hidden === 0 ? [] : [{ line: 1, ...noteOf('moreOfFile', { count: hidden }) }];
      const told = [...fileWarnings, ...more];
      return { lines, ...counts, ...(told.length === 0 ? {} : { fileWarnings: told }), byMode };
    },
  };
}
