import { app } from '@azure/functions';
import { input } from 'durable-functions';

import { settings } from '../appSettings.ts';

if (settings.mirror !== undefined) {
  app.timer('mirrorOnTimer', {
    schedule: '0 * * * * *',
    // One that was missed is not made up for: the next does the same. So nobody need write down when it was.
    useMonitor: false,
    extraInputs: [input.durableClient()],
    handler: async (timer, context) => (await import('../handlers/mirrorOnTimer.ts')).mirrorOnTimer(timer, context),
  });
}
