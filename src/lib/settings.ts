/**
 * The app's settings: read once, checked as a whole, and nowhere else taken from the environment.
 *
 * Every problem is reported at once and by name. Values are never quoted in an error: some of them are secrets.
 */

import { parseRetentionPolicy, type RetentionPolicy } from './backup/retentionPolicy.ts';
import { parseSchedule } from './backup/schedule.ts';
import { type CodeText, speakerOf } from './codeText.ts';
import { defined } from './defined.ts';
import { HubKeeperError } from './errors.ts';
import { type MirrorSettings, readEventSources } from './mirror/mirrorSettings.ts';
import { parseHubConnection } from './registry/connection.ts';
import { knowsTables, type StorageConnection } from './storage/connection.ts';
import {
  BACKUPS_CONTAINER,
  MIRROR_CONTAINER,
  RESULTS_CONTAINER,
  RUNS_CONTAINER,
  runIdOfContainer,
} from './storage/containers.ts';
import { HUB_TIERS, type HubSize } from './turns/hubPace.ts';

/** A setting, for the parser below, the sample file and docs/settings.md. */
export interface Setting {
  /** Absent: the setting is required. */
  readonly default?: string | number;
  /** Where the default is no value: what happens then, in Markdown. */
  readonly without?: string;
  /** In the sample file, where that is not the default. */
  readonly sample?: string;
  readonly words?: readonly string[];
  readonly range?: { readonly least: number; readonly most: number };
  /** In Markdown. */
  readonly meaning: string;
}

