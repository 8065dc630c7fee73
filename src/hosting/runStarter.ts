import type { InvocationContext } from '@azure/functions';
import { getClient } from 'durable-functions';

import type { RunStarter } from '../lib/runs/restartRun.ts';
import { instanceIdOfRun, ORCHESTRATIONS } from '../orchestrations/instanceIds.ts';
import type { RunInput } from '../orchestrations/run.ts';
import { liveStatus } from './instances.ts';

/** Starts runs through the durable client of an invocation. */
export function runStarter(context: InvocationContext): RunStarter {
  const client = getClient(context);
  const isLive = async (runId: string): Promise<boolean> =>
    (await liveStatus(client, instanceIdOfRun(runId))) !== undefined;
  return {
    isLive,
    async start(runId, attempt, kind) {
      try {
        await client.startNew(ORCHESTRATIONS.run, {
          instanceId: instanceIdOfRun(runId),
          input: { runId, attempt, kind } satisfies RunInput,
        });
      } catch (error) {
        // Started by somebody else in the meantime (409): what was wanted.
        if (!(await isLive(runId))) throw error;
      }
    },
  };
}
