/**
 * The short way for lines that are as they should be, which is nearly all of them: reads the bytes once, without decoding
 * and without JSON.parse, which takes longer than all the rules. Whatever is unusual in any way (an escape, a key in
 * another case, a null in the twin, something missing, something wrong) is left to `checkLine`. Of a line that is accepted
 * here `checkLine` would say the same, without a warning; a test compares the two.
 */

import { IMPORT_MODES, type ImportMode } from './importMode.ts';
import { FORMAT_KEYS } from './keyNames.ts';
import { MODE_RULES } from './modeRules.ts';
import { TWIN_LIMITS } from './twinRules.ts';

/** What a clean line says. One object for all lines: valid until the next one is read. */
export interface CleanLine {
  id: string;
  moduleId: string | undefined;
  mode: ImportMode;
  namesMode: boolean;
  hasStatus: boolean;
}

export interface CleanLineReader {
  /** Reads `source[start, end)`, UTF-8 without blanks around it; undefined if anything in it is unusual. */
  read(source: Buffer, start: number, end: number): CleanLine | undefined;
}

const LONGEST_ID = 128;
const LONGEST_STATUS_REASON = 128;
const FEWEST_KEY_BYTES = 16;
const MOST_KEY_BYTES = 64;
/** A number with at most this many digits is within the bounds of a twin. */
const SAFE_DIGITS = 15;