// biome-ignore format: a row a line, so that a search for a setting shows all that is said of it.
export const SETTINGS = {
  AzureWebJobsStorage: { sample: 'UseDevelopmentStorage=true', meaning: "The Functions host's own storage: a connection string, or `AzureWebJobsStorage__blobServiceUri` and its kin." },
  FUNCTIONS_WORKER_RUNTIME: { sample: 'node', meaning: 'Tells the Functions host which worker to start: always `node`. The Flex Consumption plan has a place of its own for that, and refuses the setting.' },
  HUBKEEPER_STORAGE: { without: '`AzureWebJobsStorage`', sample: 'UseDevelopmentStorage=true', meaning: 'Storage account that holds the drop box, results and runs: a connection string, or `HUBKEEPER_STORAGE__blobServiceUri` (and `__queueServiceUri` for the trigger, `__tableServiceUri` for the mirror) to use an identity, with `__clientId` for a user-assigned one. `__accountName` stands for the three addresses in the public cloud.' },
  IOTHUB: { sample: 'HostName=127.0.0.1:8081;SharedAccessKeyName=iothubowner;SharedAccessKey=uU8oJA7ZmSLQzAF3TAq/ovVv3YH5IBj6EaBTwQx1fpc=;UseDevelopmentEmulator=true', meaning: 'The default hub: a connection string with RegistryRead, RegistryWrite and ServiceConnect, or a host name to use an identity. More hubs: `IOTHUB__<alias>`, alias `[a-z0-9]+`.' },
  HUB_TIER: { default: 'S1', words: HUB_TIERS, meaning: 'Tier of the hub: decides how fast lines are retried. Of another hub than the default one: `HUB_TIER__<alias>`.' },
  HUB_UNITS: { default: 1, range: { least: 1, most: 200 }, meaning: 'Units of the hub. Of another hub than the default one: `HUB_UNITS__<alias>`.' },
  STORAGE_AUTH: { default: 'sas', words: ['sas', 'identity'], meaning: 'How the hub reaches the container of a run: `sas`, or `identity` (no signature is made at all).' },
  STORAGE_IDENTITY: { without: "the hub's system-assigned identity", sample: '', meaning: "With `STORAGE_AUTH=identity`: resource id of the hub's user-assigned identity." },
  PROVISION_CONTAINER: { default: 'provision', meaning: 'The drop box.' },
  BLOB_BINDING: { default: 'bytes', words: ['bytes', 'reference'], meaning: '`bytes` works on every host, but each dropped file travels once through host and worker; `reference` spares that and needs a blob extension that knows deferred bindings.' },
  BLOB_TRIGGER_SOURCE: { default: 'LogsAndContainerScan', words: ['LogsAndContainerScan', 'EventGrid'], meaning: '`LogsAndContainerScan`, or `EventGrid` as the Flex Consumption plan needs it.' },
  DROP_SETTLE_SECONDS: { default: 10, range: { least: 0, most: 3600 }, meaning: 'How many seconds a folder must have been quiet before its `options.json` is read.' },
  DROP_MAX_AGE_DAYS: { default: 7, range: { least: 0.01, most: 3650 }, meaning: 'A drop that is older than this many days and has no run is listed as stale and never run unasked.' },
  TURN_TIMEOUT_HOURS: { default: 24, range: { least: 0.01, most: 8760 }, meaning: 'A run that has waited this many hours for its turn, while other runs of its hub were ahead, has failed; nothing was sent.' },
  SWEEP_SCHEDULE: { default: '0 */5 * * * *', meaning: 'When drops whose trigger was lost and runs without a living orchestration are looked for (six-field NCRONTAB).' },
  RUN_HISTORY_DAYS: { default: 30, range: { least: 1, most: 3650 }, meaning: 'Finished durable instances are purged after this many days. Run records stay.' },
  STAGING_DAYS: { default: 7, range: { least: 0.01, most: 3650 }, meaning: 'The staging container of a final run is removed after this many days.' },
  UNDO_DAYS: { default: 30, range: { least: 0.01, most: 3650 }, meaning: 'A staging container that holds a pre-image (what the run overwrote or deleted) is kept this many days.' },
  BACKUP_SCHEDULE: { default: '0 0 2 * * *', meaning: 'When each hub is backed up, UTC (six-field NCRONTAB); `off` or empty: only on demand.' },
  BACKUP_KEEP: { default: 'daily=14,weekly=8,monthly=12', meaning: 'Which backups are kept, by the rules of `restic forget`, UTC: `last`, `hourly`, `daily`, `weekly`, `monthly`, `yearly` with a number each, and `within` with a time such as `1y6m30d12h`; what any of them keeps is kept.' },
  BACKUP_KEYS: { default: 'include', words: ['include', 'exclude'], meaning: '`include`: backups hold the keys of devices and modules. `exclude`: they hold none, and devices that are restored get new keys.' },
  BACKUP_EXTRAS_MINUTES: { default: 30, range: { least: 0, most: 1440 }, meaning: 'A backup asks at most this many minutes for what an export lacks (`managedBy` of modules); 0: it does not ask.' },
  BACKUP_VERIFY_SCHEDULE: { default: '0 0 4 * * 0', meaning: 'When backups are read again and compared with their manifests, UTC (six-field NCRONTAB); `off` or empty: only on demand.' },
  MIRROR_EVENTS: { without: 'the mirror is off', sample: '', meaning: 'Event Hub to which lifecycle and twin change events of the hubs are routed: a connection string with `EntityPath`, or `MIRROR_EVENTS__fullyQualifiedNamespace` to use an identity. The built-in endpoint of a hub of several: `MIRROR_EVENTS_<alias>`.' },
  MIRROR_EVENT_HUB: { without: 'the `EntityPath` of the connection string', sample: '', meaning: 'Name of that Event Hub.' },
  MIRROR_CONSUMER_GROUP: { default: '$Default', meaning: 'Consumer group that the mirror reads with. It should be its own: two readers of one group take events from each other.' },
  MIRROR_TABLE: { default: 'hubkeepermirror', meaning: 'Table that holds the rows of the mirror.' },
  RECONCILE_SCHEDULE: { default: '0 0 */6 * * *', meaning: 'When the mirror is compared with each hub and repaired, UTC (six-field NCRONTAB); `off` or empty: only on demand.' },
} as const satisfies Record<string, Setting>;

