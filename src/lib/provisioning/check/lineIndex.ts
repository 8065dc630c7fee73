/**
 * The line index of a run: what the check made of every line, one JSON array a line, without keys.
 *
 * Later steps read it instead of the input: they learn line numbers, identities and modes, and never see a secret.
 */

import type { ImportMode } from '../../devicesFile/importMode.ts';
import { WARNINGS } from '../../devicesFile/reasons.ts';
import { describe } from '../../textFile/reasonText.ts';

/** A line that the hub is to be given. */
export interface AcceptedEntry {
  readonly kind: 'device' | 'module';
  readonly line: number;
  readonly id: string;
  readonly moduleId?: string;
  readonly mode: ImportMode;
  /** What the check warned of in this line, if anything. */
  readonly warning?: string;
}

/** A line that goes no further than the check. */
export interface StoppedEntry {
  readonly kind: 'rejected' | 'skipped';
  readonly line: number;
  readonly id?: string;
  readonly moduleId?: string;
  readonly code: string;
  readonly reason: string;
  readonly action: string;
  readonly path?: string;
  readonly column?: number;
}

export type IndexEntry = AcceptedEntry | StoppedEntry;

export function isAccepted(entry: IndexEntry): entry is AcceptedEntry {
  return entry.kind === 'device' || entry.kind === 'module';
}

type Row = readonly [
  kind: keyof typeof KINDS,
  line: number,
  id: string | null,
  moduleId: string | null,
  modeOrCode: string,
  ...rest: readonly Cell[],
];

type Cell = string | number | null | readonly [code: string];

const KINDS = { d: 'device', m: 'module', r: 'rejected', s: 'skipped' } as const;
const LETTERS = { device: 'd', module: 'm', rejected: 'r', skipped: 's' } as const;

/** Warnings that say the same of every line are kept by their code: a file may have one on each. */
const MESSAGES = new Map<string, string>(
  Object.entries(WARNINGS).map(([code, warning]) => [code, describe(warning)] as const),
);
const CODES = new Map([...MESSAGES].map(([code, message]) => [message, code]));

function encodeWarning(message: string | undefined): string | readonly [code: string] | null {
  if (message === undefined) return null;
  const code = CODES.get(message);
  return code === undefined ? message : [code];
}

function decodeWarning(cell: Cell): { readonly warning?: string } {
  if (cell === null || typeof cell === 'number') return {};
  if (typeof cell === 'string') return { warning: cell };
  const [code] = cell;
  const warning = MESSAGES.get(code);
  if (warning === undefined) throw new Error(`The line index is damaged: there is no warning "${code}".`);
  return { warning };
}

export function encodeEntry(entry: IndexEntry): string {
  const { kind, line, id, moduleId } = entry;
  const identity = [LETTERS[kind], line, id ?? null, moduleId ?? null];
  const rest = isAccepted(entry)
    ? [entry.mode, encodeWarning(entry.warning)]
    : [entry.code, entry.reason, entry.action, entry.path ?? null, entry.column ?? null];
  return JSON.stringify([...identity, ...rest]);
}

export function decodeEntry(text: string): IndexEntry {
  const [letter, line, id, moduleId, modeOrCode, ...rest] = JSON.parse(text) as Row;
  const kind = KINDS[letter];
  const module = moduleId === null ? {} : { moduleId };
  if (kind === 'device' || kind === 'module') {
    if (id === null) throw new Error(`The line index is damaged: line ${line} has no device id.`);
    const [warning] = rest;
    return {
      kind,
      line,
      id,
      ...module,
      mode: modeOrCode as ImportMode,
      ...decodeWarning(warning ?? null),
    };
  }
  const [reason, action, path, column] = rest;
  return {
    kind,
    line,
    ...(id === null ? {} : { id }),
    ...module,
    code: modeOrCode,
    reason: String(reason),
    action: String(action),
    ...(typeof path === 'string' ? { path } : {}),
    ...(typeof column === 'number' ? { column } : {}),
  };
}