const TAB = 0x09;
const SPACE = 0x20;
const QUOTE = 0x22;
const DOLLAR = 0x24;
const COMMA = 0x2c;
const MINUS = 0x2d;
const DOT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const EQUALS = 0x3d;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const NULL_START = 0x6e;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** Classes of bytes, as bits. */
const IN_STRING = 1;
const IN_ID = 2;
const IN_TWIN_KEY = 4;
const IN_BASE64 = 8;
const IN_HEX = 16;
const CLASSES = new Uint8Array(256);
// Characters beyond ASCII may be in strings; in keys some of them may not, which is looked at the long way.
CLASSES.fill(IN_STRING, 0x80);
for (let byte = 0x20; byte < 0x80; byte += 1) {
  const character = String.fromCharCode(byte);
  const is = (pattern: RegExp, bit: number): number => (pattern.test(character) ? bit : 0);
  CLASSES[byte] =
    is(/[^"\\]/, IN_STRING) |
    is(/[A-Za-z0-9:.%_*?!(),=@;$'-]/, IN_ID) |
    is(/[^ .$#"\\\x7f]/, IN_TWIN_KEY) |
    is(/[A-Za-z0-9+/]/, IN_BASE64) |
    is(/[A-Fa-f0-9]/, IN_HEX);
}

/** Texts to compare bytes with. */
const quoted = (text: string): Uint8Array => Buffer.from(`"${text}"`, 'latin1');
const NULL = Buffer.from('null', 'latin1');
const TRUE = Buffer.from('true', 'latin1');
const FALSE = Buffer.from('false', 'latin1');
const ENABLED = quoted('enabled');
const DISABLED = quoted('disabled');
const SAS = quoted('sas');
const SELF_SIGNED = quoted('selfSigned');
const CERTIFICATE_AUTHORITY = quoted('certificateAuthority');
const MODES = IMPORT_MODES.map(quoted);

const LINE_KEYS = FORMAT_KEYS.map(quoted);
const [ID, MODULE_ID, ETAG, IMPORT_MODE, STATUS, STATUS_REASON, AUTHENTICATION, TWIN_ETAG, TAGS, PROPERTIES] = [
  0, 1, 2, 3, 4, 5, 6, 7, 8, 9,
] as const;
const CAPABILITIES = 10;
const AUTHENTICATION_KEYS = ['symmetricKey', 'x509Thumbprint', 'type'].map(quoted);
const [SYMMETRIC_KEY, TYPE] = [0, 2] as const;
const SYMMETRIC_KEYS = ['primaryKey', 'secondaryKey'].map(quoted);
const THUMBPRINTS = ['primaryThumbprint', 'secondaryThumbprint'].map(quoted);
const PROPERTY_KEYS = ['desired', 'reported'].map(quoted);
const DESIRED = 0;
const CAPABILITY_KEYS = ['iotEdge'].map(quoted);

/** What a step returns instead of the offset after it: the line is not one for the short way. */
const UNUSUAL = -1;
/** What `keyRead` is at the end of an object. */
const NO_KEY = -1;

/*
 * Each step takes the bytes and an offset, and returns the offset after what it read, or UNUSUAL; no position is kept
 * between steps, so that offsets stay in registers. Steps may look beyond the end of the line; what they return is then
 * beyond it too, which is found at the end.
 */

/** The byte at `at`; 0, which is in no class, beyond the end of the buffer. */
function byteAt(bytes: Buffer, at: number): number {
  return bytes[at] ?? 0;
}

function skipBlanks(bytes: Buffer, at: number): number {
  let next = at;
  while (byteAt(bytes, next) === SPACE || byteAt(bytes, next) === TAB) next += 1;
  return next;
}

function skipText(bytes: Buffer, at: number, text: Uint8Array): number {
  const { length } = text;
  for (let index = 0; index < length; index += 1) {
    if (bytes[at + index] !== text[index]) return UNUSUAL;
  }
  return at + length;
}

/** A string of at most `longest` bytes of one class; may be empty. */
function skipString(bytes: Buffer, at: number, kind: number, longest: number): number {
  if (byteAt(bytes, at) !== QUOTE) return UNUSUAL;
  let next = at + 1;
  while (((CLASSES[byteAt(bytes, next)] ?? 0) & kind) !== 0) next += 1;
  return byteAt(bytes, next) === QUOTE && next - at - 1 <= longest ? next + 1 : UNUSUAL;
}

/** The colon after a key, and blanks around it. */
function skipColon(bytes: Buffer, at: number): number {
  const colon = skipBlanks(bytes, at);
  return byteAt(bytes, colon) === COLON ? skipBlanks(bytes, colon + 1) : UNUSUAL;
}

/** Any value that a twin may have, but null; `depth` counts the objects and arrays around it. */
function skipTwinValue(bytes: Buffer, at: number, depth: number): number {
  const byte = byteAt(bytes, at);
  if (byte === QUOTE) return skipString(bytes, at, IN_STRING, TWIN_LIMITS.stringBytes);
  if (byte === OPEN_OBJECT) return depth < TWIN_LIMITS.depth ? skipTwinObject(bytes, at, depth + 1) : UNUSUAL;
  if (byte === OPEN_ARRAY) return depth < TWIN_LIMITS.depth ? skipTwinArray(bytes, at, depth + 1) : UNUSUAL;
  if (byte === MINUS || (byte >= ZERO && byte <= NINE)) return skipNumber(bytes, at);
  const after = skipText(bytes, at, TRUE);
  return after === UNUSUAL ? skipText(bytes, at, FALSE) : after;
}

function skipTwinObject(bytes: Buffer, at: number, depth: number): number {
  if (byteAt(bytes, at) !== OPEN_OBJECT) return UNUSUAL;
  let next = skipBlanks(bytes, at + 1);
  if (byteAt(bytes, next) === CLOSE_OBJECT) return next + 1;
  for (;;) {
    const key = next;
    next = skipString(bytes, key, IN_TWIN_KEY, TWIN_LIMITS.keyBytes);
    if (next <= key + 2) return UNUSUAL;
    next = skipColon(bytes, next);
    if (next === UNUSUAL) return UNUSUAL;
    next = skipTwinValue(bytes, next, depth);
    if (next === UNUSUAL) return UNUSUAL;
    next = skipBlanks(bytes, next);
    const byte = byteAt(bytes, next);
    if (byte === CLOSE_OBJECT) return next + 1;
    if (byte !== COMMA) return UNUSUAL;
    next = skipBlanks(bytes, next + 1);
  }
}

function skipTwinArray(bytes: Buffer, at: number, depth: number): number {
  let next = skipBlanks(bytes, at + 1);
  if (byteAt(bytes, next) === CLOSE_ARRAY) return next + 1;
  for (;;) {
    next = skipTwinValue(bytes, next, depth);
    if (next === UNUSUAL) return UNUSUAL;
    next = skipBlanks(bytes, next);
    const byte = byteAt(bytes, next);
    if (byte === CLOSE_ARRAY) return next + 1;
    if (byte !== COMMA) return UNUSUAL;
    next = skipBlanks(bytes, next + 1);
  }
}

/** Numbers of few digits and without exponent. */
function skipNumber(bytes: Buffer, at: number): number {
  const start = byteAt(bytes, at) === MINUS ? at + 1 : at;
  let next = skipDigits(bytes, start);
  if (next === start || (byteAt(bytes, start) === ZERO && next > start + 1)) return UNUSUAL;
  if (byteAt(bytes, next) === DOT) {
    const fraction = next + 1;
    next = skipDigits(bytes, fraction);
    if (next === fraction) return UNUSUAL;
  }
  // An exponent stands where a comma or bracket is wanted, and is unusual there.
  return next - start <= SAFE_DIGITS ? next : UNUSUAL;
}

function skipDigits(bytes: Buffer, at: number): number {
  let next = at;
  while (byteAt(bytes, next) >= ZERO && byteAt(bytes, next) <= NINE) next += 1;
  return next;
}

/** Null, or a string with something in it. */
function skipOptional(bytes: Buffer, at: number): number {
  if (byteAt(bytes, at) !== QUOTE) return skipText(bytes, at, NULL);
  const next = skipString(bytes, at, IN_STRING, Number.POSITIVE_INFINITY);
  return next > at + 2 ? next : UNUSUAL;
}

function skipEmptyObject(bytes: Buffer, at: number): number {
  if (byteAt(bytes, at) !== OPEN_OBJECT) return UNUSUAL;
  const next = skipBlanks(bytes, at + 1);
  return byteAt(bytes, next) === CLOSE_OBJECT ? next + 1 : UNUSUAL;
}

function skipSymmetricKey(bytes: Buffer, at: number): number {
  if (byteAt(bytes, at) !== QUOTE) return UNUSUAL;
  const start = at + 1;
  let next = start;
  while (((CLASSES[byteAt(bytes, next)] ?? 0) & IN_BASE64) !== 0) next += 1;
  const digits = next - start;
  while (byteAt(bytes, next) === EQUALS) next += 1;
  const length = next - start;
  const padding = length - digits;
  const decoded = (length / 4) * 3 - padding;
  if (byteAt(bytes, next) !== QUOTE || length % 4 !== 0 || padding > 2) return UNUSUAL;
  return decoded >= FEWEST_KEY_BYTES && decoded <= MOST_KEY_BYTES ? next + 1 : UNUSUAL;
}

export function createCleanLineReader(defaultMode: ImportMode): CleanLineReader {
  const line: CleanLine = { id: '', moduleId: undefined, mode: defaultMode, namesMode: false, hasStatus: false };
  /** Number of the key that `skipKey` came past. */
  let keyRead = NO_KEY;
  /** Whether the thumbprints that were read are more than null. */
  let thumbprintRead = false;

  /**
   * The next key of an object and its colon, or the closing brace.
   *
   * @param previous number of the key before it, NO_KEY if it is the first
   */
  function skipKey(bytes: Buffer, at: number, keys: readonly Uint8Array[], previous: number): number {
    let next = skipBlanks(bytes, at);
    const byte = byteAt(bytes, next);
    if (byte === CLOSE_OBJECT) {
      keyRead = NO_KEY;
      return next + 1;
    }
    if (previous !== NO_KEY) {
      if (byte !== COMMA) return UNUSUAL;
      next = skipBlanks(bytes, next + 1);
    }
    // Nearly all files have the keys in the documented order.
    let key = previous;
    for (let tried = 0; tried < keys.length; tried += 1) {
      key = key + 1 < keys.length ? key + 1 : 0;
      const after = skipText(bytes, next, keys[key] ?? NULL);
      if (after !== UNUSUAL) {
        keyRead = key;
        return skipColon(bytes, after);
      }
    }
    return UNUSUAL;
  }

  /** Both keys. */
  function skipSymmetricKeys(bytes: Buffer, at: number): number {
    if (byteAt(bytes, at) !== OPEN_OBJECT) return UNUSUAL;
    let next = at + 1;
    let seen = 0;
    for (let previous = NO_KEY; ; previous = keyRead) {
      next = skipKey(bytes, next, SYMMETRIC_KEYS, previous);
      if (next === UNUSUAL) return UNUSUAL;
      if (keyRead === NO_KEY) return seen === 3 ? next : UNUSUAL;
      if ((seen & (1 << keyRead)) !== 0) return UNUSUAL;
      seen |= 1 << keyRead;
      next = skipSymmetricKey(bytes, next);
      if (next === UNUSUAL) return UNUSUAL;
    }
  }

  function skipThumbprints(bytes: Buffer, at: number): number {
    if (byteAt(bytes, at) !== OPEN_OBJECT) return UNUSUAL;
    let next = at + 1;
    let seen = 0;
    let length = 0;
    thumbprintRead = false;
    for (let previous = NO_KEY; ; previous = keyRead) {
      next = skipKey(bytes, next, THUMBPRINTS, previous);
      if (next === UNUSUAL || keyRead === NO_KEY) return next;
      if ((seen & (1 << keyRead)) !== 0) return UNUSUAL;
      seen |= 1 << keyRead;
      const start = next;
      next = skipText(bytes, start, NULL);
      if (next === UNUSUAL) {
        next = skipString(bytes, start, IN_HEX, 64);
        if (next - start !== 42 && next - start !== 66) return UNUSUAL;
        // Two of different kinds are warned of.
        if (thumbprintRead && next - start !== length) return UNUSUAL;
        length = next - start;
        thumbprintRead = true;
      }
    }
  }

  /** Credentials that are complete. */
  function skipAuthentication(bytes: Buffer, at: number): number {
    if (byteAt(bytes, at) !== OPEN_OBJECT) return UNUSUAL;
    let next = at + 1;
    let seen = 0;
    let keys = false;
    let thumbprints = false;
    let type = SAS;
    for (let previous = NO_KEY; ; ) {
      next = skipKey(bytes, next, AUTHENTICATION_KEYS, previous);
      if (next === UNUSUAL) return UNUSUAL;
      if (keyRead === NO_KEY) break;
      if ((seen & (1 << keyRead)) !== 0) return UNUSUAL;
      seen |= 1 << keyRead;
      previous = keyRead;
      const absent = skipText(bytes, next, NULL);
      if (keyRead === TYPE) {
        const start = next;
        for (type of [SAS, SELF_SIGNED, CERTIFICATE_AUTHORITY]) {
          next = skipText(bytes, start, type);
          if (next !== UNUSUAL) break;
        }
      } else if (absent !== UNUSUAL) {
        next = absent;
      } else if (keyRead === SYMMETRIC_KEY) {
        next = skipSymmetricKeys(bytes, next);
        keys = true;
      } else {
        next = skipThumbprints(bytes, next);
        thumbprints = thumbprintRead;
      }
      if (next === UNUSUAL) return UNUSUAL;
    }
    return keys === (type === SAS) && thumbprints === (type === SELF_SIGNED) ? next : UNUSUAL;
  }

  function skipProperties(bytes: Buffer, at: number): number {
    if (byteAt(bytes, at) !== OPEN_OBJECT) return UNUSUAL;
    let next = at + 1;
    let seen = 0;
    for (let previous = NO_KEY; ; previous = keyRead) {
      next = skipKey(bytes, next, PROPERTY_KEYS, previous);
      if (next === UNUSUAL || keyRead === NO_KEY) return next;
      if ((seen & (1 << keyRead)) !== 0) return UNUSUAL;
      seen |= 1 << keyRead;
      next = keyRead === DESIRED ? skipTwinObject(bytes, next, 0) : skipEmptyObject(bytes, next);
      if (next === UNUSUAL) return UNUSUAL;
    }
  }

  function skipCapabilities(bytes: Buffer, at: number): number {
    if (byteAt(bytes, at) !== OPEN_OBJECT) return UNUSUAL;
    const value = skipKey(bytes, at + 1, CAPABILITY_KEYS, NO_KEY);
    if (value === UNUSUAL || keyRead === NO_KEY) return UNUSUAL;
    const after = skipText(bytes, value, FALSE);
    const next = skipBlanks(bytes, after === UNUSUAL ? skipText(bytes, value, TRUE) : after);
    return byteAt(bytes, next) === CLOSE_OBJECT ? next + 1 : UNUSUAL;
  }

  function readMode(bytes: Buffer, at: number): number {
    for (let mode = 0; mode < MODES.length; mode += 1) {
      const next = skipText(bytes, at, MODES[mode] ?? NULL);
      if (next !== UNUSUAL) {
        line.mode = IMPORT_MODES[mode] ?? defaultMode;
        line.namesMode = true;
        return next;
      }
    }
    return UNUSUAL;
  }

  function readStatus(bytes: Buffer, at: number): number {
    line.hasStatus = true;
    const enabled = skipText(bytes, at, ENABLED);
    return enabled === UNUSUAL ? skipText(bytes, at, DISABLED) : enabled;
  }

  function readId(bytes: Buffer, at: number): number {
    const next = skipString(bytes, at, IN_ID, LONGEST_ID);
    if (next <= at + 2) return UNUSUAL;
    line.id = bytes.toString('latin1', at + 1, next - 1);
    return next;
  }

  function readModuleId(bytes: Buffer, at: number): number {
    const next = skipString(bytes, at, IN_ID, LONGEST_ID);
    if (next <= at + 2 || byteAt(bytes, at + 1) === DOLLAR) return UNUSUAL;
    line.moduleId = bytes.toString('latin1', at + 1, next - 1);
    return next;
  }

  function skipValue(bytes: Buffer, at: number, key: number): number {
    switch (key) {
      case ID:
        return readId(bytes, at);
      case MODULE_ID:
        return readModuleId(bytes, at);
      case ETAG:
      case TWIN_ETAG:
        return skipOptional(bytes, at);
      case IMPORT_MODE:
        return readMode(bytes, at);
      case STATUS:
        return readStatus(bytes, at);
      case STATUS_REASON:
        return skipString(bytes, at, IN_STRING, LONGEST_STATUS_REASON);
      case AUTHENTICATION:
        return skipAuthentication(bytes, at);
      case TAGS:
        return skipTwinObject(bytes, at, 0);
      case PROPERTIES:
        return skipProperties(bytes, at);
      case CAPABILITIES:
        return skipCapabilities(bytes, at);
      default:
        // Scopes are too rare for a way of their own, and stand for a parent.
        return skipText(bytes, at, NULL);
    }
  }

  /** Whether the line has what its mode needs. */
  function isWhole(filled: number, seen: number): boolean {
    const { mayOverwrite, needs } = MODE_RULES[line.mode];
    if ((filled & (1 << ID)) === 0) return false;
    // As an export without keys has it, which is warned of.
    if ((filled & KEYLESS_EXPORT) === 1 << ETAG && (seen & (1 << AUTHENTICATION)) !== 0) return false;
    if (needs !== undefined && (filled & (1 << (needs.etag === 'eTag' ? ETAG : TWIN_ETAG))) === 0) return false;
    const wanted = line.moduleId === undefined ? WHOLE_DEVICE : WHOLE_MODULE;
    return !mayOverwrite || (filled & wanted) === wanted;
  }

  return {
    read(source, start, end) {
      if (end - start >= TWIN_LIMITS.smallLine || byteAt(source, start) !== OPEN_OBJECT) return undefined;
      line.moduleId = undefined;
      line.mode = defaultMode;
      line.namesMode = false;
      line.hasStatus = false;
      let next = start + 1;
      let seen = 0;
      let filled = 0;
      for (let previous = NO_KEY; ; ) {
        next = skipKey(source, next, LINE_KEYS, previous);
        if (next === UNUSUAL) return undefined;
        if (keyRead === NO_KEY) break;
        const key = keyRead;
        if ((seen & (1 << key)) !== 0) return undefined;
        seen |= 1 << key;
        previous = key;
        // A null says as little as a key that is not there.
        if (byteAt(source, next) !== NULL_START) filled |= 1 << key;
        next = skipValue(source, next, key);
        if (next === UNUSUAL) return undefined;
      }
      return next === end && isWhole(filled, seen) ? line : undefined;
    },
  };
}

const KEYLESS_EXPORT = (1 << ETAG) | (1 << AUTHENTICATION);
/** Keys that a line must have to be applied to an existing identity without resetting anything. */
const WHOLE_MODULE = 1 << AUTHENTICATION;
const WHOLE_DEVICE = WHOLE_MODULE | (1 << STATUS) | (1 << STATUS_REASON) | (1 << CAPABILITIES);
