/** What the rules find in one line. Holds sentences of our own only, never text of the line. */

import { describe, type Finding, findingOf, type ReasonValues } from '../textFile/reasonText.ts';
import { REJECT_REASONS, type RejectCode, WARNINGS, type WarningCode } from './reasons.ts';

export type Problem = Finding<RejectCode>;

export interface Note {
  readonly code: WarningCode;
  /** Holds no values of the file that may be secrets. */
  readonly message: string;
}

export interface Findings {
  readonly problems: readonly Problem[];
  readonly notes: readonly Note[];
  reject(code: RejectCode, values?: ReasonValues, path?: string): void;
  warn(code: WarningCode, values?: ReasonValues): void;
  /** Forgets all, for the next line. */
  clear(): void;
}

export function problemOf(code: RejectCode, values?: ReasonValues, path?: string): Problem {
  return findingOf<RejectCode>(REJECT_REASONS, code, values, path);
}

export function noteOf(code: WarningCode, values?: ReasonValues): Note {
  return { code, message: describe(WARNINGS[code], values) };
}

export function createFindings(): Findings {
  let problems: Problem[] = [];
  let notes: Note[] = [];
  return {
    get problems() {
      return problems;
    },
    get notes() {
      return notes;
    },
    reject(code, values, path) {
      problems.push(problemOf(code, values, path));
    },
    warn(code, values) {
      notes.push(noteOf(code, values));
    },
    clear() {
      if (problems.length > 0) problems = [];
      if (notes.length > 0) notes = [];
    },
  };
}

/** What stands for a name that may not be shown. */
export const HIDDEN_NAME = '(a name)';

const LONGEST_NAME = 64;
/** Base64 of 16 bytes, the shortest key of a device, has 22 characters and two of padding. */
const SHORTEST_KEY = 22;

/**
 * A key name of the input as it may be shown: whole if it looks like a name that a person gave, else `(a name)`. A file
 * that was put together wrongly can have a device key or a SAS where a name belongs.
 */
export function displayName(name: string): string {
  if (name.length === 0 || name.length > LONGEST_NAME || !/^[\p{L}\p{N}_$-]+$/u.test(name)) return HIDDEN_NAME;
  return name.length >= SHORTEST_KEY && !isWords(name) ? HIDDEN_NAME : name;
}

/** A name as people write them (of a column, say) as it may be shown: words, and parts with dots or colons between them, each as a name of its own. */
export function displayHeader(name: string): string {
  if (name.length > LONGEST_NAME) return HIDDEN_NAME;
  const parts = name.split(/([.:]|\s+)/);
  return parts.every((part, index) => index % 2 === 1 || part === '' || isHeaderWord(part))
    ? parts.map((part, index) => (index % 2 === 1 && part.trim() === '' ? ' ' : part)).join('')
    : parts.map((part, index) => (index % 2 === 1 || isHeaderWord(part) ? part : HIDDEN_NAME)).join('');
}

function isHeaderWord(word: string): boolean {
  if (!/^[\p{L}\p{M}\p{N}_$#()°-]+$/u.test(word)) return false;
  return word.length < SHORTEST_KEY || isWords(word);
}

const LONGEST_CELL = 32;

/** A cell as it may be shown in an example: one that is like a number or a date. Another could be a secret. */
export function displayCell(text: string): string | undefined {
  return text.length <= LONGEST_CELL && /^(?:[0-9 .,:+/eE-]+|true|false)$/i.test(text) ? text : undefined;
}

/** Whether a long name is made of words: a key can do without digits, but not with so few capitals. */
function isWords(name: string): boolean {
  const capitals = name.match(/[A-Z]/g)?.length ?? 0;
  const isOneCase = capitals === 0 || (/[_-]/.test(name) && !/[a-z]/.test(name));
  return isOneCase || (!/[0-9]/.test(name) && capitals <= name.length / 4);
}

/** A character as it may be shown in a sentence: `U+002F "/"`, or the number alone if it does not print. */
export function characterName(text: string, index: number): string {
  const code = text.codePointAt(index) ?? 0;
  if (code === 0x20) return 'a blank';
  const number = `U+${code.toString(16).toUpperCase().padStart(4, '0')}`;
  return code > 0x20 && code < 0x7f ? `${number} "${String.fromCodePoint(code)}"` : number;
}
