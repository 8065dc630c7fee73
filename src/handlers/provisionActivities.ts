import type { InvocationContext } from '@azure/functions';

import { takeStepOfRun } from '../hosting/activities.ts';
import { runInstances } from '../hosting/runInstances.ts';
import type { Inputs, StepName } from '../lib/provisioning/steps/flow.ts';
import { takeSteps } from '../lib/provisioning/steps/takeStep.ts';
import { type ChunkInput, workChunk } from '../lib/provisioning/steps/workChunk.ts';
import { orFault } from '../lib/runs/faults.ts';
import { provisioning } from '../services.ts';

const WORK_CHUNK = 'workChunk';

export function provisionStep<Name extends StepName>(
  step: Name,
  input: Inputs[Name],
  invocation: InvocationContext,
): Promise<unknown> {
  const { runId } = input;
  return takeStepOfRun(provisioning(invocation), invocation, { activity: step, runId, step }, (services) =>
    takeSteps(services, step, input, () => runInstances(invocation)),
  );
}

export function chunkStep(input: ChunkInput, invocation: InvocationContext): Promise<unknown> {
  const { runId } = input;
  return takeStepOfRun(
    provisioning(invocation),
    invocation,
    { activity: WORK_CHUNK, runId, step: WORK_CHUNK },
    (services) => orFault(() => workChunk(services, input)),
  );
}
