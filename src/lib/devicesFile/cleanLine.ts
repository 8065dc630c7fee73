/**
 * The short way for lines that are as they should be, which is nearly all of them: reads the bytes once, without decoding
 * and without JSON.parse, which alone takes two thirds or more of what a plain loop over the lines does. Whatever is
 * unusual in any way (a key in another case, a key that comes twice, a null in the twin, something wrong) is left to
 * `checkLine`. Of a line that is accepted here `checkLine` would say the same; a test compares the two.
 */

import { IMPORT_MODES, type ImportMode, MODE_RULES } from './importMode.ts';
import {
  ANY_VALUES,
  byteAt,
  CLASSES,
  createObjectReader,
  FALSE,
  IN_BASE64,
  IN_HEX,
  IN_ID,
  IN_KEY,
  IN_SCOPE,
  IN_TWIN_KEY,
  NULL,
  skipBlanks,
  skipColon,
  skipString,
  skipText,
  skipWord,
  TRUE,
  UNUSUAL,
} from './jsonBytes.ts';
import { FORMAT_KEYS } from './keyNames.ts';
import { TWIN_LIMITS } from './twinRules.ts';

/** What a clean line says. One object for all lines: valid until the next one is read. */
export interface CleanLine {
  id: string;
  moduleId: string | undefined;
  mode: ImportMode;
  namesMode: boolean;
  hasStatus: boolean;
  /** What a line that may overwrite a device leaves out of that. */
  lacksReason: boolean;
  lacksCapabilities: boolean;
  lacksAuthentication: boolean;
  /** As an export without keys has it. */
  lacksKeys: boolean;
  /** It has reported properties. */
  hasReported: boolean;
  isEdge: boolean;
  /** Scopes, which stand for a parent. */
  deviceScope: string | undefined;
  parentScope: string | undefined;
  /** Where these stand in the bytes, with the comma before them. */
  readonly deviceScopeAt: Span;
  readonly parentScopesAt: Span;
}

export interface Span {
  start: number;
  end: number;
}

export interface CleanLineReader {
  /** Reads `source[start, end)`, UTF-8 without blanks around it; undefined if anything in it is unusual. */
  read(source: Buffer, start: number, end: number): CleanLine | undefined;
}

const LONGEST_ID = 128;
const LONGEST_STATUS_REASON = 128;
const FEWEST_KEY_BYTES = 16;
const MOST_KEY_BYTES = 64;
/** An integer with at most this many digits is within the bounds of a twin. */
const SAFE_DIGITS = 15;
/** No line nested deeper is looked at here; nearly all rules about depth begin later. */
const REPORTED_DEPTH = 32;

const QUOTE = 0x22;
const DOLLAR = 0x24;
const COMMA = 0x2c;
const SLASH = 0x2f;
const EQUALS = 0x3d;
const OPEN_ARRAY = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_ARRAY = 0x5d;
const NULL_START = 0x6e;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** Texts to compare bytes with. */
const quoted = (text: string): Uint8Array => Buffer.from(`"${text}"`, 'latin1');
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
const [CAPABILITIES, DEVICE_SCOPE, PARENT_SCOPES] = [10, 11, 12] as const;
const AUTHENTICATION_KEYS = ['symmetricKey', 'x509Thumbprint', 'type'].map(quoted);
const [SYMMETRIC_KEY, TYPE] = [0, 2] as const;
const SYMMETRIC_KEYS = ['primaryKey', 'secondaryKey'].map(quoted);
const THUMBPRINTS = ['primaryThumbprint', 'secondaryThumbprint'].map(quoted);
const PROPERTY_KEYS = ['desired', 'reported'].map(quoted);
const DESIRED = 0;
const CAPABILITY_KEYS = ['iotEdge'].map(quoted);

/** What `keyRead` is at the end of an object. */
const NO_KEY = -1;

function skipSymmetricKey(bytes: Buffer, at: number): number {
  if (byteAt(bytes, at) !== QUOTE) return UNUSUAL;
  const start = at + 1;
  let next = start;
  let escapes = 0;
  for (;;) {
    while (((CLASSES[byteAt(bytes, next)] ?? 0) & IN_BASE64) !== 0) next += 1;
    // As PHP writes a slash.
    if (byteAt(bytes, next) !== BACKSLASH || byteAt(bytes, next + 1) !== SLASH) break;
    next += 2;
    escapes += 1;
  }
  const end = next;
  while (byteAt(bytes, next) === EQUALS) next += 1;
  const length = next - start - escapes;
  const padding = next - end;
  const decoded = (length / 4) * 3 - padding;
  if (byteAt(bytes, next) !== QUOTE || length % 4 !== 0 || padding > 2) return UNUSUAL;
  return decoded >= FEWEST_KEY_BYTES && decoded <= MOST_KEY_BYTES ? next + 1 : UNUSUAL;
}

