/**
 * JSON as bytes, read over without decoding: steps that take an offset, and return the offset after what they read, or
 * UNUSUAL for what is no JSON and for what is to be looked at another way. No position is kept between steps, so that
 * offsets stay in registers. Steps may look beyond the end of a line; what they return is then beyond it too, which the
 * caller finds at the end.
 */

/** What a step returns instead of an offset. */
export const UNUSUAL = -1;

const TAB = 0x09;
const SPACE = 0x20;
export const QUOTE = 0x22;
export const DOLLAR = 0x24;
const PLUS = 0x2b;
export const COMMA = 0x2c;
const MINUS = 0x2d;
const DOT = 0x2e;
export const SLASH = 0x2f;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
export const EQUALS = 0x3d;
export const OPEN_ARRAY = 0x5b;
export const BACKSLASH = 0x5c;
export const CLOSE_ARRAY = 0x5d;
const SMALL_E = 0x65;
const SMALL_N = 0x6e;
/** What no other value begins with. */
export const NULL_START = SMALL_N;
const SMALL_U = 0x75;
export const OPEN_OBJECT = 0x7b;
export const CLOSE_OBJECT = 0x7d;
/** First byte of the characters from U+0080 to U+00BF, some of which are control characters. */
const LATIN_CONTROL = 0xc2;

