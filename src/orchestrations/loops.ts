/** What the loops of orchestrations have in common. */

/** A loop starts over with a fresh history after this many turns: replay time grows with the length of a history. */
export const TURNS_A_HISTORY = 50;

/** 2, 3, 4.5 … up to `most` seconds. */
export function growingDelaySeconds(turns: number, most: number): number {
  return Math.min(most, Math.round(2 * 1.5 ** Math.min(turns, 30)));
}