export type SettingName = keyof typeof SETTINGS;

/** Settings that are one of some words, and those that are numbers. */
type NameWith<Key extends string> = {
  [Name in SettingName]: (typeof SETTINGS)[Name] extends { readonly [K in Key]: unknown } ? Name : never;
}[SettingName];
type WordOf<Name extends NameWith<'words'>> = (typeof SETTINGS)[Name]['words'][number];

export interface Settings {
  readonly storage: StorageConnection;
  /** Name of the connection that triggers bind to. */
  readonly storageConnectionName: 'HUBKEEPER_STORAGE' | 'AzureWebJobsStorage';
  readonly storageAuth: 'sas' | 'identity';
  readonly storageIdentity?: string;
  /** Connection string or host name by lower-case alias; the hub of `IOTHUB` is `default`. */
  readonly hubs: ReadonlyMap<string, string>;
  /** By the same aliases. */
  readonly hubSizes: ReadonlyMap<string, HubSize>;
  readonly provisionContainer: string;
  readonly blobBinding: 'bytes' | 'reference';
  readonly blobTriggerSource: 'LogsAndContainerScan' | 'EventGrid';
  readonly dropSettleSeconds: number;
  readonly dropMaxAgeDays: number;
  readonly turnTimeoutHours: number;
  readonly sweepSchedule: string;
  readonly runHistoryDays: number;
  readonly stagingDays: number;
  readonly undoDays: number;
  readonly backups: BackupSettings;
  /** Absent: the mirror is off. */
  readonly mirror?: MirrorSettings;
}

export interface BackupSettings {
  /** Six-field NCRONTAB; absent: only on demand. */
  readonly schedule?: string;
  readonly keep: RetentionPolicy;
  readonly keys: 'included' | 'excluded';
  /** 0: what an export lacks is not asked for. */
  readonly extrasMinutes: number;
  /** Six-field NCRONTAB; absent: only on demand. */
  readonly verifySchedule?: string;
}

/** Alias of the hub of the setting `IOTHUB`. */
export const DEFAULT_HUB_ALIAS = 'default';

type Environment = Readonly<Record<string, string | undefined>>;

export const SETTINGS_TEXTS = {
  settingsInvalid: {
    says: 'Settings are missing or wrong:{problems}',
    action: 'Correct them in the app settings (locally: local.settings.json or the environment) and start again.',
    doc: { says: 'Settings of the app are missing or wrong.' },
  },
} as const satisfies Record<string, CodeText>;

/** A single error for everything that is wrong with the settings. */
export class SettingsError extends HubKeeperError {
  override readonly name = 'SettingsError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(
      speakerOf(SETTINGS_TEXTS)('settingsInvalid', {
        problems: problems.map((problem) => `\n  - ${problem}`).join(''),
      }),
    );
    this.problems = problems;
  }
}

/**
 * Reads all settings from `environment`.
 *
 * @throws SettingsError naming every problem at once.
 */
