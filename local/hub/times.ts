/** The value of a time that never was, as .NET writes it. */
export const UNSET_TIME = '0001-01-01T00:00:00Z';

const TICKS_AT_EPOCH = 621_355_968_000_000_000n;

let lastTime = { ms: Number.NaN, text: '' };

/** A time as .NET writes it: seven fractional digits. Many lines of an import share one: the last is remembered. */
export function dotnetTime(ms: number): string {
  if (lastTime.ms !== ms) lastTime = { ms, text: `${new Date(ms).toISOString().slice(0, -1)}0000Z` };
  return lastTime.text;
}

/** .NET ticks of a time, with the part below the millisecond given (0 to 9999). */
export function ticks(ms: number, below: number): string {
  return String(TICKS_AT_EPOCH + BigInt(ms) * 10_000n + BigInt(below));
}

/** The time of .NET ticks, in ms. */
export function msOfTicks(text: string): number {
  return Number((BigInt(text) - TICKS_AT_EPOCH) / 10_000n);
}
