/** What one process remembers of a store that does not answer: nobody waits for it with each batch. */
export interface StoreTrouble {
  /** Whether the store was found out of order a moment ago. */
  isRecent(now: Date): boolean;
  note(now: Date): void;
  /** The store answers again. */
  clear(): void;
}

const RECENT_MS = 60_000;

export function createStoreTrouble(): StoreTrouble {
  let since: number | undefined;
  return {
    isRecent: (now) => since !== undefined && Math.abs(now.getTime() - since) < RECENT_MS,
    note: (now) => {
      since = now.getTime();
    },
    clear: () => {
      since = undefined;
    },
  };
}
