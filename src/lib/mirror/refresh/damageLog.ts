/** What one process remembers of rows that nobody can read: they are tried again every minute, and told of once an hour. */
export interface DamageLog {
  /** Whether it is to be told: within the hour it was not. */
  isNews(name: string, now: Date): boolean;
}

const TELL_AGAIN_MS = 60 * 60_000;
/** Where there are more, those that were told of first are told of again sooner. */
const MOST_NAMES = 1_000;

export function createDamageLog(): DamageLog {
  // A map keeps the order in which its entries were put there.
  const toldAt = new Map<string, number>();
  return {
    isNews(name, now) {
      const at = now.getTime();
      const last = toldAt.get(name);
      if (last !== undefined && Math.abs(at - last) < TELL_AGAIN_MS) return false;
      toldAt.delete(name);
      toldAt.set(name, at);
      const [oldest] = toldAt.keys();
      if (toldAt.size > MOST_NAMES && oldest !== undefined) toldAt.delete(oldest);
      return true;
    },
  };
}
