/** What the body of an event tells of a twin. */

import { isDeeperThan, isObject, NESTING_LIMIT } from '../../devicesFile/keyNames.ts';
import type { Fields, TwinSections } from '../rows/row.ts';
import { withoutHubKeys } from '../rows/twinSections.ts';
import { type DeadReason, deadReason } from './deadLetterTexts.ts';
import { sectionSize } from './twinSize.ts';

export interface TwinBody {
  readonly deviceId?: unknown;
  readonly moduleId?: unknown;
  /** Absent: the body tells none. */
  readonly version?: number;
  /** Those that the body tells. */
  readonly sections: Partial<TwinSections>;
}

export type ReadBody = TwinBody | { readonly dead: DeadReason };

/** Event Hubs take messages of 1 MB, in all tiers that hubs route to. */
const LARGEST_BODY = 1024 * 1024;

/**
 * How large a section may be, in bytes as a hub counts them: twice what the documentation says, for how live hubs count is
 * known by it alone. What is larger is no hub's.
 */
const LIMITS: Readonly<Record<keyof TwinSections, number>> = {
  tags: 2 * 8 * 1024,
  desired: 2 * 32 * 1024,
  reported: 2 * 32 * 1024,
};

const PLACES = { tags: 'tags', desired: 'properties.desired', reported: 'properties.reported' } as const;

export function readBody(bytes: Uint8Array): ReadBody {
  if (bytes.length > LARGEST_BODY) {
    return { dead: deadReason('bodyTooLarge', { bytes: bytes.length, limit: LARGEST_BODY }) };
  }
  const body = parsed(bytes);
  if (body === undefined) return { dead: deadReason('notJson') };
  if (!isObject(body)) return { dead: wrong('the whole') };
  const properties = body['properties'] ?? {};
  if (!isObject(properties)) return { dead: wrong('"properties"') };
  const found: Partial<Record<keyof TwinSections, Fields>> = {};
  const values = { tags: body['tags'], desired: properties['desired'], reported: properties['reported'] };
  for (const name of ['tags', 'desired', 'reported'] as const) {
    const section = values[name];
    if (section === undefined || section === null) continue;
    const dead = problemOf(name, section);
    if (dead !== undefined) return { dead };
    found[name] = withoutHubKeys(section as Fields);
  }
  const version = versionOf(body['version']);
  return {
    deviceId: body['deviceId'],
    moduleId: body['moduleId'],
    sections: found,
    ...(version === undefined ? {} : { version }),
  };
}

function problemOf(name: keyof TwinSections, section: unknown): DeadReason | undefined {
  const place = PLACES[name];
  if (!isObject(section)) return wrong(`"${place}"`);
  // No code here follows what is nested without end.
  if (isDeeperThan(section, NESTING_LIMIT)) return deadReason('twinTooDeep', { section: place });
  const size = sectionSize(withoutHubKeys(section));
  const limit = LIMITS[name];
  return size > limit ? deadReason('twinTooLarge', { section: place, size, limit }) : undefined;
}

function wrong(field: string): DeadReason {
  return deadReason('wrongShape', { field, expected: 'an object' });
}

const UTF8 = new TextDecoder('utf-8', { fatal: true });

function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(UTF8.decode(bytes));
  } catch {
    return undefined;
  }
}

/** Counts from 1; hosts and serialisers may make a text of it. */
function versionOf(value: unknown): number | undefined {
  const number = typeof value === 'number' || typeof value === 'string' ? Number(value) : NaN;
  return Number.isSafeInteger(number) && number > 0 ? number : undefined;
}
