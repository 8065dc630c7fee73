/** How long is waited between two questions of the same kind. All pure; seconds. */

/** 2, 3, 4.5 … up to `most` seconds. */
export function growingDelaySeconds(tries: number, most: number): number {
  return Math.min(most, Math.round(2 * 1.5 ** Math.min(tries, 30)));
}

/** 2, 3, 4.5 … up to 30 s before the next try to start a job, and never less than `atLeast`. */
export function startDelaySeconds(tries: number, atLeast: number): number {
  return Math.max(atLeast, growingDelaySeconds(tries, 30));
}

/**
 * Until the next question for the turn: 1 s for the next in line and 2 s more for each place behind it, as a run takes at
 * least about two seconds; but not less than a tenth of the time that the place has been the same, and at most 30 s.
 *
 * Files of one line pass one another within moments that way, and those far behind do not ask in vain. Behind a job of
 * hours even the next in line soon asks twice a minute only (each question costs about a dozen operations of storage, and
 * a history of fifty questions), and then waits a tenth longer than it must. None of this is a call to the hub.
 */
export function turnDelaySeconds(position: number, samePlaceMs: number): number {
  return Math.min(30, Math.max(1 + 2 * (position - 1), samePlaceMs / 10_000));
}

/**
 * Until the next look at a job that has been watched for `elapsedMs`: 1 s at first, then an eighth of its age, from 0.5 s
 * to 60 s, after an hour to 300 s. So a job is found to have ended within an eighth of its time, however long that is; and
 * sooner, when its progress (percent) says that it ends sooner, but never in less than half of that pause.
 *
 * A look is one GET /jobs of the 100 a minute that a hub of S1 allows. With the listing and the create of each run, files
 * of one line that follow one another stay below that: a hub takes about 3 s for such a job, which is five looks.
 */
export function watchDelaySeconds(elapsedMs: number, progress = 0): number {
  const seconds = elapsedMs / 1000;
  if (seconds < 0.75) return 1;
  const byAge = Math.min(seconds > 60 * 60 ? 300 : 60, Math.max(0.5, seconds / 8));
  if (progress <= 0 || progress >= 100) return byAge;
  const leftSeconds = (seconds * (100 - progress)) / progress;
  return Math.min(byAge, Math.max(byAge / 2, leftSeconds));
}

/** Until a run that has been suspended for `suspendedMs` looks by itself whether it may go on: a quarter of that, 5 min at most. */
export function suspendedDelaySeconds(suspendedMs: number, least: number): number {
  return Math.min(5 * 60, Math.max(least, suspendedMs / 4_000));
}
