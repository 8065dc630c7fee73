/**
 * Large numbers of a line. A hub reads `15000000000000000` as an integer, which it bounds, and `1.5e16` as a float, which
 * it does not; JSON.parse makes the same of both.
 */

/** IoT Hub docs, "Understand and use device twins in IoT Hub". */
export const LARGEST_INTEGER = 4_503_599_627_370_495;
export const SMALLEST_INTEGER = -4_503_599_627_370_496;

/** Whether a hub does not take the number if it is written as an integer: digits, without point and exponent. */
export function isBeyondIntegers(value: number): boolean {
  return value > LARGEST_INTEGER || value < SMALLEST_INTEGER;
}

/** The third argument of a reviver: the source of a scalar. Not in the types of the language yet. */
type Reviver = (key: string, value: unknown, context: { readonly source?: string }) => unknown;

/** As JSON.parse, but what is written as an integer beyond the bounds is a bigint (of any value). */
export function parseExactly(text: string): unknown {
  const mark: Reviver = (_key, value, { source }) =>
    typeof value === 'number' && isBeyondIntegers(value) && source !== undefined && /^-?[0-9]+$/.test(source)
      ? 0n
      : value;
  return JSON.parse(text, mark as (key: string, value: unknown) => unknown);
}