function skipScope(bytes: Buffer, at: number): number {
  const next = skipWord(bytes, at, IN_SCOPE, Number.POSITIVE_INFINITY);
  return next > at + 2 ? next : UNUSUAL;
}

/** Something that is not in quotes of its own. */
function skipEtag(bytes: Buffer, at: number): number {
  const next = skipString(bytes, at, Number.POSITIVE_INFINITY);
  return next > at + 2 && byteAt(bytes, at + 1) !== BACKSLASH ? next : UNUSUAL;
}

export function createCleanLineReader(defaultMode: ImportMode): CleanLineReader {
  const line: CleanLine = {
    id: '',
    moduleId: undefined,
    mode: defaultMode,
    namesMode: false,
    hasStatus: false,
    lacksReason: false,
    lacksCapabilities: false,
    lacksAuthentication: false,
    lacksKeys: false,
    hasReported: false,
    isEdge: false,
    deviceScope: undefined,
    parentScope: undefined,
    deviceScopeAt: { start: 0, end: 0 },
    parentScopesAt: { start: 0, end: 0 },
  };
  const skipTwin = createObjectReader({
    depth: TWIN_LIMITS.depth,
    keys: IN_TWIN_KEY,
    keyBytes: TWIN_LIMITS.keyBytes,
    stringBytes: TWIN_LIMITS.stringBytes,
    mayBeNull: false,
    digits: SAFE_DIGITS,
    mayHaveExponent: false,
  });
  const skipReported = createObjectReader({ ...ANY_VALUES, depth: REPORTED_DEPTH, keys: IN_KEY });
  /** Number of the key that `skipKey` came past. */
  let keyRead = NO_KEY;
  /** How many of the keys or thumbprints that were read are more than null. */
  let keysFound = 0;
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
      const text = keys[key] ?? NULL;
      // Most others differ in their first letter.
      if (text[1] !== byteAt(bytes, next + 1)) continue;
      const after = skipText(bytes, next, text);
      if (after !== UNUSUAL) {
        keyRead = key;
        return skipColon(bytes, after);
      }
    }
    return UNUSUAL;
  }

  /** Both keys, or none. */
  function skipSymmetricKeys(bytes: Buffer, at: number): number {
    if (byteAt(bytes, at) !== OPEN_OBJECT) return UNUSUAL;
    let next = at + 1;
    let seen = 0;
    let found = 0;
    for (let previous = NO_KEY; ; previous = keyRead) {
      next = skipKey(bytes, next, SYMMETRIC_KEYS, previous);
      if (next === UNUSUAL) return UNUSUAL;
      if (keyRead === NO_KEY) break;
      if ((seen & (1 << keyRead)) !== 0) return UNUSUAL;
      seen |= 1 << keyRead;
      if (byteAt(bytes, next) === NULL_START) {
        next = skipText(bytes, next, NULL);
      } else {
        next = skipSymmetricKey(bytes, next);
        found += 1;
      }
      if (next === UNUSUAL) return UNUSUAL;
    }
    keysFound = found;
    return found === 1 ? UNUSUAL : next;
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
        next = skipWord(bytes, start, IN_HEX, 64);
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
        keys = keysFound > 0;
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
      const start = next;
      if (byteAt(bytes, start) === NULL_START) {
        next = skipText(bytes, start, NULL);
      } else if (keyRead === DESIRED) {
        next = skipSection(bytes, start, TWIN_LIMITS.smallDesired);
      } else {
        next = skipReported(bytes, start);
        line.hasReported = byteAt(bytes, skipBlanks(bytes, start + 1)) !== CLOSE_OBJECT;
      }
      if (next === UNUSUAL) return UNUSUAL;
    }
  }

  /** Tags or desired properties, which cannot be too large if they take so few bytes of the line. */
  function skipSection(bytes: Buffer, at: number, small: number): number {
    const next = skipTwin(bytes, at);
    return next - at <= small ? next : UNUSUAL;
  }

  function skipCapabilities(bytes: Buffer, at: number): number {
    if (byteAt(bytes, at) !== OPEN_OBJECT) return UNUSUAL;
    const value = skipKey(bytes, at + 1, CAPABILITY_KEYS, NO_KEY);
    if (value === UNUSUAL || keyRead === NO_KEY) return UNUSUAL;
    const after = skipText(bytes, value, FALSE);
    line.isEdge = after === UNUSUAL;
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
    const next = skipWord(bytes, at, IN_ID, LONGEST_ID);
    if (next <= at + 2) return UNUSUAL;
    line.id = bytes.toString('latin1', at + 1, next - 1);
    return next;
  }

  function readModuleId(bytes: Buffer, at: number): number {
    const next = skipWord(bytes, at, IN_ID, LONGEST_ID);
    if (next <= at + 2 || byteAt(bytes, at + 1) === DOLLAR) return UNUSUAL;
    line.moduleId = bytes.toString('latin1', at + 1, next - 1);
    return next;
  }

  function readDeviceScope(bytes: Buffer, at: number): number {
    const next = skipScope(bytes, at);
    if (next !== UNUSUAL) line.deviceScope = bytes.toString('latin1', at + 1, next - 1);
    return next;
  }

  /** None, or one: a device has one parent. */
  function readParentScopes(bytes: Buffer, at: number): number {
    if (byteAt(bytes, at) !== OPEN_ARRAY) return UNUSUAL;
    const start = skipBlanks(bytes, at + 1);
    if (byteAt(bytes, start) === CLOSE_ARRAY) return start + 1;
    const end = skipScope(bytes, start);
    if (end === UNUSUAL) return UNUSUAL;
    line.parentScope = bytes.toString('latin1', start + 1, end - 1);
    const next = skipBlanks(bytes, end);
    return byteAt(bytes, next) === CLOSE_ARRAY ? next + 1 : UNUSUAL;
  }

  /** A value that is not null. */
  function skipValue(bytes: Buffer, at: number, key: number): number {
    switch (key) {
      case ID:
        return readId(bytes, at);
      case MODULE_ID:
        return readModuleId(bytes, at);
      case ETAG:
      case TWIN_ETAG:
        return skipEtag(bytes, at);
      case IMPORT_MODE:
        return readMode(bytes, at);
      case STATUS:
        return readStatus(bytes, at);
      case STATUS_REASON:
        return skipString(bytes, at, LONGEST_STATUS_REASON);
      case AUTHENTICATION:
        return skipAuthentication(bytes, at);
      case TAGS:
        return skipSection(bytes, at, TWIN_LIMITS.smallTags);
      case PROPERTIES:
        return skipProperties(bytes, at);
      case CAPABILITIES:
        return skipCapabilities(bytes, at);
      case DEVICE_SCOPE:
        return readDeviceScope(bytes, at);
      case PARENT_SCOPES:
        return readParentScopes(bytes, at);
      default:
        return UNUSUAL;
    }
  }

  /** Whether the line has what its mode cannot do without; notes what else it does not say. */
  function isWhole(filled: number, seen: number): boolean {
    const { needs } = MODE_RULES[line.mode];
    if ((filled & (1 << ID)) === 0) return false;
    if (needs !== undefined && (filled & (1 << (needs.etag === 'eTag' ? ETAG : TWIN_ETAG))) === 0) return false;
    line.lacksReason = (filled & (1 << STATUS_REASON)) === 0;
    line.lacksCapabilities = (filled & (1 << CAPABILITIES)) === 0;
    line.lacksAuthentication = (filled & (1 << AUTHENTICATION)) === 0;
    line.lacksKeys = line.lacksAuthentication && (seen & (1 << AUTHENTICATION)) !== 0 && (filled & (1 << ETAG)) !== 0;
    return true;
  }

  return {
    read(source, start, end) {
      if (byteAt(source, start) !== OPEN_OBJECT) return undefined;
      line.moduleId = undefined;
      line.mode = defaultMode;
      line.namesMode = false;
      line.hasStatus = false;
      line.hasReported = false;
      line.isEdge = false;
      line.deviceScope = undefined;
      line.parentScope = undefined;
      let next = start + 1;
      let seen = 0;
      let filled = 0;
      for (let previous = NO_KEY; ; ) {
        const member = next;
        next = skipKey(source, next, LINE_KEYS, previous);
        if (next === UNUSUAL) return undefined;
        if (keyRead === NO_KEY) break;
        const key = keyRead;
        if ((seen & (1 << key)) !== 0) return undefined;
        seen |= 1 << key;
        previous = key;
        if (byteAt(source, next) === NULL_START) {
          // It says as little as a key that is not there; but these are written anew.
          if (key === ID || key === IMPORT_MODE || key === STATUS) return undefined;
          next = skipText(source, next, NULL);
        } else {
          filled |= 1 << key;
          next = skipValue(source, next, key);
          if (key >= DEVICE_SCOPE) {
            // With no comma before it, it would have to go with the one behind it.
            if (seen === 1 << key) return undefined;
            const span = key === DEVICE_SCOPE ? line.deviceScopeAt : line.parentScopesAt;
            span.start = member;
            span.end = next;
          }
        }
        if (next === UNUSUAL) return undefined;
      }
      return next === end && isWhole(filled, seen) ? line : undefined;
    },
  };
}
