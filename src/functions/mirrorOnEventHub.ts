/** Events of hubs are taken into the mirror. */

import { app, type InvocationContext, type RetryOptions } from '@azure/functions';
import { input } from 'durable-functions';

import { startRefreshes } from '../hosting/refreshStarter.ts';
import { mirrorOnEventHub as takeIn } from '../lib/mirror/events/mirrorOnEventHub.ts';
import { rawBatch } from '../lib/mirror/events/rawBatch.ts';
import { safeError } from '../lib/redact.ts';
import { mirroring, settings } from '../services.ts';

/** A batch of events of one partition. When it throws, the host calls it again with the same, and the position stays. */
export function mirrorOnEventHub(source: string) {
  return async (messages: unknown, context: InvocationContext): Promise<void> => {
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
  };
}

/**
 * What neither the store nor storage takes waits where it is: positions move on when the retries are over, whatever a call
 * has done. These take a quarter of an hour, and not for ever: an event whose body is no data but a value of AMQP, as devices
 * may send one through the built-in endpoint, fails in the host before this function sees anything of its batch
 * (azure-functions-host issue 9749), and would fail each time. What is given up leaves a gap in the numbers of the partition,
 * for which a reconcile is asked for (`followStream`).
 */
const RETRY: RetryOptions = {
  strategy: 'exponentialBackoff',
  maxRetryCount: 20,
  minimumInterval: { seconds: 1 },
  maximumInterval: { minutes: 1 },
};

/** One body that is not JSON would lose a batch, were they parsed by the host. */
const BYTES = { dataType: 'binary' };

for (const { connectionName, eventHub, consumerGroup, hub } of settings.mirror?.sources ?? []) {
  app.eventHub(hub === undefined ? 'mirrorOnEventHub' : `mirrorOnEventHub_${hub}`, {
    ...BYTES,
    connection: connectionName,
    eventHubName: eventHub,
    consumerGroup,
    cardinality: 'many',
    retry: RETRY,
    extraInputs: [input.durableClient()],
    handler: mirrorOnEventHub(connectionName),
  });
}

// Without it, hosts drop bodies that are empty, and nobody knows whose the others are.
if (settings.mirror !== undefined) app.setup({ capabilities: { IncludeEmptyEntriesInMessagePayload: true } });
