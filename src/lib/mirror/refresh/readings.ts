/** Reads identities as they are in a registry: by query, many at a time, or one by one. */

import { defined } from '../../defined.ts';
import { parseTwin, type RegistryClient, type Twin } from '../../registry/index.ts';
import type { Reading } from '../rows/mergeReading.ts';
import { type IdentityKey, keyText } from '../rows/row.ts';
import { mirroredIdentity, mirroredTwin } from './mirrored.ts';
import { type IdsQuery, TWINS_A_PAGE } from './queryTexts.ts';

/** Of a whole call with its retries: no refresh waits longer for a hub that is slow. */
const CALL = { timeoutMs: 12_000 };

export interface QueryReading {
  /** Of those that were found. */
  readonly found: ReadonlyMap<string, IdentityKey & { readonly reading: Reading }>;
  /** Each page is a query for the throttle. */
  readonly pages: number;
  /** False: the time was up; what was not found may be on the pages that were not read. */
  readonly complete: boolean;
}

/**
 * What a query finds, by the text of its key.
 *
 * @param isOver asked before each page but the first
 * @throws HubError
 */
export async function readByQuery(hub: RegistryClient, query: IdsQuery, isOver: () => boolean): Promise<QueryReading> {
  const found = new Map<string, IdentityKey & { readonly reading: Reading }>();
  let pages = 0;
  for await (const { items, continuation } of hub.query(query.text, CALL).byPage({ maxItems: TWINS_A_PAGE })) {
    pages += 1;
    for (const item of items) {
      const twin = parseTwin(item);
      if (twin === undefined) continue;
      const key: IdentityKey = { deviceId: twin.deviceId, ...defined({ moduleId: twin.moduleId }) };
      found.set(keyText(key), { ...key, reading: { identity: mirroredIdentity(key, twin), twin: mirroredTwin(twin) } });
    }
    if (continuation !== undefined && isOver()) return { found, pages, complete: false };
  }
  return { found, pages, complete: true };
}

/** `noTwin`: it is there, and its twin is not, or not yet; `unreadable`: no URL can name it. */
export type GetReading = Reading | 'noTwin' | 'unreadable';

/** Registry operations that reading one takes; twins have a throttle of their own, which is far wider. */
export function operationsOf({ moduleId }: IdentityKey): number {
  return moduleId === undefined ? 1 : 2;
}

/**
 * Reads one identity.
 *
 * @throws HubError
 */
export async function readByGet(hub: RegistryClient, { deviceId, moduleId }: IdentityKey): Promise<GetReading> {
  // Both are names that a hub takes, and URLs resolve them.
  if ([deviceId, moduleId].some((name) => name === '.' || name === '..')) return 'unreadable';
  const device = await hub.getDevice(deviceId, CALL);
  if (device === undefined) return 'absent';
  if (moduleId === undefined) {
    const twin = await hub.getTwin({ deviceId }, CALL);
    const authenticationType = device.authentication?.type;
    return twin === undefined ? 'noTwin' : readingOf({ deviceId }, { ...twin, ...device, authenticationType }, twin);
  }
  const key = { deviceId, moduleId };
  // To a SAS token a hub answers 401 for modules of a device that is disabled, but not for their twins (seen on a live hub).
  const isHidden = device.status === 'disabled';
  const [module, twin] = await Promise.all([
    isHidden ? undefined : hub.getModule(deviceId, moduleId, CALL),
    hub.getTwin(key, CALL),
  ]);
  if (twin === undefined) return module === undefined ? 'absent' : 'noTwin';
  if (module === undefined && !isHidden) return 'absent';
  return readingOf(key, twin, twin);
}

function readingOf(
  key: IdentityKey & { readonly deviceId: string },
  identity: Parameters<typeof mirroredIdentity>[1],
  twin: Twin,
): Reading {
  return { identity: mirroredIdentity(key, identity), twin: mirroredTwin(twin) };
}
