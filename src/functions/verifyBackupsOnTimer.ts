import { app } from '@azure/functions';
import { input } from 'durable-functions';

import { settings } from '../appSettings.ts';

const { verifySchedule: schedule } = settings.backups;

if (schedule !== undefined) {
  app.timer('verifyBackupsOnTimer', {
    schedule,
    extraInputs: [input.durableClient()],
    handler: async (timer, context) =>
      (await import('../handlers/verifyBackupsOnTimer.ts')).verifyBackupsOnTimer(timer, context),
  });
}
