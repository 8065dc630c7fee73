/**
 * Rounds of the pre-image.
 *
 * A run that lost its turn before its import was sent takes its pre-image anew, for other runs may have changed its
 * devices meanwhile; so does one whose orchestration was lost. Whatever belongs to a round has its name in it, so that a
 * step of an earlier round that comes late finds only what it made itself.
 */

/** `ATTEMPT.NUMBER`: which start of the run, and which time that it got its turn, both from 1. */
export type Epoch = `${number}.${number}`;

export function epochOf(attempt: number, number: number): Epoch {
  return `${attempt}.${number}`;
}

/** Whether `round` came before `other`; without a round one comes before all. */
export function isEarlierEpoch(round: string | undefined, other: string | undefined): boolean {
  if (other === undefined) return false;
  if (round === undefined) return true;
  const [attempt = 0, number = 0] = round.split('.').map(Number);
  const [otherAttempt = 0, otherNumber = 0] = other.split('.').map(Number);
  return attempt === otherAttempt ? number < otherNumber : attempt < otherAttempt;
}
