export const TIERS = ['S1', 'S2', 'S3'] as const;
export type Tier = (typeof TIERS)[number];

export type ThrottleClass = 'registry' | 'twinReads' | 'twinUpdates' | 'queries' | 'jobs' | 'configurations';

export type Admission = { readonly admitted: true; readonly waitMs: number } | { readonly admitted: false };

export interface Throttles {
  /** Takes `items` from a throttle: at once, after a shaped wait, or not at all. */
  admit(kind: ThrottleClass, items: number): Admission;
  clear(): void;
}

/** What throttles depend on; read at each call, so that it may change while the hub runs. */
export interface ThrottleSettings {
  tier: Tier | 'none';
  units: number;
  timeScale: number;
  burstSeconds: number;
  shapeMs: number;
}

const MINUTE = 60;

/** Items a second (https://learn.microsoft.com/azure/iot-hub/iot-hub-devguide-quotas-throttling). */
const RATES: Readonly<Record<ThrottleClass, Readonly<Record<Tier, (units: number) => number>>>> = {
  registry: {
    S1: (units) => (100 / MINUTE) * units,
    S2: (units) => (100 / MINUTE) * units,
    S3: (units) => (5000 / MINUTE) * units,
  },
  twinReads: { S1: () => 100, S2: (units) => Math.max(100, 10 * units), S3: (units) => 500 * units },
  twinUpdates: { S1: () => 50, S2: (units) => Math.max(50, 5 * units), S3: (units) => 250 * units },
  queries: {
    S1: (units) => (20 / MINUTE) * units,
    S2: (units) => (20 / MINUTE) * units,
    S3: (units) => (1000 / MINUTE) * units,
  },
  jobs: {
    S1: (units) => (100 / MINUTE) * units,
    S2: (units) => (100 / MINUTE) * units,
    S3: (units) => (5000 / MINUTE) * units,
  },
  configurations: {
    S1: (units) => (20 / MINUTE) * units,
    S2: (units) => (20 / MINUTE) * units,
    S3: (units) => (20 / MINUTE) * units,
  },
};

/** The operation types of the hub's 429 texts. */
export const THROTTLE_TEXTS: Readonly<Record<ThrottleClass, string>> = {
  registry: 'IdentityRegistry',
  twinReads: 'TwinRead',
  twinUpdates: 'TwinWrite',
  queries: 'Query',
  jobs: 'Jobs',
  configurations: 'ConfigurationWrite',
};

/**
 * Token buckets with traffic shaping: a burst is absorbed, then calls are delayed, then refused. A call is admitted as
 * soon as one token is there and then pays for all its items, so that a bulk call of 100 passes a throttle of 100 a
 * minute and the calls after it wait. Without a tier nothing is throttled.
 */
export function createThrottles(settings: ThrottleSettings, now: () => number): Throttles {
  const buckets = new Map<ThrottleClass, { tokens: number; atMs: number }>();
  return {
    admit: (kind, items) => {
      if (settings.tier === 'none') return { admitted: true, waitMs: 0 };
      const perSecond = RATES[kind][settings.tier](settings.units);
      const capacity = Math.max(1, perSecond * settings.burstSeconds);
      const perMs = (perSecond * settings.timeScale) / 1000;
      const atMs = now();
      const bucket = buckets.get(kind) ?? { tokens: capacity, atMs };
      bucket.tokens = Math.min(capacity, bucket.tokens + (atMs - bucket.atMs) * perMs);
      bucket.atMs = atMs;
      buckets.set(kind, bucket);
      const waitMs = bucket.tokens >= 1 ? 0 : (1 - bucket.tokens) / perMs;
      if (waitMs > settings.shapeMs / settings.timeScale) return { admitted: false };
      bucket.tokens -= items;
      return { admitted: true, waitMs };
    },
    clear: () => buckets.clear(),
  };
}
