import { app } from '@azure/functions';
import { input } from 'durable-functions';

import { settings } from '../appSettings.ts';

const { schedule } = settings.backups;

if (schedule !== undefined) {
  app.timer('backupOnTimer', {
    schedule,
    extraInputs: [input.durableClient()],
    handler: async (timer, context) => (await import('../handlers/backupOnTimer.ts')).backupOnTimer(timer, context),
  });
}
