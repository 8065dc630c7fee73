import { app } from '@azure/functions';
import { input } from 'durable-functions';

import { settings } from '../appSettings.ts';

app.timer('provisionSweep', {
  schedule: settings.sweepSchedule,
  extraInputs: [input.durableClient()],
  handler: async (timer, context) => (await import('../handlers/provisionSweep.ts')).provisionSweep(timer, context),
});
