import { parseTimeSpan } from './timeSpan.ts';

/** What `extensions.eventHubs` of host.json says, with the extension's defaults; times in milliseconds. */
export interface EventHubsSettings {
  readonly maxEventBatchSize: number;
  readonly minEventBatchSize: number;
  /** How long events wait for `minEventBatchSize` of them. */
  readonly maxWaitTime: number;
  /** After how many batches the position is stored. */
  readonly batchCheckpointFrequency: number;
  readonly enableCheckpointing: boolean;
  readonly prefetchCount: number;
  /** Where to begin in a partition of which no position is stored. */
  readonly initialOffset: 'fromStart' | 'fromEnd' | Date;
  readonly partitionOwnershipExpirationInterval: number;
  readonly loadBalancingUpdateInterval: number;
  readonly customEndpointAddress: string | undefined;
  readonly retry: {
    readonly mode: 'fixed' | 'exponential';
    readonly maximumRetries: number;
    readonly delay: number;
    readonly maximumDelay: number;
    readonly tryTimeout: number;
  };
}

type Section = Readonly<Record<string, unknown>>;

const MINUTE = 60_000;

/**
 * Reads `extensions.eventHubs` (azure-sdk-for-net, WebJobs.Extensions.EventHubs, EventHubOptions.cs and
 * EventHubWebJobsBuilderExtensions.cs; EventProcessorOptions.cs and EventHubsRetryOptions.cs for the defaults).
 *
 * @param problems gets a sentence for each setting that is wrong.
 */
export function eventHubsSettings(section: Section, problems: string[]): EventHubsSettings {
  const reader = readerOf('extensions.eventHubs', problems);
  const retry = (section['clientRetryOptions'] ?? {}) as Section;
  const retryReader = readerOf('extensions.eventHubs.clientRetryOptions', problems);
  const settings: EventHubsSettings = {
    maxEventBatchSize: reader.wholeNumber(section, 'maxEventBatchSize', 100, 1),
    minEventBatchSize: reader.wholeNumber(section, 'minEventBatchSize', 1, 1),
    maxWaitTime: reader.time(section, 'maxWaitTime', MINUTE, 10 * MINUTE),
    batchCheckpointFrequency: reader.wholeNumber(section, 'batchCheckpointFrequency', 1, 1),
    enableCheckpointing: reader.oneOf(section, 'enableCheckpointing', 'true', ['true', 'false']) === 'true',
    prefetchCount: reader.wholeNumber(section, 'prefetchCount', 300, 0),
    initialOffset: initialOffset((section['initialOffsetOptions'] ?? {}) as Section, problems),
    partitionOwnershipExpirationInterval: reader.time(section, 'partitionOwnershipExpirationInterval', 2 * MINUTE),
    loadBalancingUpdateInterval: reader.time(section, 'loadBalancingUpdateInterval', MINUTE / 2),
    customEndpointAddress: reader.address(section, 'customEndpointAddress'),
    retry: {
      mode: retryReader.oneOf(retry, 'mode', 'exponential', ['fixed', 'exponential']),
      maximumRetries: retryReader.wholeNumber(retry, 'maximumRetries', 3, 0),
      delay: retryReader.time(retry, 'delay', 800),
      maximumDelay: retryReader.time(retry, 'maximumDelay', MINUTE),
      tryTimeout: retryReader.time(retry, 'tryTimeout', MINUTE),
    },
  };
  if (settings.minEventBatchSize > settings.maxEventBatchSize) {
    problems.push('"extensions.eventHubs.minEventBatchSize" cannot be larger than "maxEventBatchSize"');
  }
  return settings;
}

function initialOffset(section: Section, problems: string[]): EventHubsSettings['initialOffset'] {
  const reader = readerOf('extensions.eventHubs.initialOffsetOptions', problems);
  const type = reader.oneOf(section, 'type', 'fromStart', ['fromStart', 'fromEnd', 'fromEnqueuedTime']);
  if (type !== 'fromEnqueuedTime') return type;
  const text = section['enqueuedTimeUtc'];
  const time = new Date(typeof text === 'string' ? text : Number.NaN);
  if (Number.isNaN(time.getTime())) {
    problems.push(
      `"extensions.eventHubs.initialOffsetOptions.enqueuedTimeUtc" must be a time such as "2026-01-31T12:00:00Z", not ${JSON.stringify(text)}`,
    );
  }
  return time;
}

/** Readers of single settings: each gives the default where the setting is missing or wrong. */
function readerOf(path: string, problems: string[]) {
  const wrong = (name: string, what: string, value: unknown): void => {
    problems.push(`"${path}.${name}" must be ${what}, not ${JSON.stringify(value)}`);
  };
  return {
    wholeNumber(section: Section, name: string, byDefault: number, minimum: number): number {
      const value = section[name];
      if (value === undefined) return byDefault;
      if (typeof value === 'number' && Number.isInteger(value) && value >= minimum) return value;
      wrong(name, `a whole number of at least ${minimum}`, value);
      return byDefault;
    },
    time(section: Section, name: string, byDefault: number, maximum = 24 * 60 * MINUTE): number {
      const value = section[name];
      if (value === undefined) return byDefault;
      const time = typeof value === 'string' ? parseTimeSpan(value) : undefined;
      if (time !== undefined && time >= 0 && time <= maximum) return time;
      wrong(name, `a time "hh:mm:ss" of at most ${maximum / MINUTE} minutes`, value);
      return byDefault;
    },
    /** Names of values are read in any case. */
    oneOf<T extends string>(section: Section, name: string, byDefault: T, values: readonly T[]): T {
      const value = section[name];
      if (value === undefined) return byDefault;
      const found = values.find((one) => one.toLowerCase() === String(value).toLowerCase());
      if (found === undefined) wrong(name, values.map((one) => `"${one}"`).join(' or '), value);
      return found ?? byDefault;
    },
    address(section: Section, name: string): string | undefined {
      const value = section[name];
      if (value === undefined) return undefined;
      if (typeof value === 'string' && URL.canParse(value)) return value;
      wrong(name, 'an address such as "sb://gateway.example.com:5671"', value);
      return undefined;
    },
  };
}
