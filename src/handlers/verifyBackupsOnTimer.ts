import type { InvocationContext, Timer } from '@azure/functions';

import { runStarter } from '../hosting/runStarter.ts';
import { dueSlot } from '../lib/backup/schedule.ts';
import { startWork } from '../lib/work/startWork.ts';
import { settings, working } from '../services.ts';

const { verifySchedule: schedule } = settings.backups;

/** Begins to read all backups again; fired twice for the same time, it does so once. */
export async function verifyBackupsOnTimer(_timer: Timer, context: InvocationContext): Promise<void> {
  const starter = runStarter(context);
  const services = working(context, starter);
  const slot = dueSlot(schedule ?? '', services.now()).toISOString();
  const { runId } = await startWork(services, starter, { kind: 'verify', request: { slot }, once: slot });
  services.log.log('info', `verification of backups for ${slot}: run ${runId}`);
}