export function readSettings(environment: Environment = process.env): Settings {
  const problems: string[] = [];
  const text = (name: string): string | undefined => {
    const value = environment[name]?.trim();
    return value === undefined || value === '' ? undefined : value;
  };
  const oneOf = <Name extends NameWith<'words'>>(name: Name): WordOf<Name> => {
    const { words, default: fallback } = SETTINGS[name];
    const value = text(name);
    if (value === undefined) return fallback;
    const match = words.find((word) => word.toLowerCase() === value.toLowerCase());
    if (match === undefined) problems.push(`${name} must be one of ${words.join(', ')}.`);
    return match ?? fallback;
  };
  const number = (name: NameWith<'range'>): number => {
    const { range, default: fallback } = SETTINGS[name];
    const parsed = Number(text(name) ?? fallback);
    if (Number.isFinite(parsed) && parsed >= range.least && parsed <= range.most) return parsed;
    problems.push(`${name} must be a number from ${range.least} to ${range.most}.`);
    return fallback;
  };

  const storage = readStorage(text, problems);
  const hubs = readHubs(environment, problems);
  const hubSizes = readHubSizes(environment, [...hubs.keys()], problems);
  const provisionContainer = text('PROVISION_CONTAINER') ?? SETTINGS.PROVISION_CONTAINER.default;
  if (!/^[a-z0-9](?!.*--)[a-z0-9-]{1,61}[a-z0-9]$/.test(provisionContainer)) {
    problems.push(
      'PROVISION_CONTAINER must be a container name: 3 to 63 lower-case letters, digits and single hyphens.',
    );
  }
  const ours = [BACKUPS_CONTAINER, MIRROR_CONTAINER, RESULTS_CONTAINER, RUNS_CONTAINER];
  if (ours.includes(provisionContainer) || runIdOfContainer(provisionContainer)) {
    problems.push(
      'PROVISION_CONTAINER must be a container of its own, not one that HubKeeper keeps results, runs or backups in.',
    );
  }
  const mirror = readMirror(environment, [...hubs.keys()], problems);
  if (mirror !== undefined && !knowsTables(storage.connection)) {
    problems.push(
      `${storage.name} does not tell where the tables are, which the mirror needs: add TableEndpoint to the connection string, or set ${storage.name}__tableServiceUri.`,
    );
  }
  const storageAuth = oneOf('STORAGE_AUTH');
  const storageIdentity = text('STORAGE_IDENTITY');
  if (storageIdentity !== undefined && storageAuth !== 'identity') {
    problems.push('STORAGE_IDENTITY has no effect unless STORAGE_AUTH is identity: set both or neither.');
  }

  const settings: Settings = {
    storage: storage.connection,
    storageConnectionName: storage.name,
    storageAuth,
    ...defined({ storageIdentity }),
    hubs,
    hubSizes,
    provisionContainer,
    blobBinding: oneOf('BLOB_BINDING'),
    blobTriggerSource: oneOf('BLOB_TRIGGER_SOURCE'),
    dropSettleSeconds: number('DROP_SETTLE_SECONDS'),
    dropMaxAgeDays: number('DROP_MAX_AGE_DAYS'),
    turnTimeoutHours: number('TURN_TIMEOUT_HOURS'),
    sweepSchedule: readSchedule('SWEEP_SCHEDULE', text('SWEEP_SCHEDULE'), problems),
    runHistoryDays: number('RUN_HISTORY_DAYS'),
    stagingDays: number('STAGING_DAYS'),
    undoDays: number('UNDO_DAYS'),
    backups: {
      ...readBackups(environment, problems),
      keys: oneOf('BACKUP_KEYS') === 'include' ? 'included' : 'excluded',
      extrasMinutes: number('BACKUP_EXTRAS_MINUTES'),
    },
    ...defined({ mirror }),
  };
  if (problems.length > 0) throw new SettingsError(problems);
  return settings;
}

type ScheduleName = Extract<SettingName, `${string}_SCHEDULE`>;

function readSchedule(name: ScheduleName, value: string | undefined, problems: string[]): string {
  const text = value ?? SETTINGS[name].default;
  const parsed = parseSchedule(text);
  if ('problem' in parsed) problems.push(`${name} ${parsed.problem}`);
  return text;
}

/** A setting that is there and empty says that there is to be no timer, unlike one that is not there. */
function readTimer(name: ScheduleName, environment: Environment, problems: string[]): string | undefined {
  const value = environment[name]?.trim();
  return value === '' || value?.toLowerCase() === 'off' ? undefined : readSchedule(name, value, problems);
}

