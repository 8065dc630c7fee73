import type { DurableClient } from 'durable-functions';

/** States of an instance that has not ended. */
const LIVE = new Set(['Pending', 'Running', 'Suspended', 'ContinuedAsNew']);

/** The runtime status of a durable instance that has not ended; undefined when it has, or there is none. */
export async function liveStatus(client: DurableClient, instanceId: string): Promise<string | undefined> {
  try {
    const { runtimeStatus } = await client.getStatus(instanceId);
    return LIVE.has(runtimeStatus) ? runtimeStatus : undefined;
  } catch (error) {
    // The client throws for an instance that does not exist, and has no other way to say so.
    if (/HTTP 404/.test(String(error))) return undefined;
    throw error;
  }
}
