import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseTimeSpan } from './timeSpan.ts';

/** The parts of host.json that this host obeys (https://learn.microsoft.com/azure/azure-functions/functions-host-json). */
export interface HostJson {
  /** Without slashes at its ends; empty for none. */
  readonly routePrefix: string;
  /** Milliseconds; undefined for no limit. */
  readonly functionTimeout: number | undefined;
  readonly blobs: { readonly maxDegreeOfParallelism: number; readonly poisonBlobThreshold: number };
  readonly durableTask: Readonly<Record<string, unknown>>;
}

const defaultTimeout = 30 * 60_000;

/** @throws Error naming the file and every member that is wrong. */
export async function readHostJson(appDirectory: string): Promise<HostJson> {
  const path = join(appDirectory, 'host.json');
  let parsed: unknown;
  try {
    parsed = JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`Cannot read ${path}: ${reason}. A Functions app has a host.json, at least {"version": "2.0"}.`);
  }
  return parseHostJson(parsed, path);
}

export function parseHostJson(parsed: unknown, path = 'host.json'): HostJson {
  const problems: string[] = [];
  const object = (value: unknown, name: string): Record<string, unknown> => {
    if (value === undefined) {
      return {};
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      problems.push(`${name} must be an object`);
      return {};
    }
    return value as Record<string, unknown>;
  };
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

  const root = object(parsed, 'the file');
  if (root['version'] !== '2.0') {
    problems.push(`"version" must be "2.0", not ${JSON.stringify(root['version'])}`);
  }
  const extensions = object(root['extensions'], '"extensions"');
  const http = object(extensions['http'], '"extensions.http"');
  const blobs = object(extensions['blobs'], '"extensions.blobs"');
  const durableTask = object(extensions['durableTask'], '"extensions.durableTask"');

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
    durableTask,
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