function readMirror(
  environment: Environment,
  aliases: readonly string[],
  problems: string[],
): MirrorSettings | undefined {
  const text = (name: SettingName) => environment[name]?.trim() || undefined;
  const table = text('MIRROR_TABLE') ?? SETTINGS.MIRROR_TABLE.default;
  if (!/^[a-z][a-z0-9]{2,62}$/i.test(table)) {
    problems.push('MIRROR_TABLE must be the name of a table: 3 to 63 letters and digits, the first a letter.');
  }
  const consumerGroup = text('MIRROR_CONSUMER_GROUP') ?? SETTINGS.MIRROR_CONSUMER_GROUP.default;
  const texts = { eventHub: text('MIRROR_EVENT_HUB'), consumerGroup, table };
  const sources = readEventSources(environment, aliases, texts, problems);
  const reconcileSchedule = readTimer('RECONCILE_SCHEDULE', environment, problems);
  // Without events there is nothing to mirror: nobody is to have his hubs exported every few hours who did not ask for it.
  return sources.length === 0 ? undefined : { sources, table, ...defined({ reconcileSchedule }) };
}

function readBackups(
  environment: Environment,
  problems: string[],
): Pick<BackupSettings, 'schedule' | 'keep' | 'verifySchedule'> {
  const timer = (name: ScheduleName) => readTimer(name, environment, problems);
  const parsed = parseRetentionPolicy(environment['BACKUP_KEEP']?.trim() || SETTINGS.BACKUP_KEEP.default);
  if ('problem' in parsed) problems.push(`BACKUP_KEEP ${parsed.problem}`);
  return {
    ...defined({ schedule: timer('BACKUP_SCHEDULE'), verifySchedule: timer('BACKUP_VERIFY_SCHEDULE') }),
    keep: 'policy' in parsed ? parsed.policy : {},
  };
}

function readStorage(
  text: (name: string) => string | undefined,
  problems: string[],
): { connection: StorageConnection; name: Settings['storageConnectionName'] } {
  for (const name of ['HUBKEEPER_STORAGE', 'AzureWebJobsStorage'] as const) {
    const connectionString = text(name);
    if (connectionString !== undefined) {
      const problem = storageProblem(connectionString);
      if (problem !== undefined) problems.push(`${name} ${problem}`);
      return { name, connection: { kind: 'connectionString', connectionString } };
    }
    const account = text(`${name}__accountName`);
    const uri = text(`${name}__blobServiceUri`) ?? (account && `https://${account}.blob.core.windows.net`);
    if (uri !== undefined) {
      if (!isPlainUrl(uri)) {
        problems.push(
          `${name}__blobServiceUri must be a URL such as https://ACCOUNT.blob.core.windows.net, without a signature.`,
        );
      }
      const tableServiceUri =
        text(`${name}__tableServiceUri`) ?? (account && `https://${account}.table.core.windows.net`);
      if (tableServiceUri !== undefined && !isPlainUrl(tableServiceUri)) {
        problems.push(
          `${name}__tableServiceUri must be a URL such as https://ACCOUNT.table.core.windows.net, without a signature.`,
        );
      }
      const clientId = text(`${name}__clientId`);
      return {
        name,
        connection: { kind: 'identity', blobServiceUri: uri, ...defined({ tableServiceUri, clientId }) },
      };
    }
  }
  problems.push(
    'HUBKEEPER_STORAGE (or AzureWebJobsStorage) is missing: give a connection string, or HUBKEEPER_STORAGE__blobServiceUri to use an identity.',
  );
  return { name: 'AzureWebJobsStorage', connection: { kind: 'connectionString', connectionString: '' } };
}

function isPlainUrl(text: string): boolean {
  return URL.canParse(text) && new URL(text).search === '';
}

