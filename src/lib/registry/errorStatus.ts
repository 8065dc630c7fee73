/**
 * `errorStatus` of importErrors.log and of bulk results, made safe.
 *
 * The hub quotes whole input lines in it, keys included ("Invalid device format in line: {…}. Error converting value …
 * Path 'authentication.type', line 1, position 249."), so nothing of it is passed on but its code and the field path.
 */

import { defined } from '../defined.ts';
import { explainHubError, isKnownHubError } from './errorCodes.ts';

export interface ReducedErrorStatus {
  /** Number or name of the error, where one is known. */
  readonly code?: number | string;
  /** The field that the hub could not read, e.g. `authentication.type`. */
  readonly path?: string;
  /** Our explanation. */
  readonly text: string;
}

/** Json.NET puts the path at the very end; a longer tail is not one of its. */
const TAIL_LENGTH = 400;
const PATH = /Path '([^']{1,200})', line \d{1,9}, position \d{1,9}\.?\s{0,8}$/;
const CODE = /ErrorCode:\s{0,4}(?:(\d{6})|([A-Za-z]{3,60}))\b/;

/** Reduces `errorStatus` to what may be shown. `code` is the error's own code, when the hub gave it beside the text. */
export function reduceErrorStatus(errorStatus: string, code?: number | string): ReducedErrorStatus {
  const known = code ?? codeIn(errorStatus);
  const path = pathIn(errorStatus);
  const sentence =
    known === undefined ? 'The hub refused the line without naming an error.' : explainHubError(known).sentence;
  return {
    ...defined({ code: known, path }),
    text: path === undefined ? sentence : `${sentence} Field: ${path}.`,
  };
}

function codeIn(errorStatus: string): number | string | undefined {
  // Only at the start is it the hub's word; later it may stand in a quoted line.
  const match = CODE.exec(errorStatus.slice(0, 200));
  if (match?.[1] !== undefined) return Number(match[1]);
  return match?.[2] !== undefined && isKnownHubError(match[2]) ? match[2] : undefined;
}

function pathIn(errorStatus: string): string | undefined {
  const path = PATH.exec(errorStatus.slice(-TAIL_LENGTH))?.[1];
  return path?.split('.').map(safeSegment).join('.');
}

const FIELDS = new Set([
  'authentication',
  'symmetricKey',
  'primaryKey',
  'secondaryKey',
  'x509Thumbprint',
  'primaryThumbprint',
  'secondaryThumbprint',
]);

/** A damaged line can have a key where a field name should be; the shortest key has 22 characters. */
const LONGEST_NAME = 20;

function safeSegment(segment: string): string {
  if (FIELDS.has(segment)) return segment;
  return segment.length <= LONGEST_NAME && /^[A-Za-z_$][\w$-]*(?:\[\d{1,6}\])?$/.test(segment) ? segment : '?';
}
