import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { type EventHubsSettings, eventHubsSettings } from './hostJsonEventHubs.ts';
import { OVERRIDE_SECTION, sortSettings } from './hostJsonSettings.ts';
import type { Settings } from './settings.ts';
import { parseTimeSpan } from './timeSpan.ts';

/** What host.json, and the app settings that override it, say to this host. */
export interface HostJson {
  /** Without slashes at its ends; empty for none. */
  readonly routePrefix: string;
  /** Milliseconds; undefined for no limit. */
  readonly functionTimeout: number | undefined;
  readonly blobs: { readonly maxDegreeOfParallelism: number; readonly poisonBlobThreshold: number };
  readonly eventHubs: EventHubsSettings;
  readonly durableTask: Readonly<Record<string, unknown>>;
  /** Names of settings that have no effect on this host. */
  readonly withoutEffect: readonly string[];
}

const defaultTimeout = 30 * 60_000;

/** @throws Error naming the file and every setting that is wrong, unknown, or cannot be obeyed. */
export async function readHostJson(appDirectory: string, settings: Settings): Promise<HostJson> {
  const path = join(appDirectory, 'host.json');
  let parsed: unknown;
  try {
    parsed = JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`Cannot read ${path}: ${reason}. A Functions app has a host.json, at least {"version": "2.0"}.`);
  }
  return parseHostJson(parsed, path, settings.section(OVERRIDE_SECTION));
}

export function parseHostJson(
  parsed: unknown,
  path = 'host.json',
  overrides: ReadonlyMap<string, string> = new Map(),
): HostJson {
  const sorted = sortSettings(parsed, overrides);
  const problems = [...sorted.problems];
  const section = (value: unknown) => (value ?? {}) as Readonly<Record<string, unknown>>;
  const wholeNumber = (value: unknown, name: string, fallback: number): number => {
    if (value === undefined) {
      return fallback;
    }
    if (typeof value !== 'number' || !Number.isInteger(value) || value < 1) {
      problems.push(`${name} must be a whole number of at least 1, not ${JSON.stringify(value)}`);
      return fallback;
    }
    return value;
  };

  const root = sorted.content;
  if (root['version'] !== '2.0') {
    problems.push(`"version" must be "2.0", not ${JSON.stringify(root['version'])}`);
  }
  const extensions = section(root['extensions']);
  const http = section(extensions['http']);
  const blobs = section(extensions['blobs']);
  const durableTask = section(extensions['durableTask']);

  const { routePrefix = 'api' } = http;
  if (typeof routePrefix !== 'string') {
    problems.push(`"extensions.http.routePrefix" must be a string, not ${JSON.stringify(routePrefix)}`);
  }
  const result: HostJson = {
    routePrefix: String(routePrefix).replaceAll(/^\/+|\/+$/g, ''),
    functionTimeout: functionTimeout(root['functionTimeout'], problems),
    blobs: {
      maxDegreeOfParallelism: wholeNumber(
        blobs['maxDegreeOfParallelism'],
        '"extensions.blobs.maxDegreeOfParallelism"',
        8 * availableParallelism(),
      ),
      poisonBlobThreshold: wholeNumber(blobs['poisonBlobThreshold'], '"extensions.blobs.poisonBlobThreshold"', 5),
    },
    eventHubs: eventHubsSettings(section(extensions['eventHubs']), problems),
    durableTask,
    withoutEffect: sorted.withoutEffect,
  };
  if (problems.length > 0) {
    throw new Error(`${path}: ${problems.join('; ')}.`);
  }
  return result;
}

function functionTimeout(value: unknown, problems: string[]): number | undefined {
  if (value === undefined) {
    return defaultTimeout;
  }
  if (value === '-1' || value === -1) {
    return undefined;
  }
  const milliseconds = typeof value === 'string' ? parseTimeSpan(value) : undefined;
  if (milliseconds === undefined || milliseconds <= 0) {
    problems.push(`"functionTimeout" must be "hh:mm:ss" or "-1", not ${JSON.stringify(value)}`);
    return undefined;
  }
  return milliseconds;
}
