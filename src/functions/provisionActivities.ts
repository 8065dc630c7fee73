import type { InvocationContext } from '@azure/functions';
import { app, input as extraInput } from 'durable-functions';

import { refreshAfterRun } from '../hosting/refreshAfterRun.ts';
import { runInstances } from '../hosting/runInstances.ts';
import type { ProvisioningContext } from '../lib/provisioning/run/provisionRun.ts';
import type { Inputs, StepName } from '../lib/provisioning/steps/flow.ts';
import { STEP_NAMES, takeSteps } from '../lib/provisioning/steps/takeStep.ts';
import { type ChunkInput, workChunk } from '../lib/provisioning/steps/workChunk.ts';
import { safeError } from '../lib/redact.ts';
import { orFault } from '../lib/runs/faults.ts';
import { provisioning, settings } from '../services.ts';

/** Activities that look at durable instances. */
const USE_CLIENT: ReadonlySet<StepName> = new Set<StepName>(['awaitTurn']);

for (const name of STEP_NAMES) {
  register<Inputs[typeof name]>(
    name,
    (services, input, invocation) => takeSteps(services, name, input, () => runInstances(invocation)),
    USE_CLIENT.has(name),
  );
}
register<ChunkInput>('workChunk', (services, input) => orFault(() => workChunk(services, input)));

function register<Input extends { readonly runId: string }>(
  name: string,
  work: (services: ProvisioningContext, input: Input, invocation: InvocationContext) => Promise<unknown>,
  usesClient = false,
): void {
  app.activity(name, {
    ...(usesClient || settings.mirror !== undefined ? { extraInputs: [extraInput.durableClient()] } : {}),
    handler: async (input: Input, invocation: InvocationContext): Promise<unknown> => {
      const services = provisioning(invocation);
      const log = services.log.scope({ run: input.runId, step: name });
      try {
        const step = await work({ ...services, log }, input, invocation);
        await refreshAfterRun(services, invocation, input.runId, step);
        return step;
      } catch (error) {
        // What an activity throws is stored in the durable history: errors of SDKs carry URLs with signatures.
        const { message } = safeError(error);
        log.log('warn', `will be retried: ${message}`);
        throw new Error(message);
      }
    },
  });
}
