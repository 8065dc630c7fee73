/** Reads over the keys of an object, which are known. */

import { byteAt, CLOSE_OBJECT, COMMA, NULL, skipBlanks, skipColon, skipText, UNUSUAL } from './jsonBytes.ts';

/** What `keyRead` is at the end of an object. */
export const NO_KEY = -1;

/** Texts to compare bytes with. */
export function quoted(text: string): Uint8Array {
  return Buffer.from(`"${text}"`, 'latin1');
}

export class KnownKeys {
  /** Number of the key that `skipKey` came past. */
  keyRead = NO_KEY;

  /**
   * The next key of an object and its colon, or the closing brace.
   *
   * @param previous number of the key before it, NO_KEY if it is the first
   */
  skipKey(bytes: Buffer, at: number, keys: readonly Uint8Array[], previous: number): number {
    let next = skipBlanks(bytes, at);
    const byte = byteAt(bytes, next);
    if (byte === CLOSE_OBJECT) {
      this.keyRead = NO_KEY;
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
        this.keyRead = key;
        return skipColon(bytes, after);
      }
    }
    return UNUSUAL;
  }
}
