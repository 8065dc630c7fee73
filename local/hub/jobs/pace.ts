import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';

export interface Pace {
  /** How many items may be worked before the next pause. */
  readonly atOnce: number;
  /** Called after `count` items: lets other requests in, and waits when the job is ahead of its rate. */
  pause(count: number, signal: AbortSignal): Promise<void>;
}

const MAX_AT_ONCE = 1000;
const PAUSES_A_SECOND = 10;

/** Paces a job at `rate` items a second; 0 is as fast as possible. The rate may change while the job runs. */
export function createPace(rate: () => number): Pace {
  let ahead = 0;
  let last = Date.now();
  return {
    get atOnce() {
      return rate() > 0 ? Math.max(1, Math.min(MAX_AT_ONCE, Math.ceil(rate() / PAUSES_A_SECOND))) : MAX_AT_ONCE;
    },
    pause: async (count, signal) => {
      const perSecond = rate();
      const now = Date.now();
      const elapsed = now - last;
      last = now;
      if (perSecond <= 0) {
        ahead = 0;
        await nextTurn(undefined, { signal });
        return;
      }
      ahead = Math.max(0, ahead - elapsed) + (count / perSecond) * 1000;
      if (ahead > 1) await sleep(ahead, undefined, { signal });
      else await nextTurn(undefined, { signal });
    },
  };
}
