/** Reads over the credentials of a clean line. */

import {
  BACKSLASH,
  byteAt,
  CLASSES,
  EQUALS,
  IN_BASE64,
  IN_HEX,
  NULL,
  NULL_START,
  OPEN_OBJECT,
  QUOTE,
  SLASH,
  skipText,
  skipWord,
  UNUSUAL,
} from './jsonBytes.ts';
import { type KnownKeys, NO_KEY, quoted } from './knownKeys.ts';

const FEWEST_KEY_BYTES = 16;
const MOST_KEY_BYTES = 64;

const SAS = quoted('sas');
const SELF_SIGNED = quoted('selfSigned');
const CERTIFICATE_AUTHORITY = quoted('certificateAuthority');
const AUTHENTICATION_KEYS = ['symmetricKey', 'x509Thumbprint', 'type'].map(quoted);
const [SYMMETRIC_KEY, TYPE] = [0, 2] as const;
const SYMMETRIC_KEYS = ['primaryKey', 'secondaryKey'].map(quoted);
const THUMBPRINTS = ['primaryThumbprint', 'secondaryThumbprint'].map(quoted);

export class CleanAuthentication {
  private readonly keys: KnownKeys;
  /** How many of the keys or thumbprints that were read are more than null. */
  private keysFound = 0;
  private thumbprintRead = false;

  constructor(keys: KnownKeys) {
    this.keys = keys;
  }

  /** Credentials that are complete. */
  skip(bytes: Buffer, at: number): number {
    if (byteAt(bytes, at) !== OPEN_OBJECT) return UNUSUAL;
    let next = at + 1;
    let seen = 0;
    let keys = false;
    let thumbprints = false;
    let type = SAS;
    for (let previous = NO_KEY; ; ) {
      next = this.keys.skipKey(bytes, next, AUTHENTICATION_KEYS, previous);
      if (next === UNUSUAL) return UNUSUAL;
      if (this.keys.keyRead === NO_KEY) break;
      if ((seen & (1 << this.keys.keyRead)) !== 0) return UNUSUAL;
      seen |= 1 << this.keys.keyRead;
      previous = this.keys.keyRead;
      const absent = skipText(bytes, next, NULL);
      if (this.keys.keyRead === TYPE) {
        const start = next;
        for (type of [SAS, SELF_SIGNED, CERTIFICATE_AUTHORITY]) {
          next = skipText(bytes, start, type);
          if (next !== UNUSUAL) break;
        }
      } else if (absent !== UNUSUAL) {
        next = absent;
      } else if (this.keys.keyRead === SYMMETRIC_KEY) {
        next = this.skipSymmetricKeys(bytes, next);
        keys = this.keysFound > 0;
      } else {
        next = this.skipThumbprints(bytes, next);
        thumbprints = this.thumbprintRead;
      }
      if (next === UNUSUAL) return UNUSUAL;
    }
    return keys === (type === SAS) && thumbprints === (type === SELF_SIGNED) ? next : UNUSUAL;
  }

  /** Both keys, or none. */
  private skipSymmetricKeys(bytes: Buffer, at: number): number {
    if (byteAt(bytes, at) !== OPEN_OBJECT) return UNUSUAL;
    let next = at + 1;
    let seen = 0;
    let found = 0;
    for (let previous = NO_KEY; ; previous = this.keys.keyRead) {
      next = this.keys.skipKey(bytes, next, SYMMETRIC_KEYS, previous);
      if (next === UNUSUAL) return UNUSUAL;
      if (this.keys.keyRead === NO_KEY) break;
      if ((seen & (1 << this.keys.keyRead)) !== 0) return UNUSUAL;
      seen |= 1 << this.keys.keyRead;
      if (byteAt(bytes, next) === NULL_START) {
        next = skipText(bytes, next, NULL);
      } else {
        next = skipSymmetricKey(bytes, next);
        found += 1;
      }
      if (next === UNUSUAL) return UNUSUAL;
    }
    this.keysFound = found;
    return found === 1 ? UNUSUAL : next;
  }

  private skipThumbprints(bytes: Buffer, at: number): number {
    if (byteAt(bytes, at) !== OPEN_OBJECT) return UNUSUAL;
    let next = at + 1;
    let seen = 0;
    let length = 0;
    this.thumbprintRead = false;
    for (let previous = NO_KEY; ; previous = this.keys.keyRead) {
      next = this.keys.skipKey(bytes, next, THUMBPRINTS, previous);
      if (next === UNUSUAL || this.keys.keyRead === NO_KEY) return next;
      if ((seen & (1 << this.keys.keyRead)) !== 0) return UNUSUAL;
      seen |= 1 << this.keys.keyRead;
      const start = next;
      next = skipText(bytes, start, NULL);
      if (next === UNUSUAL) {
        next = skipWord(bytes, start, IN_HEX, 64);
        if (next - start !== 42 && next - start !== 66) return UNUSUAL;
        // Two of different kinds are warned of.
        if (this.thumbprintRead && next - start !== length) return UNUSUAL;
        length = next - start;
        this.thumbprintRead = true;
      }
    }
  }
}

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
