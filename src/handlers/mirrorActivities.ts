import type { InvocationContext } from '@azure/functions';

import { orSafeError } from '../hosting/activities.ts';
import { REFRESH_STEP } from '../lib/mirror/refresh/refreshPlan.ts';
import { LEFT_ALONE, type RefreshInput, type RefreshReply, refreshStep } from '../lib/mirror/refresh/refreshStep.ts';
import { refreshing } from '../services.ts';

export async function refreshOfMirror(input: RefreshInput, invocation: InvocationContext): Promise<RefreshReply> {
  const services = refreshing(invocation);
  // The mirror was turned off, or the hub taken out of the settings, since the refresh began.
  if (services === undefined || !services.settings.hubs.has(input.hub)) return LEFT_ALONE;
  const log = services.log.scope({ hub: input.hub, step: REFRESH_STEP });
  return orSafeError(log, () => refreshStep({ ...services, log }, input));
}
