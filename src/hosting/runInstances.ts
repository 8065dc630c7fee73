import type { InvocationContext } from '@azure/functions';
import { getClient } from 'durable-functions';

import type { RunInstances } from '../lib/hubJobs/askAgain.ts';
import { instanceIdOfRun } from '../orchestrations/instanceIds.ts';
import { liveStatus } from './instances.ts';

/** The orchestrations of runs, seen through the durable client of an invocation. */
export function runInstances(context: InvocationContext): RunInstances {
  const client = getClient(context);
  return {
    async stateOf(runId) {
      const status = await liveStatus(client, instanceIdOfRun(runId));
      return status === undefined ? 'gone' : status === 'Suspended' ? 'suspended' : 'live';
    },
  };
}
