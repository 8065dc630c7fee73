import type { InvocationContext } from '@azure/functions';

import { registerStep } from '../hosting/activities.ts';
import { runInstances } from '../hosting/runInstances.ts';
import type { ProvisioningContext } from '../lib/provisioning/run/provisionRun.ts';
import type { Inputs, StepName } from '../lib/provisioning/steps/flow.ts';
import { STEP_NAMES, takeSteps } from '../lib/provisioning/steps/takeStep.ts';
import { type ChunkInput, workChunk } from '../lib/provisioning/steps/workChunk.ts';
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
  registerStep<ProvisioningContext, Input>({
    name,
    // The mirror is refreshed once a run has ended.
    usesClient: usesClient || settings.mirror !== undefined,
    services: provisioning,
    work,
  });
}
