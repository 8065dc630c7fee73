/** Events of hubs are taken into the mirror. */

import type { InvocationContext } from '@azure/functions';

import { startRefreshes } from '../hosting/refreshStarter.ts';
import { mirrorOnEventHub as takeIn } from '../lib/mirror/events/mirrorOnEventHub.ts';
import { rawBatch } from '../lib/mirror/events/rawBatch.ts';
import { safeError } from '../lib/redact.ts';
import { mirroring } from '../services.ts';

/** A batch of events of one partition. When it throws, the host calls it again with the same, and the position stays. */
export async function mirrorOnEventHub(source: string, messages: unknown, context: InvocationContext): Promise<void> {
  const services = mirroring(context);
  if (services === undefined) return;
  const batch = rawBatch(source, messages, services.now().toISOString(), context.triggerMetadata);
  try {
    const { wanted } = await takeIn(services, batch);
    await startRefreshes(context, wanted);
  } catch (error) {
    // The host writes what is thrown into its log: errors of SDKs carry URLs with signatures.
    const { message } = safeError(error);
    services.log.log('error', `events of partition ${batch.partition} of ${source} are not taken in: ${message}`);
    throw new Error(message);
  }
}
