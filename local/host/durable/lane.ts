/** Runs one kind of work, a bounded number at a time, and one key never twice at once. */
export interface Lane<Key> {
  /** Asks for a run. A key that is running runs once more afterwards. */
  add(key: Key): void;
  /** Starts taking work; keys added before are kept. */
  start(): void;
  /** Takes no new work; resolves when what runs has ended, or when the time is over. */
  stop(timeoutMs: number): Promise<void>;
}

export interface LaneOptions<Key> {
  readonly limit: number;
  /** May say how long the key rests before its next run. */
  // biome-ignore lint/suspicious/noConfusingVoidType: most kinds of work have nothing to say.
  readonly run: (key: Key) => Promise<{ readonly restMs: number } | undefined | void>;
  /** A run that threw is retried later, after a growing pause. */
  readonly onError: (key: Key, error: unknown, retryInMs: number) => void;
}

const firstRetryMs = 100;
const maxRetryMs = 30_000;

export function createLane<Key>(options: LaneOptions<Key>): Lane<Key> {
  const queued = new Set<Key>();
  const running = new Map<Key, Promise<void>>();
  const addedMeanwhile = new Set<Key>();
  const failures = new Map<Key, number>();
  const resting = new Map<Key, NodeJS.Timeout>();
  const retryTimers = new Set<NodeJS.Timeout>();
  let started = false;

  function pump(): void {
    for (const key of queued) {
      if (!started || running.size >= options.limit) {
        return;
      }
      queued.delete(key);
      running.set(key, runOnce(key));
    }
  }

  async function runOnce(key: Key): Promise<void> {
    // A turn of the event loop between runs: a stream of quick ones must not starve sockets and timers.
    await new Promise(setImmediate);
    let restMs = 0;
    try {
      restMs = (await options.run(key))?.restMs ?? 0;
      failures.delete(key);
    } catch (error) {
      const failed = failures.get(key) ?? 0;
      failures.set(key, failed + 1);
      const pause = Math.min(maxRetryMs, firstRetryMs * 2 ** failed);
      options.onError(key, error, pause);
      if (started) {
        const timer = setTimeout(() => {
          retryTimers.delete(timer);
          add(key);
        }, pause);
        retryTimers.add(timer);
      }
    } finally {
      running.delete(key);
      if (restMs > 0 && started) {
        resting.set(
          key,
          setTimeout(() => {
            resting.delete(key);
            requeue(key);
          }, restMs),
        );
      } else {
        requeue(key);
      }
      pump();
    }
  }

  function requeue(key: Key): void {
    if (addedMeanwhile.delete(key)) {
      queued.add(key);
      pump();
    }
  }

  function add(key: Key): void {
    if (running.has(key) || resting.has(key)) {
      addedMeanwhile.add(key);
      return;
    }
    queued.add(key);
    pump();
  }

  return {
    add,
    start() {
      started = true;
      pump();
    },
    async stop(timeoutMs) {
      started = false;
      for (const timer of [...retryTimers, ...resting.values()]) {
        clearTimeout(timer);
      }
      retryTimers.clear();
      resting.clear();
      let timer: NodeJS.Timeout | undefined;
      const timeout = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, timeoutMs);
      });
      await Promise.race([Promise.all(running.values()), timeout]);
      clearTimeout(timer);
    },
  };
}
