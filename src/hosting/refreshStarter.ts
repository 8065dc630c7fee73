import type { InvocationContext } from '@azure/functions';
import { getClient } from 'durable-functions';

import { safeError } from '../lib/redact.ts';
import { instanceIdOfRefresh, ORCHESTRATIONS } from '../orchestrations/instanceIds.ts';
import type { MirrorRefreshInput } from '../orchestrations/mirrorRefresh.ts';
import { liveStatus } from './instances.ts';

/** Begins the refresh of the mirror of a hub, unless it goes on already. */
export type StartRefresh = (hub: string) => Promise<void>;

/** Begins refreshes through the durable client of an invocation. */
export function refreshStarter(invocation: InvocationContext): StartRefresh {
  const client = getClient(invocation);
  return async (hub) => {
    const instanceId = instanceIdOfRefresh(hub);
    const isLive = async (): Promise<boolean> => (await liveStatus(client, instanceId)) !== undefined;
    if (await isLive()) return;
    try {
      const input: MirrorRefreshInput = { hub };
      await client.startNew(ORCHESTRATIONS.mirrorRefresh, { instanceId, input });
    } catch (error) {
      // Begun by somebody else in the meantime (409): what was wanted.
      if (!(await isLive())) throw error;
    }
  };
}

/**
 * Begins refreshes of what has just come into the queue. Where that does not succeed, `mirrorOnTimer` does it within a
 * minute: it is no reason for others to fail.
 */
export async function startRefreshes(invocation: InvocationContext, hubs: Iterable<string>): Promise<void> {
  const start = refreshStarter(invocation);
  for (const hub of hubs) {
    try {
      await start(hub);
    } catch (error) {
      invocation.warn(`the refresh of the mirror of the hub ${hub} is left to the timer: ${safeError(error).message}`);
    }
  }
}
