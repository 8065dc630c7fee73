/**
 * JSON parsed so that numbers compare by the value that is written: `1.0`, `1e0` and `1` are the same, and two numbers that
 * JSON.parse would round to one double are not.
 */

import { isDeeperThan, NESTING_LIMIT } from '../devicesFile/keyNames.ts';

/**
 * A number that may be written with more digits than a double keeps, or with an exponent that it does not reach. Whatever
 * has at most 15 digits and an exponent of two is kept apart by doubles. Text in strings may look like it, too.
 */
const MAY_BE_ROUNDED = /[:,[]\s*-?(?:[0-9.]{16}|[0-9.]+[eE][+-]?[0-9]{3})/;
const MOST_DIGITS = 15;
const MOST_EXPONENT = 290n;

/** A number that no double stands for alone. */
export class WrittenNumber {
  /** The same for the same value. */
  readonly value: string;

  constructor(value: string) {
    this.value = value;
  }
}

/** Whether `parseAsWritten` would make something else of the text than JSON.parse does. */
export function mayBeRounded(text: string): boolean {
  return MAY_BE_ROUNDED.test(text);
}

/** The third argument of a reviver: the source of a scalar. Not in the types of the language yet. */
type Reviver = (key: string, value: unknown, context: { readonly source?: string }) => unknown;

/**
 * As JSON.parse, but numbers that a double cannot hold are `WrittenNumber`s. Text that is nested deeper than any hub takes
 * is parsed as JSON.parse does it.
 *
 * @throws SyntaxError, whose message quotes the text
 */
export function parseAsWritten(text: string): unknown {
  const plain = JSON.parse(text) as unknown;
  if (isDeeperThan(plain, NESTING_LIMIT)) return plain;
  const exact: Reviver = (_key, value, { source }) =>
    typeof value === 'number' && source !== undefined ? exactNumber(source) : value;
  return JSON.parse(text, exact as (key: string, value: unknown) => unknown);
}

function exactNumber(source: string): number | WrittenNumber {
  const [, sign = '', whole = '', fraction = '', power = '0'] =
    /^(-?)([0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]+))?$/.exec(source) ?? [];
  const written = (whole + fraction).replace(/^0+/, '');
  const digits = written.replace(/0+$/, '');
  if (digits === '') return 0;
  const exponent = BigInt(power) - BigInt(fraction.length) + BigInt(written.length - digits.length);
  const isExact = digits.length <= MOST_DIGITS && exponent <= MOST_EXPONENT && exponent >= -MOST_EXPONENT;
  return isExact ? Number(source) : new WrittenNumber(`${sign}${digits}e${exponent}`);
}
