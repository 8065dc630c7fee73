import type { InvocationContext } from '@azure/functions';
import { getClient } from 'durable-functions';

import type { RunStarter } from '../lib/provisioning/startRun.ts';
import { instanceIdOfRun, ORCHESTRATIONS } from '../orchestrations/instanceIds.ts';

const LIVE = new Set(['Pending', 'Running', 'Suspended', 'ContinuedAsNew']);

/** Starts runs through the durable client of an invocation. */
export function runStarter(context: InvocationContext): RunStarter {
  const client = getClient(context);
  const isLive = async (runId: string): Promise<boolean> => {
    try {
      const status = await client.getStatus(instanceIdOfRun(runId));
      return LIVE.has(status.runtimeStatus);
    } catch (error) {
      // The client throws for an instance that does not exist, and has no other way to say so.
      if (/HTTP 404/.test(String(error))) return false;
      throw error;
    }
  };
  return {
    isLive,
    async start(runId) {
      try {
        await client.startNew(ORCHESTRATIONS.provisionRun, { instanceId: instanceIdOfRun(runId), input: { runId } });
      } catch (error) {
        // Started by somebody else in the meantime (409): what was wanted.
        if (!(await isLive(runId))) throw error;
      }
    },
  };
}
