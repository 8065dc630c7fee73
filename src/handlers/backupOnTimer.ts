import type { InvocationContext, Timer } from '@azure/functions';

import { runStarter } from '../hosting/runStarter.ts';
import { dueSlot } from '../lib/backup/schedule.ts';
import { safeError } from '../lib/redact.ts';
import { startWork } from '../lib/work/startWork.ts';
import { settings, working } from '../services.ts';

const { schedule } = settings.backups;

/** Begins a backup of each hub; fired twice for the same time, it makes one. */
export async function backupOnTimer(_timer: Timer, context: InvocationContext): Promise<void> {
  const starter = runStarter(context);
  const services = working(context, starter);
  const slot = dueSlot(schedule ?? '', services.now()).toISOString();
  for (const hub of settings.hubs.keys()) {
    try {
      const { runId } = await startWork(services, starter, { kind: 'backup', hub, request: { slot }, once: slot });
      services.log.log('info', `backup of the hub ${hub} for ${slot}: run ${runId}`);
    } catch (error) {
      // The other hubs are backed up all the same; health tells that this one is overdue.
      services.log.log('error', `the backup of the hub ${hub} was not started: ${safeError(error).message}`);
    }
  }
}
