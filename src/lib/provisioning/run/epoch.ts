/**
 * Epochs of the pre-image.
 *
 * A run that lost its turn before its import was sent takes its pre-image anew, for other runs may have changed its
 * devices meanwhile; so does one whose orchestration was lost. Whatever belongs to an epoch has its name in it, so that a
 * step of an earlier epoch that comes late finds only what it made itself.
 */

/** `ATTEMPT.NUMBER`: which start of the run, and which time that it got its turn, both from 1. */
export type Epoch = `${number}.${number}`;

export function firstEpoch(attempt: number): Epoch {
  return `${attempt}.1`;
}

export function nextEpoch(epoch: Epoch): Epoch {
  const [attempt, number] = partsOf(epoch);
  return `${attempt}.${number + 1}`;
}

/** Whether `epoch` came before `other`; without an epoch one comes before all. */
export function isEarlierEpoch(epoch: string | undefined, other: string | undefined): boolean {
  if (other === undefined) return false;
  if (epoch === undefined) return true;
  const [attempt, number] = partsOf(epoch);
  const [otherAttempt, otherNumber] = partsOf(other);
  return attempt === otherAttempt ? number < otherNumber : attempt < otherAttempt;
}

function partsOf(epoch: string): readonly [attempt: number, number: number] {
  const [attempt = 0, number = 0] = epoch.split('.').map(Number);
  return [attempt, number];
}
