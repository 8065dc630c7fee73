/** Milliseconds since 1970, never going back while the process lives: the order of messages hangs on it. */
export type Clock = () => number;

export function createClock(): Clock {
  let last = 0;
  return () => {
    last = Math.max(last, Date.now());
    return last;
  };
}
