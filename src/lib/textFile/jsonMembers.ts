/**
 * JSON objects as they are written.
 *
 * JSON.parse and JSON.stringify change what they pass on: `1.0` becomes `1`, and keys such as "10" move to the front. What
 * is to arrive as it was written is taken apart and put together here, as text.
 */

/** One member of an object: where it stands in the text, and what its key is. */
export interface JsonMember {
  readonly key: string;
  /** The value as it is written. */
  readonly value: string;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/**
 * The members of an object in the order in which they are written; a key that is repeated comes each time.
 *
 * @param text an object that JSON.parse takes; nothing of that is checked here
 */
export function membersOf(text: string): JsonMember[] {
  const members: JsonMember[] = [];
  let at = text.indexOf('{') + 1;
  for (;;) {
    at = skipBlanks(text, at);
    if (text.charCodeAt(at) !== QUOTE) return members;
    const keyEnd = endOfString(text, at);
    const key = text.slice(at, keyEnd);
    const start = skipBlanks(text, text.indexOf(':', keyEnd) + 1);
    const end = endOfValue(text, start);
    members.push({
      key: key.includes('\\') ? (JSON.parse(key) as string) : key.slice(1, -1),
      value: text.slice(start, end),
    });
    at = skipBlanks(text, end);
    if (text.charCodeAt(at) !== COMMA) return members;
    at += 1;
  }
}

/** The members of an object by their keys; of a repeated one the last, as JSON.parse has it. */
export function memberMap(text: string): Map<string, string> {
  return new Map(membersOf(text).map(({ key, value }) => [key, value]));
}

/** An object of members whose values are JSON already. */
export function objectText(members: Iterable<readonly [key: string, value: string]>): string {
  return `{${Array.from(members, ([key, value]) => `${JSON.stringify(key)}:${value}`).join(',')}}`;
}

/**
 * A merge patch (RFC 7396), as text: null takes a member away, objects are merged member by member, all else replaces.
 * What the patch does not name stays as it is written in `base`, in its place.
 *
 * @param base a JSON value; undefined: there is none
 * @param patch a JSON value
 */
export function mergePatchText(base: string | undefined, patch: string): string {
  if (!isObjectText(patch)) return patch;
  const merged = base !== undefined && isObjectText(base) ? memberMap(base) : new Map<string, string>();
  for (const [key, value] of memberMap(patch)) {
    if (value === 'null') merged.delete(key);
    else merged.set(key, mergePatchText(merged.get(key), value));
  }
  return objectText(merged);
}

/** Whether a JSON value is an object. */
export function isObjectText(value: string): boolean {
  return value.charCodeAt(0) === OPEN_OBJECT;
}

export function skipBlanks(text: string, from: number): number {
  let at = from;
  while (isBlank(text.charCodeAt(at))) at += 1;
  return at;
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}

/**
 * Where a string ends, behind its closing quote.
 *
 * @param at the opening quote
 */
export function endOfString(text: string, at: number): number {
  for (let from = at + 1; ; ) {
    const quote = text.indexOf('"', from);
    let before = quote - 1;
    while (text.charCodeAt(before) === BACKSLASH) before -= 1;
    // Behind an even number of backslashes a quote is not escaped.
    if ((quote - before) % 2 === 1) return quote + 1;
    from = quote + 1;
  }
}

function endOfValue(text: string, start: number): number {
  const first = text.charCodeAt(start);
  if (first === QUOTE) return endOfString(text, start);
  let depth = 0;
  for (let at = start; ; at += 1) {
    switch (text.charCodeAt(at)) {
      case QUOTE:
        at = endOfString(text, at) - 1;
        break;
      case OPEN_OBJECT:
      case OPEN_ARRAY:
        depth += 1;
        break;
      case CLOSE_OBJECT:
      case CLOSE_ARRAY:
        // A number or a word ends before the bracket of what it is in.
        if (depth === 0) return trimmedEnd(text, at);
        depth -= 1;
        if (depth === 0) return at + 1;
        break;
      case COMMA:
        if (depth === 0) return trimmedEnd(text, at);
        break;
    }
  }
}

function trimmedEnd(text: string, end: number): number {
  let at = end;
  while (isBlank(text.charCodeAt(at - 1))) at -= 1;
  return at;
}
