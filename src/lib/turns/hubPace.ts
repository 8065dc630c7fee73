export const HUB_TIERS = ['S1', 'S2', 'S3'] as const;

/** What the limits of a hub depend on. */
export interface HubSize {
  readonly tier: (typeof HUB_TIERS)[number];
  readonly units: number;
}

/** How fast, and how wide, items may be sent to a hub. */
export interface HubPace {
  /** Identity operations: devices and modules, not calls. */
  readonly itemsPerMinute: number;
  /** Twins that may be written one by one. */
  readonly patchesPerMinute: number;
  /** Queries, each page one: they have a throttle of their own. */
  readonly queriesPerMinute: number;
  /** Items of one bulk call. */
  readonly callItems: number;
  /** Chunks that are worked on at once. */
  readonly width: number;
}

/**
 * Identity registry operations a minute and unit (https://learn.microsoft.com/azure/iot-hub/iot-hub-devguide-quotas-throttling):
 * bulk items count one by one.
 */
const ITEMS_PER_MINUTE = { S1: 100, S2: 100, S3: 5_000 } as const;
/** The same table: twin updates, of the whole hub (of S3 a unit). */
const PATCHES_PER_MINUTE = { S1: 50 * 60, S2: 50 * 60, S3: 250 * 60 } as const;
/** The same table: queries, a unit. */
const QUERIES_PER_MINUTE = { S1: 20, S2: 20, S3: 1_000 } as const;
const WIDTH = { S1: 1, S2: 1, S3: 4 } as const;
const MOST_CALL_ITEMS = 100;
export const FEWEST_CALL_ITEMS = 10;

export function paceOf({ tier, units }: HubSize): HubPace {
  const itemsPerMinute = ITEMS_PER_MINUTE[tier] * units;
  // Whether a hub admits a call that asks for more than is left at the moment is not documented: a call is a quarter of a
  // minute's worth at most.
  const callItems = Math.min(MOST_CALL_ITEMS, Math.max(FEWEST_CALL_ITEMS, Math.floor(itemsPerMinute / 4)));
  const patchesPerMinute = PATCHES_PER_MINUTE[tier] * (tier === 'S3' ? units : 1);
  const queriesPerMinute = QUERIES_PER_MINUTE[tier] * units;
  return { itemsPerMinute, patchesPerMinute, queriesPerMinute, callItems, width: WIDTH[tier] };
}