/** What is wrong with a storage connection string; the text itself is never quoted. */
function storageProblem(text: string): string | undefined {
  if (/^UseDevelopmentStorage=true;?$/i.test(text)) return undefined;
  const has = (key: string) => new RegExp(`(^|;)\\s*${key}=[^;]`, 'i').test(text);
  if (has('SharedAccessSignature')) {
    return 'holds a shared access signature, which cannot sign for the hub: give a connection string with the account key, or use an identity.';
  }
  const isWhole = has('DefaultEndpointsProtocol') && has('AccountName') && has('AccountKey');
  if (isWhole && (has('BlobEndpoint') || (has('EndpointSuffix') && /DefaultEndpointsProtocol=https?;/i.test(text)))) {
    return undefined;
  }
  return 'is no storage connection string: it must have DefaultEndpointsProtocol=https, AccountName, AccountKey and EndpointSuffix (or be UseDevelopmentStorage=true).';
}

function readHubs(environment: Environment, problems: string[]): Map<string, string> {
  const hubs = new Map<string, string>();
  for (const [name, raw] of Object.entries(environment)) {
    const match = /^IOTHUB(?:__(.*))?$/i.exec(name);
    const value = raw?.trim();
    if (!match || value === undefined || value === '') continue;
    const alias = (match[1] ?? DEFAULT_HUB_ALIAS).toLowerCase();
    if (!/^[a-z0-9]+$/.test(alias)) {
      problems.push(`${name}: the alias after IOTHUB__ must be letters and digits only.`);
    } else if (hubs.has(alias)) {
      problems.push(`${name}: the alias "${alias}" is given twice (aliases are matched without regard to case).`);
    } else {
      hubs.set(alias, value);
      const problem = connectionProblem(value);
      if (problem !== undefined) problems.push(`${name}: ${problem}`);
    }
  }
  if (hubs.size === 0 && !problems.some((problem) => problem.startsWith('IOTHUB'))) {
    problems.push('IOTHUB is missing: give the connection string or the host name of the hub.');
  }
  return hubs;
}

/** Of each hub; one that says nothing of its own has what `HUB_TIER` and `HUB_UNITS` say. */
function readHubSizes(environment: Environment, aliases: readonly string[], problems: string[]): Map<string, HubSize> {
  const { least, most } = SETTINGS.HUB_UNITS.range;
  const given = new Map<string, { tier?: HubSize['tier']; units?: number }>();
  for (const [name, raw] of Object.entries(environment)) {
    const match = /^HUB_(TIER|UNITS)(?:__(.*))?$/i.exec(name);
    const value = raw?.trim();
    if (!match || value === undefined || value === '') continue;
    const alias = (match[2] ?? DEFAULT_HUB_ALIAS).toLowerCase();
    if (alias !== DEFAULT_HUB_ALIAS && !aliases.includes(alias)) {
      problems.push(`${name}: there is no hub of that alias (IOTHUB__${alias} is missing).`);
    }
    const size = given.get(alias) ?? {};
    if (match[1]?.toUpperCase() === 'TIER') {
      const tier = HUB_TIERS.find((candidate) => candidate === value.toUpperCase());
      if (tier === undefined) problems.push(`${name} must be one of ${HUB_TIERS.join(', ')} (free and basic: as S1).`);
      else given.set(alias, { ...size, tier });
    } else {
      const units = Number(value);
      if (Number.isInteger(units) && units >= least && units <= most) given.set(alias, { ...size, units });
      else problems.push(`${name} must be a whole number from ${least} to ${most}.`);
    }
  }
  const common = {
    tier: SETTINGS.HUB_TIER.default,
    units: SETTINGS.HUB_UNITS.default,
    ...given.get(DEFAULT_HUB_ALIAS),
  };
  return new Map(aliases.map((alias) => [alias, { ...common, ...given.get(alias) }]));
}

/** What is wrong with a hub's connection string or host name; the text itself is never quoted. */
function connectionProblem(value: string): string | undefined {
  try {
    parseHubConnection(value);
    return undefined;
  } catch (error) {
    if (error instanceof HubKeeperError) return [error.message, error.action].filter(Boolean).join(' ');
    throw error;
  }
}
