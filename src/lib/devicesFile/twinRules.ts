/**
 * Limits of tags and desired properties (IoT Hub docs, "Understand and use device twins in IoT Hub": keys of at most 1 KB
 * without control characters, ".", "$" and blanks; strings of at most 4 KB; integers between -2^52 and 2^52-1; depth 10;
 * tags 8 KB, desired properties 32 KB). A live hub refuses "#" in keys too, and null inside arrays.
 */

import { isBeyondIntegers, LARGEST_INTEGER, SMALLEST_INTEGER } from './exactNumbers.ts';
import { characterName, displayName, type Findings } from './findings.ts';

const TAGS_LIMIT = 8 * 1024;
const DESIRED_LIMIT = 32 * 1024;
/** Objects below the root of a section; the documentation shows ten of them, the last with a property, as valid. */
const DEPTH_LIMIT = 10;
const KEY_LIMIT = 1024;
const STRING_LIMIT = 4096;

/** Values count at most 8 bytes and take at least 2 of the line ("1,"), so no section of a shorter line can be too large. */
const SMALL_LINE = TAGS_LIMIT / 4;
/** No key and no string of a shorter line can be too long. */
const SHORT_LINE = KEY_LIMIT;

/** What the short way for clean lines needs to know of these. */
export const TWIN_LIMITS = {
  depth: DEPTH_LIMIT,
  keyBytes: KEY_LIMIT,
  stringBytes: STRING_LIMIT,
  smallTags: TAGS_LIMIT / 4,
  smallDesired: DESIRED_LIMIT / 4,
} as const;

/** Keys are few and come again in each line: those found good are not looked at twice. */
const KNOWN_KEYS = 4096;

export type TwinSection = 'tags' | 'desired';

const SECTIONS = {
  tags: { path: 'tags', limit: TAGS_LIMIT, tooLarge: 'tagsTooLarge' },
  desired: { path: 'properties.desired', limit: DESIRED_LIMIT, tooLarge: 'desiredTooLarge' },
} as const;

export interface TwinChecker {
  /**
   * Checks one section as JSON.parse gave it. `lineBytes` is the length of the whole line.
   * Returns the path of the first null, if there is one.
   *
   * @param exact the same section as `parseExactly` gives it; asked for only if a number in it may be too large
   */
  check(section: TwinSection, value: object, lineBytes: number, exact: () => unknown): string | undefined;
}

const RANGE = { min: SMALLEST_INTEGER, max: LARGEST_INTEGER };

export function createTwinChecker(findings: Findings): TwinChecker {
  const goodKeys = new Set<string>();
  /** Where the walk is, keys and array indexes; written out only when something is found. */
  const trail: (string | number)[] = [];
  let root = '';
  let nullAt: string | undefined;
  let long = false;
  /** How many arrays are around the place where the walk is. */
  let arrays = 0;
  /** A number is so large that how it is written decides. */
  let large = false;

  function path(): string {
    return root + trail.map((step) => (typeof step === 'number' ? `[${step}]` : `.${displayName(step)}`)).join('');
  }

  function walk(value: unknown, depth: number): number {
    switch (typeof value) {
      case 'string':
        return long ? checkString(value, findings, path) : 0;
      case 'number':
        if (!Number.isFinite(value)) findings.reject('twinNumberTooLarge', {}, path());
        else if (isBeyondIntegers(value)) large = true;
        return 8;
      case 'boolean':
        return 4;
      default:
        if (value === null) {
          if (arrays > 0) findings.reject('nullInArray', {}, path());
          else nullAt ??= path();
          return 0;
        }
        if (depth > DEPTH_LIMIT) {
          findings.reject('twinTooDeep', { limit: DEPTH_LIMIT }, path());
          return 0;
        }
        return Array.isArray(value) ? walkArray(value, depth) : walkObject(value as Record<string, unknown>, depth);
    }
  }

  function walkObject(value: Record<string, unknown>, depth: number): number {
    let size = 0;
    for (const key in value) {
      if (!goodKeys.has(key) && isGoodKey(key, findings, path) && goodKeys.size < KNOWN_KEYS) goodKeys.add(key);
      trail.push(key);
      if (long) size += countedBytes(key);
      size += walk(value[key], depth + 1);
      trail.pop();
    }
    return size;
  }

  function walkArray(value: readonly unknown[], depth: number): number {
    let size = 0;
    arrays += 1;
    for (let index = 0; index < value.length; index += 1) {
      trail.push(index);
      size += walk(value[index], depth + 1);
      trail.pop();
    }
    arrays -= 1;
    return size;
  }

  return {
    check(section, value, lineBytes, exact) {
      const { limit, tooLarge } = SECTIONS[section];
      root = SECTIONS[section].path;
      trail.length = 0;
      nullAt = undefined;
      large = false;
      long = lineBytes >= SHORT_LINE;
      const size = walkObject(value as Record<string, unknown>, 0);
      if (lineBytes >= SMALL_LINE && size > limit) findings.reject(tooLarge, { size, limit }, root);
      if (large) walkExact(exact(), trail, () => findings.reject('twinNumberRange', RANGE, path()));
      return nullAt;
    },
  };
}

/** Whether a hub takes a key, with what is wrong in the findings. */
function isGoodKey(key: string, findings: Findings, path: () => string): boolean {
  const bytes = key.length * 3 > KEY_LIMIT ? Buffer.byteLength(key) : key.length;
  if (bytes > KEY_LIMIT) findings.reject('twinKeyTooLong', { length: bytes, limit: KEY_LIMIT }, path());
  const character = forbiddenInKey(key);
  if (character !== undefined) findings.reject('twinKeyCharacters', { character }, path());
  return bytes <= KEY_LIMIT && character === undefined;
}

/** The first character of a key that a hub does not take in keys, as it may be shown; undefined if there is none. */
export function forbiddenInKey(key: string): string | undefined {
  for (let index = 0; index < key.length; index += 1) {
    if (isForbiddenInKey(key.charCodeAt(index))) return characterName(key, index);
  }
  return undefined;
}

function isForbiddenInKey(code: number): boolean {
  return code <= 0x20 || code === 0x24 || code === 0x23 || code === 0x2e || (code >= 0x7f && code <= 0x9f);
}

/** UTF-8 bytes without control characters, which a hub does not count. */
function countedBytes(text: string, bytes = Buffer.byteLength(text)): number {
  let control = 0;
  for (const found of text.matchAll(/\p{Cc}+/gu)) control += Buffer.byteLength(found[0]);
  return bytes - control;
}

/** Looks for integers that are too large; `trail` says where. Lines nested without end are rejected before. */
function walkExact(value: unknown, trail: (string | number)[], tooLarge: () => void): void {
  if (typeof value === 'bigint') {
    tooLarge();
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, inner] of Object.entries(value)) {
      trail.push(Array.isArray(value) ? Number(key) : key);
      walkExact(inner, trail, tooLarge);
      trail.pop();
    }
  }
}

function checkString(value: string, findings: Findings, path: () => string): number {
  const bytes = Buffer.byteLength(value);
  if (bytes > STRING_LIMIT) {
    findings.reject('twinStringTooLong', { length: bytes, limit: STRING_LIMIT }, path());
  }
  return countedBytes(value, bytes);
}
