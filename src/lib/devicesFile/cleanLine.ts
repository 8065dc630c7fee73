/**
 * The short way for lines that are as they should be, which is nearly all of them: reads the bytes once, without decoding
 * and without JSON.parse, which alone takes two thirds or more of what a plain loop over the lines does. Whatever is
 * unusual in any way (a key in another case, a key that comes twice, a null in the twin, something wrong) is left to
 * `checkLine`. Of a line that is accepted here `checkLine` would say the same; a test compares the two.
 */

import { CleanAuthentication } from './cleanAuthentication.ts';
import { DEFAULT_IMPORT_MODE, IMPORT_MODES, type ImportMode, MODE_RULES } from './importMode.ts';
import {
  ANY_VALUES,
  BACKSLASH,
  byteAt,
  CLOSE_ARRAY,
  CLOSE_OBJECT,
  createObjectReader,
  DOLLAR,
  FALSE,
  IN_ID,
  IN_KEY,
  IN_SCOPE,
  IN_TWIN_KEY,
  NULL,
  NULL_START,
  OPEN_ARRAY,
  OPEN_OBJECT,
  skipBlanks,
  skipString,
  skipText,
  skipWord,
  TRUE,
  UNUSUAL,
} from './jsonBytes.ts';
import { FORMAT_KEYS } from './keyNames.ts';
import { KnownKeys, NO_KEY, quoted } from './knownKeys.ts';
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
/** An integer with at most this many digits is within the bounds of a twin. */
const SAFE_DIGITS = 15;
/** No line nested deeper is looked at here; nearly all rules about depth begin later. */
const REPORTED_DEPTH = 32;

const ENABLED = quoted('enabled');
const DISABLED = quoted('disabled');
const MODES = IMPORT_MODES.map(quoted);

const LINE_KEYS = FORMAT_KEYS.map(quoted);
const [ID, MODULE_ID, ETAG, IMPORT_MODE, STATUS, STATUS_REASON, AUTHENTICATION, TWIN_ETAG, TAGS, PROPERTIES] = [
  0, 1, 2, 3, 4, 5, 6, 7, 8, 9,
] as const;
const [CAPABILITIES, DEVICE_SCOPE, PARENT_SCOPES] = [10, 11, 12] as const;
const PROPERTY_KEYS = ['desired', 'reported'].map(quoted);
const DESIRED = 0;
const CAPABILITY_KEYS = ['iotEdge'].map(quoted);

/**
 * The only door to the short way: without it, the check has 0.6 to 0.8 of the speed of a plain loop over the lines, with it
 * as much as that, which is why it is here at all. What it says is held to what `checkLine` says by a test.
 */
export function createCleanLineReader(defaultMode: ImportMode): CleanLineReader {
  return new CleanLines(defaultMode);
}

