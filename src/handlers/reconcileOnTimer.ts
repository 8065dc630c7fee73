import type { InvocationContext, Timer } from '@azure/functions';

import { runStarter } from '../hosting/runStarter.ts';
import { dueSlot } from '../lib/backup/schedule.ts';
import { mirroredHubs } from '../lib/mirror/mirrorSettings.ts';
import { startReconcile } from '../lib/mirror/reconcile/startReconcile.ts';
import { safeError } from '../lib/redact.ts';
import { settings, working } from '../services.ts';

const { mirror } = settings;
const schedule = mirror?.reconcileSchedule;

/** Begins to compare the mirror with each hub that it mirrors; fired twice for the same time, it does so once. */
export async function reconcileOnTimer(_timer: Timer, context: InvocationContext): Promise<void> {
  const services = working(context, runStarter(context));
  const slot = dueSlot(schedule ?? '', services.now()).toISOString();
  for (const hub of mirror === undefined ? [] : mirroredHubs(mirror, [...settings.hubs.keys()])) {
    try {
      const { runId } = await startReconcile(services, { hub, reason: 'It was due by RECONCILE_SCHEDULE.', slot });
      services.log.log('info', `reconcile of the mirror of the hub ${hub} for ${slot}: run ${runId}`);
    } catch (error) {
      // The other hubs are compared all the same; status tells when this one was last.
      services.log.log('error', `the reconcile of the hub ${hub} was not started: ${safeError(error).message}`);
    }
  }
}
