import type { InvocationContext } from '@azure/functions';
import { app } from 'durable-functions';

import { REFRESH_STEP } from '../lib/mirror/refresh/refreshPlan.ts';
import { LEFT_ALONE, type RefreshInput, type RefreshReply, refreshStep } from '../lib/mirror/refresh/refreshStep.ts';
import { safeError } from '../lib/redact.ts';
import { refreshing } from '../services.ts';

app.activity(REFRESH_STEP, {
  handler: async (input: RefreshInput, invocation: InvocationContext): Promise<RefreshReply> => {
    const services = refreshing(invocation);
    // The mirror was turned off, or the hub taken out of the settings, since the refresh began.
    if (services === undefined || !services.settings.hubs.has(input.hub)) return LEFT_ALONE;
    const log = services.log.scope({ hub: input.hub, step: REFRESH_STEP });
    try {
      return await refreshStep({ ...services, log }, input);
    } catch (error) {
      // What an activity throws is stored in the durable history: errors of SDKs carry URLs with signatures.
      const { message } = safeError(error);
      log.log('warn', `will be retried: ${message}`);
      throw new Error(message);
    }
  },
});
