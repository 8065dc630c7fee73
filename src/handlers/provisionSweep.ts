import type { InvocationContext, Timer } from '@azure/functions';
import { getClient, OrchestrationRuntimeStatus } from 'durable-functions';

import { runStarter } from '../hosting/runStarter.ts';
import { startNewDrops } from '../lib/provisioning/drop/startNewDrops.ts';
import { alone, sweep } from '../lib/runs/sweep.ts';
import { backupChecks, provisioning, settings } from '../services.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
/** The service wants a beginning of the span; nothing is older than this. */
const BEGINNING = new Date('2020-01-01T00:00:00Z');

/** Starts what events have lost, and removes what is no longer needed: staging of old runs, history of old instances. */
export async function provisionSweep(_timer: Timer, context: InvocationContext): Promise<void> {
  const services = provisioning(context);
  const starter = runStarter(context);
  const result = await sweep(services, starter, (known) => startNewDrops(services, starter, known));
  if (result.started.length + result.restarted.length + result.stale + result.containersRemoved > 0) {
    services.log.log(
      'info',
      `sweep: started ${result.started.length}, restarted ${result.restarted.length}, stale ${result.stale}, staging containers removed ${result.containersRemoved}`,
    );
  }
  // Nobody may ask for the health of the app: the log tells all the same.
  await alone(services, 'the state of backups', () => backupChecks.check(services.log));
  await getClient(context).purgeInstanceHistoryBy({
    createdTimeFrom: BEGINNING,
    createdTimeTo: new Date(Date.now() - settings.runHistoryDays * DAY_MS),
    runtimeStatus: [
      OrchestrationRuntimeStatus.Completed,
      OrchestrationRuntimeStatus.Failed,
      OrchestrationRuntimeStatus.Terminated,
    ],
  });
}
