import { type ThrottleSettings, TIERS } from './throttles.ts';

/** Behaviour that can be set at the start and changed while the hub runs (PATCH /options of the admin server). */
export interface HubSettings extends ThrottleSettings {
  jobEnqueueMs: number;
  jobRunMs: number;
  jobRate: number;
  jobEcho: boolean;
  importReported: boolean;
  importTwin: 'replace' | 'merge';
  maxDevices: number;
  quotaMargin: number;
  maxModulesPerDevice: number;
  maxConfigurations: number;
  pageMax: number;
  bulkErrorCode: 'name' | 'number';
  replyDelayMs: number;
  readLagMs: number;
  queryLagMs: number;
  statisticsLagMs: number;
  lifecycleEvents: boolean;
  twinEvents: boolean;
  jobEvents: boolean;
  eventRetention: number;
}

/** What a hub is started with. */
export interface HubOptions extends Partial<HubSettings> {
  /** Name of the hub; kept in the data folder. Default `hub-local`. */
  readonly name?: string;
  /** Port of the REST surface; 0 or absent: the one used before with this data folder, else any free one. */
  readonly port?: number;
  /** Port of the admin server, likewise. */
  readonly adminPort?: number;
  /** Port of the event endpoint, likewise. */
  readonly eventPort?: number;
  /** Event-Hubs-compatible name; kept in the data folder. Default: made of the hub's name. */
  readonly eventHubName?: string;
  /** How many partitions the events of a new hub have. Default 4. */
  readonly eventPartitions?: number;
  /** Consumer groups besides `$Default`. */
  readonly consumerGroups?: readonly string[];
  /** Folder for registry, jobs, keys and ports; absent: everything in memory. */
  readonly data?: string;
  /**
   * The storage account that the hub's managed identity may use: its connection string, or the address of its blob service,
   * for which the hub gets tokens of its own (`IDENTITY_ENDPOINT`).
   */
  readonly identityStorage?: string;
  /** Key that stand-ins for Microsoft Entra ID sign their tokens with; absent: the hub accepts none. */
  readonly entraKey?: string;
  /** Seed of the faults' randomness. Default 1. */
  readonly seed?: number;
}

interface NumberRule {
  readonly kind: 'number';
  readonly min: number;
  /** Whether fractions are allowed. */
  readonly fraction?: boolean;
}

interface Described {
  readonly default: number | string | boolean;
  readonly help: string;
}

export type SettingRule = Described &
  (NumberRule | { readonly kind: 'boolean' } | { readonly kind: 'choice'; readonly choices: readonly string[] });

const ms = { kind: 'number', min: 0 } as const;
const count = { kind: 'number', min: 1 } as const;
const flag = { kind: 'boolean', default: false } as const;

/** Every setting: its type, its default, and its line in the help. */
export const SETTING_RULES: { readonly [Key in keyof HubSettings]: SettingRule } = {
  jobEnqueueMs: { ...ms, default: 500, help: 'time that a job stays enqueued' },
  jobRunMs: { ...ms, default: 0, help: 'least time that a job is running' },
  jobRate: { kind: 'number', min: 0, default: 0, help: 'lines or devices a second of a job; 0 is as fast as possible' },
  jobEcho: { ...flag, help: 'job records show blob names and container URIs (live hubs do not)' },
  importReported: { ...flag, help: 'import jobs and bulk calls apply reported properties' },
  importTwin: {
    kind: 'choice',
    choices: ['replace', 'merge'],
    default: 'replace',
    help: 'what imports and bulk calls do with tags or desired properties of a twin that is there',
  },
  maxDevices: {
    kind: 'number',
    min: 0,
    default: Number.POSITIVE_INFINITY,
    help: 'quota: devices and modules together',
  },
  quotaMargin: { ...ms, default: 100, help: 'import jobs fail every creation this near the quota' },
  maxModulesPerDevice: { ...count, default: 50, help: 'modules that a device may have' },
  maxConfigurations: { ...count, default: 100, help: 'configurations that the hub may have' },
  pageMax: { ...count, default: 100, help: 'most items of a query page' },
  bulkErrorCode: { kind: 'choice', choices: ['name', 'number'], default: 'name', help: 'errorCode of bulk results' },
  tier: { kind: 'choice', choices: ['none', ...TIERS], default: 'none', help: 'whose throttles apply' },
  units: { ...count, default: 1, help: 'units of the tier' },
  timeScale: { kind: 'number', min: 0.001, fraction: true, default: 1, help: 'throttles run this much faster' },
  burstSeconds: { ...count, default: 60, help: 'seconds worth of calls that a throttle absorbs at once' },
  shapeMs: { ...ms, default: 3000, help: 'longest delay by a throttle before it answers 429' },
  replyDelayMs: { ...ms, default: 0, help: 'delay of every reply' },
  readLagMs: { ...ms, default: 0, help: 'time until a new identity can be read' },
  queryLagMs: { ...ms, default: 0, help: 'time until a write shows in queries' },
  statisticsLagMs: { ...ms, default: 0, help: 'age that statistics may have' },
  lifecycleEvents: { ...flag, help: 'a route for events of devices and modules that are made or removed' },
  twinEvents: { ...flag, help: 'a route for events of twins that are changed' },
  jobEvents: { ...flag, help: 'import jobs emit events, too' },
  eventRetention: { ...count, default: 250_000, help: 'events that each partition keeps' },
};

export const SETTING_NAMES = Object.keys(SETTING_RULES) as (keyof HubSettings)[];

export function defaultSettings(): HubSettings {
  return Object.fromEntries(SETTING_NAMES.map((name) => [name, SETTING_RULES[name].default])) as unknown as HubSettings;
}

/** Checks settings by their rules. Throws with a sentence that names the first bad one. */
export function demandSettings(values: Readonly<Record<string, unknown>>): asserts values is Partial<HubSettings> {
  for (const [name, value] of Object.entries(values)) {
    const rule = SETTING_RULES[name as keyof HubSettings];
    if (rule === undefined) throw new Error(`Unknown option '${name}'; known: ${SETTING_NAMES.join(', ')}.`);
    // JSON has no infinity: null takes a limit away, where there can be none.
    if (value === null && rule.default === Number.POSITIVE_INFINITY) continue;
    const problem = problemWith(rule, value);
    if (problem !== undefined) throw new Error(`${name} ${problem}, not ${JSON.stringify(value)}.`);
  }
}

function problemWith(rule: SettingRule, value: unknown): string | undefined {
  switch (rule.kind) {
    case 'boolean':
      return typeof value === 'boolean' ? undefined : 'must be true or false';
    case 'choice':
      return rule.choices.includes(String(value)) ? undefined : `must be one of ${rule.choices.join(', ')}`;
    case 'number': {
      const isNumber = typeof value === 'number' && value >= rule.min;
      const fits = isNumber && (rule.fraction || Number.isInteger(value) || value === Number.POSITIVE_INFINITY);
      return fits ? undefined : `must be a ${rule.fraction ? '' : 'whole '}number of at least ${rule.min}`;
    }
    default: {
      const never: never = rule;
      throw new Error(`Unknown rule ${JSON.stringify(never)}`);
    }
  }
}
