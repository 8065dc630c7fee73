/** Events of hubs are taken into the mirror. */

import { app, type RetryOptions } from '@azure/functions';
import { input } from 'durable-functions';

import { settings } from '../appSettings.ts';

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
    handler: async (messages, context) =>
      (await import('../handlers/mirrorOnEventHub.ts')).mirrorOnEventHub(connectionName, messages, context),
  });
}

// Without it, hosts drop bodies that are empty, and nobody knows whose the others are.
if (settings.mirror !== undefined) app.setup({ capabilities: { IncludeEmptyEntriesInMessagePayload: true } });
