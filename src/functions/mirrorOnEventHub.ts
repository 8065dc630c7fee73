/** Events of hubs are taken into the mirror. */

import { app, type RetryOptions } from '@azure/functions';
import { input } from 'durable-functions';

import { settings } from '../appSettings.ts';

/** What neither the store nor storage takes waits where it is, for as long as it takes: the position moves on with the last retry. */
const ENDLESS: RetryOptions = {
  strategy: 'exponentialBackoff',
  maxRetryCount: -1,
  minimumInterval: { seconds: 1 },
  maximumInterval: { minutes: 1 },
};

/**
 * The built-in endpoint of a hub has what devices send, too. An event whose body is no data but a value of AMQP fails in the
 * host before this function sees anything of its batch (azure-functions-host issue 9749), and would fail for ever: these
 * retries end after a quarter of an hour. What is given up leaves a gap in the numbers of the partition, for which a
 * reconcile is asked for (`followStream`).
 */
const FOR_A_WHILE: RetryOptions = { ...ENDLESS, maxRetryCount: 20 };

/** One body that is not JSON would lose a batch, were they parsed by the host. */
const BYTES = { dataType: 'binary' };

for (const { connectionName, eventHub, consumerGroup, hub } of settings.mirror?.sources ?? []) {
  app.eventHub(hub === undefined ? 'mirrorOnEventHub' : `mirrorOnEventHub_${hub}`, {
    ...BYTES,
    connection: connectionName,
    eventHubName: eventHub,
    consumerGroup,
    cardinality: 'many',
    // A source of one hub alone is its built-in endpoint.
    retry: hub === undefined ? ENDLESS : FOR_A_WHILE,
    extraInputs: [input.durableClient()],
    handler: async (messages, context) =>
      (await import('../handlers/mirrorOnEventHub.ts')).mirrorOnEventHub(connectionName, messages, context),
  });
}

// Without it, hosts drop bodies that are empty, and nobody knows whose the others are.
if (settings.mirror !== undefined) app.setup({ capabilities: { IncludeEmptyEntriesInMessagePayload: true } });
