/** What is lost or changed together with a device that is deleted, or that is no edge device any more. */

import { HubError, queryLiteral, type RegistryClient } from '../registry/index.ts';
import { type RegistryLine, UNREADABLE } from './registryLine.ts';
import type { Identity } from './snapshot.ts';

/** Hubs of the smallest tier answer 20 queries a minute (Azure docs, "IoT Hub quotas and throttling"). */
const MOST_QUERIES = 10;

/**
 * Tells of each device what goes with it: its modules, and the devices whose parent it is, which are unlinked when it
 * goes. An index that lags a second or two tells the latter.
 *
 * @returns a function; it gives `unreadable` when an export alone can tell, or tells it sooner
 * @throws HubError
 */
export function createGoesWith(
  hub: RegistryClient,
): (line: RegistryLine) => Promise<readonly Identity[] | 'unreadable'> {
  let queries = 0;
  return async (line) => {
    if (line.moduleId !== undefined) return [];
    // To a SAS token a hub answers 401 for modules of a device that is disabled (seen on a live hub).
    if (line['status'] === 'disabled') return UNREADABLE;
    const modules = await modulesOf(hub, line.id);
    const scope = ownScopeOf(line);
    if (scope === undefined) return modules;
    queries += 1;
    if (queries > MOST_QUERIES) return UNREADABLE;
    const below = await devicesBelow(hub, scope);
    return below === UNREADABLE ? below : [...modules, ...below];
  };
}

async function modulesOf(hub: RegistryClient, id: string): Promise<readonly Identity[]> {
  try {
    return (await hub.listModules(id)).map(({ moduleId }) => ({ id, moduleId }));
  } catch (error) {
    // Deleted since it was read, it has none.
    if (error instanceof HubError && error.kind === 'notFound') return [];
    throw error;
  }
}

async function devicesBelow(hub: RegistryClient, scope: string): Promise<readonly Identity[] | 'unreadable'> {
  const text = `SELECT * FROM devices WHERE array_contains(parentScopes, ${queryLiteral(scope)})`;
  const below: Identity[] = [];
  try {
    for await (const { deviceId } of hub.query(text)) if (typeof deviceId === 'string') below.push({ id: deviceId });
  } catch (error) {
    // Basic tiers have no queries, and the function stands in no document of the query language.
    if (error instanceof HubError && !error.retryable) return UNREADABLE;
    throw error;
  }
  return below;
}

/** The scope of an edge device, by which others are linked to it. */
export function ownScopeOf(line: Readonly<Record<string, unknown>>): string | undefined {
  const { capabilities, deviceScope } = line;
  const isEdge = (capabilities as { readonly iotEdge?: unknown } | null | undefined)?.iotEdge === true;
  return isEdge && typeof deviceScope === 'string' && deviceScope !== '' ? deviceScope : undefined;
}
