/**
 * Numbers as Json.NET tells them apart: `15000000000000000` is an integer, `1.5e16` a float. JSON.parse makes one of both,
 * and a hub bounds integers only.
 */

/** Largest magnitude of an integer in a twin. */
export const MAX_INTEGER = 4_503_599_627_370_495;
const MIN_INTEGER = -4_503_599_627_370_496;

/** Parts of the language that its types do not have yet. */
type Reviver = (key: string, value: unknown, context: { readonly source?: string }) => unknown;
const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown };

/** Shorter runs of digits are within the bounds. */
const MANY_DIGITS = /[0-9]{16}/;

/** As JSON.parse, but an integer beyond the bounds of twins is a bigint. */
export function parseNumbers(text: string): unknown {
  if (!MANY_DIGITS.test(text)) return JSON.parse(text);
  const tell: Reviver = (_key, value, { source = '' }) =>
    typeof value === 'number' && isBeyond(value) && /^-?[0-9]{1,400}$/.test(source) ? BigInt(source) : value;
  return JSON.parse(text, tell as (key: string, value: unknown) => unknown);
}

/** As JSON.stringify, of what has no bigints in it; a float of many digits is written as one (Json.NET: `1.5E+16`). */
export function stringifyFloats(value: unknown): string {
  const text = JSON.stringify(value);
  return MANY_DIGITS.test(text) ? stringifyNumbers(value) : text;
}

/** As `stringifyFloats`, of anything that `parseNumbers` gives. */
export function stringifyNumbers(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) => {
    if (typeof member === 'bigint') return rawJSON(String(member));
    if (typeof member !== 'number' || !Number.isInteger(member) || !isBeyond(member)) return member;
    return rawJSON(member.toExponential().replace('e', 'E'));
  });
}

function isBeyond(value: number): boolean {
  return value > MAX_INTEGER || value < MIN_INTEGER;
}
