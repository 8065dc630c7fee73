/** What the last verification of a backup found, in `verification.json` beside its manifest. */

import { holding, isInstant, isObject, isText, oneOf } from '../runs/recordShape.ts';

export const VERIFICATION_FILE = 'verification.json';

export interface Verification {
  /** ISO UTC. */
  readonly at: string;
  readonly result: 'good' | 'damaged';
  /** What is wrong, each with its file: sentences without a full stop. */
  readonly problems: readonly string[];
}

const isVerification = holding({
  at: isInstant,
  result: oneOf(['good', 'damaged']),
  problems: (value) => Array.isArray(value) && value.every(isText),
});

/** Undefined: it tells nothing, as if there had been none. */
export function parseVerification(text: string): Verification | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) && isVerification(value) ? (value as unknown as Verification) : undefined;
  } catch {
    return undefined;
  }
}
