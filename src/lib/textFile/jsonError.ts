/**
 * Where a text stops being JSON (RFC 8259), and why, in words of our own: the messages of `JSON.parse` quote the text,
 * and the text holds device keys.
 */

import { skipBlanks } from './jsonMembers.ts';

export interface JsonError {
  /** Offset in UTF-16 units, from 0. */
  readonly index: number;
  /** Reads on from "at column 12, ". */
  readonly problem: string;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const LITERALS = ['true', 'false', 'null'];
const ENDS_EARLY = 'the line ends before the object does (a device must be on one line)';

/** The first error of `text`, or undefined if it is JSON. Linear, and not recursive: depth costs no stack. */
export function locateJsonError(text: string): JsonError | undefined {
  /** The closing bracket of each open object or array, outermost first. */
  const open: ('}' | ']')[] = [];
  let at = skipBlanks(text, 0);
  let expecting: 'value' | 'valueOrEnd' | 'key' | 'keyOrEnd' | 'commaOrEnd' = 'value';

  for (;;) {
    at = skipBlanks(text, at);
    const closing = open.at(-1);
    if (at >= text.length) return { index: at, problem: ENDS_EARLY };
    const character = text[at];

    switch (expecting) {
      case 'key':
      case 'keyOrEnd': {
        if (character === '}') {
          if (expecting === 'key') return { index: at, problem: 'a comma stands before "}"' };
          open.pop();
          at += 1;
          break;
        }
        if (character === "'") return { index: at, problem: 'a name is in single quotes; JSON has double quotes' };
        if (character !== '"') return { index: at, problem: 'a name in double quotes is expected' };
        const end = scanString(text, at);
        if (typeof end !== 'number') return end;
        at = skipBlanks(text, end);
        if (at >= text.length) return { index: at, problem: ENDS_EARLY };
        if (text[at] !== ':') return { index: at, problem: 'a colon is expected after the name' };
        at += 1;
        expecting = 'value';
        continue;
      }
      case 'value':
      case 'valueOrEnd': {
        if (character === ']' && closing === ']') {
          if (expecting === 'value') return { index: at, problem: 'a comma stands before "]"' };
          open.pop();
          at += 1;
          break;
        }
        if (character === '{') {
          open.push('}');
          at += 1;
          expecting = 'keyOrEnd';
          continue;
        }
        if (character === '[') {
          open.push(']');
          at += 1;
          expecting = 'valueOrEnd';
          continue;
        }
        const end = scanScalar(text, at);
        if (typeof end !== 'number') return end;
        at = end;
        break;
      }
      case 'commaOrEnd': {
        if (character === ',') {
          at += 1;
          expecting = closing === '}' ? 'key' : 'value';
          continue;
        }
        if (character !== closing) return { index: at, problem: `a comma or "${closing}" is expected` };
        open.pop();
        at += 1;
        break;
      }
    }

    if (open.length === 0) return afterEnd(text, at);
    expecting = 'commaOrEnd';
  }
}

/** What is wrong behind the end of a whole value. */
function afterEnd(text: string, end: number): JsonError | undefined {
  const index = skipBlanks(text, end);
  if (index === text.length) return undefined;
  if (text[index] === ',') return { index, problem: 'a comma follows the object' };
  const isMac = text.slice(end, index).includes('\r');
  return {
    index,
    problem: isMac
      ? 'something follows the object after a carriage return (lines end in LF or CRLF)'
      : 'something follows the object',
  };
}

/** The first error of a text that JSON.parse has refused, and its column, from 1. */
export function explainJsonError(text: string): { readonly column: number; readonly problem: string } {
  const { index, problem } = locateJsonError(text) ?? { index: 0, problem: 'something is wrong' };
  return { column: index + 1, problem };
}

/** The offset after the string that starts at `from`. */
function scanString(text: string, from: number): number | JsonError {
  let at = from + 1;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) return at + 1;
    if (code < 0x20) return { index: at, problem: 'a string has a control character (tab, line break) in it' };
    if (code === BACKSLASH) {
      const escaped = text[at + 1];
      if (escaped === 'u') {
        if (!/^[0-9a-fA-F]{4}$/.test(text.slice(at + 2, at + 6))) {
          return { index: at, problem: 'a string has a \\u that four hex digits do not follow' };
        }
        at += 6;
        continue;
      }
      if (escaped === undefined) break;
      if (!'"\\/bfnrt'.includes(escaped)) {
        return { index: at, problem: 'a string has a backslash that starts no escape (write \\\\ for a backslash)' };
      }
      at += 2;
      continue;
    }
    at += 1;
  }
  return { index: from, problem: 'a string that starts here is not closed on this line' };
}

/** The offset after the string, number or literal that starts at `from`. */
function scanScalar(text: string, from: number): number | JsonError {
  const character = text[from] ?? '';
  if (character === '"') return scanString(text, from);
  if (character === "'") return { index: from, problem: 'a value is in single quotes; JSON has double quotes' };
  if (character === ',' || character === '}' || character === ']' || character === ':') {
    return { index: from, problem: 'a value is missing' };
  }
  if (character === '-' || (character >= '0' && character <= '9')) return scanNumber(text, from);
  for (const literal of LITERALS) {
    if (text.startsWith(literal, from)) return from + literal.length;
  }
  if (character === '/') return { index: from, problem: 'a value is expected; JSON has no comments' };
  return {
    index: from,
    problem: 'a value is expected: a string in double quotes, a number, true, false, null, { or [',
  };
}

function scanNumber(text: string, from: number): number | JsonError {
  const bad = { index: from, problem: 'a number is not written as JSON has it' };
  const digits = (start: number): number => {
    let end = start;
    while (isDigit(text.charCodeAt(end))) end += 1;
    return end;
  };
  let at = text[from] === '-' ? from + 1 : from;
  const whole = digits(at);
  if (whole === at || (text[at] === '0' && whole > at + 1)) return bad;
  at = whole;
  if (text[at] === '.') {
    const fraction = digits(at + 1);
    if (fraction === at + 1) return bad;
    at = fraction;
  }
  if (text[at] === 'e' || text[at] === 'E') {
    const sign = text[at + 1] === '+' || text[at + 1] === '-' ? 1 : 0;
    const exponent = digits(at + 1 + sign);
    if (exponent === at + 1 + sign) return bad;
    at = exponent;
  }
  return at;
}

/** False for NaN, which `charCodeAt` gives past the end. */
function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}
