import { app } from '@azure/functions';
import { input } from 'durable-functions';

import { settings } from '../appSettings.ts';

const schedule = settings.mirror?.reconcileSchedule;

if (schedule !== undefined) {
  app.timer('reconcileOnTimer', {
    schedule,
    extraInputs: [input.durableClient()],
    handler: async (timer, context) =>
      (await import('../handlers/reconcileOnTimer.ts')).reconcileOnTimer(timer, context),
  });
}