class CleanLines implements CleanLineReader {
  private readonly defaultMode: ImportMode;
  private readonly line: CleanLine = {
    id: '',
    moduleId: undefined,
    mode: DEFAULT_IMPORT_MODE,
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
  private readonly skipTwin = createObjectReader({
    depth: TWIN_LIMITS.depth,
    keys: IN_TWIN_KEY,
    keyBytes: TWIN_LIMITS.keyBytes,
    stringBytes: TWIN_LIMITS.stringBytes,
    mayBeNull: false,
    digits: SAFE_DIGITS,
    mayHaveExponent: false,
  });
  private readonly skipReported = createObjectReader({ ...ANY_VALUES, depth: REPORTED_DEPTH, keys: IN_KEY });
  private readonly keys = new KnownKeys();
  private readonly authentication = new CleanAuthentication(this.keys);

  constructor(defaultMode: ImportMode) {
    this.defaultMode = defaultMode;
  }

  read(source: Buffer, start: number, end: number): CleanLine | undefined {
    const { line, keys } = this;
    if (byteAt(source, start) !== OPEN_OBJECT) return undefined;
    line.moduleId = undefined;
    line.mode = this.defaultMode;
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
      next = keys.skipKey(source, next, LINE_KEYS, previous);
      if (next === UNUSUAL) return undefined;
      if (keys.keyRead === NO_KEY) break;
      const key = keys.keyRead;
      if ((seen & (1 << key)) !== 0) return undefined;
      seen |= 1 << key;
      previous = key;
      if (byteAt(source, next) === NULL_START) {
        // It says as little as a key that is not there; but these are written anew.
        if (key === ID || key === IMPORT_MODE || key === STATUS) return undefined;
        next = skipText(source, next, NULL);
      } else {
        filled |= 1 << key;
        next = this.skipValue(source, next, key);
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
    return next === end && this.isWhole(filled, seen) ? line : undefined;
  }

  /** A value that is not null. */
  private skipValue(bytes: Buffer, at: number, key: number): number {
    switch (key) {
      case ID:
        return this.readId(bytes, at);
      case MODULE_ID:
        return this.readModuleId(bytes, at);
      case ETAG:
      case TWIN_ETAG:
        return skipEtag(bytes, at);
      case IMPORT_MODE:
        return this.readMode(bytes, at);
      case STATUS:
        return this.readStatus(bytes, at);
      case STATUS_REASON:
        return skipString(bytes, at, LONGEST_STATUS_REASON);
      case AUTHENTICATION:
        return this.authentication.skip(bytes, at);
      case TAGS:
        return this.skipSection(bytes, at, TWIN_LIMITS.smallTags);
      case PROPERTIES:
        return this.skipProperties(bytes, at);
      case CAPABILITIES:
        return this.skipCapabilities(bytes, at);
      case DEVICE_SCOPE:
        return this.readDeviceScope(bytes, at);
      case PARENT_SCOPES:
        return this.readParentScopes(bytes, at);
      default:
        return UNUSUAL;
    }
  }

  /** Whether the line has what its mode cannot do without; notes what else it does not say. */
  private isWhole(filled: number, seen: number): boolean {
    const { needs } = MODE_RULES[this.line.mode];
    if ((filled & (1 << ID)) === 0) return false;
    if (needs !== undefined && (filled & (1 << (needs.etag === 'eTag' ? ETAG : TWIN_ETAG))) === 0) return false;
    this.line.lacksReason = (filled & (1 << STATUS_REASON)) === 0;
    this.line.lacksCapabilities = (filled & (1 << CAPABILITIES)) === 0;
    this.line.lacksAuthentication = (filled & (1 << AUTHENTICATION)) === 0;
    this.line.lacksKeys =
      this.line.lacksAuthentication && (seen & (1 << AUTHENTICATION)) !== 0 && (filled & (1 << ETAG)) !== 0;
    return true;
  }

  private skipProperties(bytes: Buffer, at: number): number {
    if (byteAt(bytes, at) !== OPEN_OBJECT) return UNUSUAL;
    let next = at + 1;
    let seen = 0;
    for (let previous = NO_KEY; ; previous = this.keys.keyRead) {
      next = this.keys.skipKey(bytes, next, PROPERTY_KEYS, previous);
      if (next === UNUSUAL || this.keys.keyRead === NO_KEY) return next;
      if ((seen & (1 << this.keys.keyRead)) !== 0) return UNUSUAL;
      seen |= 1 << this.keys.keyRead;
      const start = next;
      if (byteAt(bytes, start) === NULL_START) {
        next = skipText(bytes, start, NULL);
      } else if (this.keys.keyRead === DESIRED) {
        next = this.skipSection(bytes, start, TWIN_LIMITS.smallDesired);
      } else {
        next = this.skipReported(bytes, start);
        this.line.hasReported = byteAt(bytes, skipBlanks(bytes, start + 1)) !== CLOSE_OBJECT;
      }
      if (next === UNUSUAL) return UNUSUAL;
    }
  }

  /** Tags or desired properties, which cannot be too large if they take so few bytes of the this.line. */
  private skipSection(bytes: Buffer, at: number, small: number): number {
    const next = this.skipTwin(bytes, at);
    return next - at <= small ? next : UNUSUAL;
  }

  private skipCapabilities(bytes: Buffer, at: number): number {
    if (byteAt(bytes, at) !== OPEN_OBJECT) return UNUSUAL;
    const value = this.keys.skipKey(bytes, at + 1, CAPABILITY_KEYS, NO_KEY);
    if (value === UNUSUAL || this.keys.keyRead === NO_KEY) return UNUSUAL;
    const after = skipText(bytes, value, FALSE);
    this.line.isEdge = after === UNUSUAL;
    const next = skipBlanks(bytes, after === UNUSUAL ? skipText(bytes, value, TRUE) : after);
    return byteAt(bytes, next) === CLOSE_OBJECT ? next + 1 : UNUSUAL;
  }

  private readMode(bytes: Buffer, at: number): number {
    for (let mode = 0; mode < MODES.length; mode += 1) {
      const next = skipText(bytes, at, MODES[mode] ?? NULL);
      if (next !== UNUSUAL) {
        this.line.mode = IMPORT_MODES[mode] ?? this.defaultMode;
        this.line.namesMode = true;
        return next;
      }
    }
    return UNUSUAL;
  }

  private readStatus(bytes: Buffer, at: number): number {
    this.line.hasStatus = true;
    const enabled = skipText(bytes, at, ENABLED);
    return enabled === UNUSUAL ? skipText(bytes, at, DISABLED) : enabled;
  }

  private readId(bytes: Buffer, at: number): number {
    const next = skipWord(bytes, at, IN_ID, LONGEST_ID);
    if (next <= at + 2) return UNUSUAL;
    this.line.id = bytes.toString('latin1', at + 1, next - 1);
    return next;
  }

  private readModuleId(bytes: Buffer, at: number): number {
    const next = skipWord(bytes, at, IN_ID, LONGEST_ID);
    if (next <= at + 2 || byteAt(bytes, at + 1) === DOLLAR) return UNUSUAL;
    this.line.moduleId = bytes.toString('latin1', at + 1, next - 1);
    return next;
  }

  private readDeviceScope(bytes: Buffer, at: number): number {
    const next = skipScope(bytes, at);
    if (next !== UNUSUAL) this.line.deviceScope = bytes.toString('latin1', at + 1, next - 1);
    return next;
  }

  /** None, or one: a device has one parent. */
  private readParentScopes(bytes: Buffer, at: number): number {
    if (byteAt(bytes, at) !== OPEN_ARRAY) return UNUSUAL;
    const start = skipBlanks(bytes, at + 1);
    if (byteAt(bytes, start) === CLOSE_ARRAY) return start + 1;
    const end = skipScope(bytes, start);
    if (end === UNUSUAL) return UNUSUAL;
    this.line.parentScope = bytes.toString('latin1', start + 1, end - 1);
    const next = skipBlanks(bytes, end);
    return byteAt(bytes, next) === CLOSE_ARRAY ? next + 1 : UNUSUAL;
  }
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