/** Classes of bytes, as bits. */
const IN_STRING = 1;
export const IN_ID = 2;
/** Of a key that a twin may have; a few that it may have, too, are not in it. */
export const IN_TWIN_KEY = 4;
export const IN_BASE64 = 8;
export const IN_HEX = 16;
/** Of a key of other properties: all that needs no escape, but what a hub's own keys start with. */
export const IN_KEY = 32;
/** Of the scope of an edge device: what ids have, and slashes. */
export const IN_SCOPE = 64;
const ESCAPED = 128;
export const CLASSES = new Uint8Array(256);
CLASSES.fill(IN_STRING | IN_KEY | IN_TWIN_KEY, 0x80);
CLASSES[LATIN_CONTROL] = IN_STRING | IN_KEY;
for (let byte = 0x20; byte < 0x80; byte += 1) {
  const character = String.fromCharCode(byte);
  const is = (pattern: RegExp, bit: number): number => (pattern.test(character) ? bit : 0);
  CLASSES[byte] =
    is(/[^"\\]/, IN_STRING) |
    is(/[A-Za-z0-9:.%_*?!(),=@;$'-]/, IN_ID) |
    is(/[^ .$#"\\\x7f]/, IN_TWIN_KEY) |
    is(/[^$"\\]/, IN_KEY) |
    is(/[A-Za-z0-9:.%_*?!(),=@;$'/-]/, IN_SCOPE) |
    is(/[A-Za-z0-9+/]/, IN_BASE64) |
    is(/[A-Fa-f0-9]/, IN_HEX) |
    is(/["\\/bfnrt]/, ESCAPED);
}

export const NULL = Buffer.from('null', 'latin1');
export const TRUE = Buffer.from('true', 'latin1');
export const FALSE = Buffer.from('false', 'latin1');

/** The byte at `at`; 0, which is in no class, beyond the end of the buffer. */
export function byteAt(bytes: Buffer, at: number): number {
  return bytes[at] ?? 0;
}

export function skipBlanks(bytes: Buffer, at: number): number {
  let next = at;
  while (byteAt(bytes, next) === SPACE || byteAt(bytes, next) === TAB) next += 1;
  return next;
}

export function skipText(bytes: Buffer, at: number, text: Uint8Array): number {
  const { length } = text;
  for (let index = 0; index < length; index += 1) {
    if (bytes[at + index] !== text[index]) return UNUSUAL;
  }
  return at + length;
}

/** The colon after a key, and blanks around it. */
export function skipColon(bytes: Buffer, at: number): number {
  const colon = skipBlanks(bytes, at);
  return byteAt(bytes, colon) === COLON ? skipBlanks(bytes, colon + 1) : UNUSUAL;
}

/** A string of at most `longest` bytes of one class, without escapes; may be empty. */
export function skipWord(bytes: Buffer, at: number, kind: number, longest: number): number {
  if (byteAt(bytes, at) !== QUOTE) return UNUSUAL;
  let next = at + 1;
  while (((CLASSES[byteAt(bytes, next)] ?? 0) & kind) !== 0) next += 1;
  return byteAt(bytes, next) === QUOTE && next - at - 1 <= longest ? next + 1 : UNUSUAL;
}

/** Any string of at most `longest` bytes as it is written. */
export function skipString(bytes: Buffer, at: number, longest: number): number {
  if (byteAt(bytes, at) !== QUOTE) return UNUSUAL;
  let next = at + 1;
  for (;;) {
    while (((CLASSES[byteAt(bytes, next)] ?? 0) & IN_STRING) !== 0) next += 1;
    if (byteAt(bytes, next) === QUOTE) return next - at - 1 <= longest ? next + 1 : UNUSUAL;
    if (byteAt(bytes, next) !== BACKSLASH) return UNUSUAL;
    next = skipEscape(bytes, next);
    if (next === UNUSUAL) return UNUSUAL;
  }
}

function skipEscape(bytes: Buffer, at: number): number {
  const byte = byteAt(bytes, at + 1);
  if (((CLASSES[byte] ?? 0) & ESCAPED) !== 0) return at + 2;
  if (byte !== SMALL_U) return UNUSUAL;
  for (let next = at + 2; next < at + 6; next += 1) {
    if (((CLASSES[byteAt(bytes, next)] ?? 0) & IN_HEX) === 0) return UNUSUAL;
  }
  return at + 6;
}

function skipDigits(bytes: Buffer, at: number): number {
  let next = at;
  while (byteAt(bytes, next) >= ZERO && byteAt(bytes, next) <= NINE) next += 1;
  return next;
}

/** Rules of the values of an object, at any depth. */
export interface ValueRules {
  /** Objects and arrays in one another. */
  readonly depth: number;
  /** Class of the bytes of keys; keys with escapes are unusual. */
  readonly keys: number;
  readonly keyBytes: number;
  readonly stringBytes: number;
  readonly mayBeNull: boolean;
  /** Of numbers, before the point. */
  readonly digits: number;
  readonly mayHaveExponent: boolean;
}

/** All that JSON has, as far as it is not nested without end. */
export const ANY_VALUES: ValueRules = {
  depth: 64,
  keys: IN_STRING,
  keyBytes: Number.POSITIVE_INFINITY,
  stringBytes: Number.POSITIVE_INFINITY,
  digits: Number.POSITIVE_INFINITY,
  mayBeNull: true,
  mayHaveExponent: true,
};

/** As many keys may be in one object, and in those around it. */
const MOST_KEYS = 256;

/**
 * Reads over objects of any keys. A key that comes twice in one object is unusual; so is one whose hash does, and an object
 * with very many keys.
 */
export function createObjectReader(rules: ValueRules): (bytes: Buffer, at: number) => number {
  const { depth: deepest, keys: kind, keyBytes, stringBytes, mayBeNull, mayHaveExponent, digits: mostDigits } = rules;
  /** Hashes of the keys of the object that is read, behind those of the objects around it. */
  const hashes = new Int32Array(MOST_KEYS);
  let known = 0;

  /** A key, which is noted. */
  function skipNewKey(bytes: Buffer, at: number, from: number): number {
    if (byteAt(bytes, at) !== QUOTE) return UNUSUAL;
    let next = at + 1;
    let hash = 0;
    for (let byte = byteAt(bytes, next); ((CLASSES[byte] ?? 0) & kind) !== 0; byte = byteAt(bytes, next)) {
      hash = Math.imul(hash ^ byte, 0x01000193);
      next += 1;
    }
    if (byteAt(bytes, next) !== QUOTE || next === at + 1 || next - at - 1 > keyBytes) return UNUSUAL;
    for (let index = from; index < known; index += 1) if (hashes[index] === hash) return UNUSUAL;
    if (known === MOST_KEYS) return UNUSUAL;
    hashes[known] = hash;
    known += 1;
    return next + 1;
  }

  function skipObject(bytes: Buffer, at: number, depth: number): number {
    if (byteAt(bytes, at) !== OPEN_OBJECT) return UNUSUAL;
    const from = known;
    let next = skipBlanks(bytes, at + 1);
    if (byteAt(bytes, next) === CLOSE_OBJECT) return next + 1;
    for (;;) {
      next = skipNewKey(bytes, next, from);
      if (next === UNUSUAL) return UNUSUAL;
      next = skipColon(bytes, next);
      if (next === UNUSUAL) return UNUSUAL;
      next = skipValue(bytes, next, depth);
      if (next === UNUSUAL) return UNUSUAL;
      next = skipBlanks(bytes, next);
      const byte = byteAt(bytes, next);
      if (byte === CLOSE_OBJECT) {
        known = from;
        return next + 1;
      }
      if (byte !== COMMA) return UNUSUAL;
      next = skipBlanks(bytes, next + 1);
    }
  }

  function skipArray(bytes: Buffer, at: number, depth: number): number {
    let next = skipBlanks(bytes, at + 1);
    if (byteAt(bytes, next) === CLOSE_ARRAY) return next + 1;
    for (;;) {
      next = skipValue(bytes, next, depth);
      if (next === UNUSUAL) return UNUSUAL;
      next = skipBlanks(bytes, next);
      const byte = byteAt(bytes, next);
      if (byte === CLOSE_ARRAY) return next + 1;
      if (byte !== COMMA) return UNUSUAL;
      next = skipBlanks(bytes, next + 1);
    }
  }

  /** @param depth objects and arrays around the one that has the value */
  function skipValue(bytes: Buffer, at: number, depth: number): number {
    const byte = byteAt(bytes, at);
    if (byte === QUOTE) return skipString(bytes, at, stringBytes);
    if (byte === OPEN_OBJECT) return depth < deepest ? skipObject(bytes, at, depth + 1) : UNUSUAL;
    if (byte === OPEN_ARRAY) return depth < deepest ? skipArray(bytes, at, depth + 1) : UNUSUAL;
    if (byte === MINUS || (byte >= ZERO && byte <= NINE)) return skipNumber(bytes, at, mostDigits, mayHaveExponent);
    if (byte === SMALL_N) return mayBeNull ? skipText(bytes, at, NULL) : UNUSUAL;
    const after = skipText(bytes, at, TRUE);
    return after === UNUSUAL ? skipText(bytes, at, FALSE) : after;
  }

  return (bytes, at) => {
    known = 0;
    return skipObject(bytes, at, 0);
  };
}

function skipNumber(bytes: Buffer, at: number, mostDigits: number, mayHaveExponent: boolean): number {
  const start = byteAt(bytes, at) === MINUS ? at + 1 : at;
  let next = skipDigits(bytes, start);
  if (next === start || next - start > mostDigits) return UNUSUAL;
  if (byteAt(bytes, start) === ZERO && next > start + 1) return UNUSUAL;
  if (byteAt(bytes, next) === DOT) {
    const fraction = next + 1;
    next = skipDigits(bytes, fraction);
    if (next === fraction) return UNUSUAL;
  }
  // Where none may be, an exponent stands where a comma or bracket is wanted, and is unusual there.
  return mayHaveExponent && (byteAt(bytes, next) | SPACE) === SMALL_E ? skipExponent(bytes, next) : next;
}

function skipExponent(bytes: Buffer, at: number): number {
  const sign = byteAt(bytes, at + 1);
  const start = sign === PLUS || sign === MINUS ? at + 2 : at + 1;
  const next = skipDigits(bytes, start);
  return next === start ? UNUSUAL : next;
}
