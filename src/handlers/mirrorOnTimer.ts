import type { InvocationContext, Timer } from '@azure/functions';

import { refreshStarter } from '../hosting/refreshStarter.ts';
import { runStarter } from '../hosting/runStarter.ts';
import { dropOldLetters } from '../lib/mirror/events/deadLetters.ts';
import { replayParked } from '../lib/mirror/events/replay.ts';
import { startReconcile } from '../lib/mirror/reconcile/startReconcile.ts';
import { doMirrorChores } from '../lib/mirror/refresh/mirrorChores.ts';
import { isTold } from '../lib/telemetry/telemetry.ts';
import { mirrorHealth, mirroring, refreshing, working } from '../services.ts';

/** Goes on with whatever waits: events that the store did not take, rows, runs that have ended, reconciles that are wanted. */
export async function mirrorOnTimer(_timer: Timer, context: InvocationContext): Promise<void> {
  const [refresh, events] = [refreshing(context), mirroring(context)];
  if (refresh === undefined || events === undefined) return;
  // How far it is behind is told as a metric, whether or not anybody asks for it.
  if (isTold()) await mirrorHealth?.();
  const work = working(context, runStarter(context));
  await doMirrorChores(refresh, {
    startRefresh: refreshStarter(context),
    startReconcile: (hub, reason) => startReconcile(work, { hub, reason }),
    dropOldLetters: () => dropOldLetters(events.storage, events.now()),
    replayParked: async (until) => (await replayParked(events, until)).wanted,
  });
}
