import type { InvocationContext } from '@azure/functions';
import { app, input as extraInput } from 'durable-functions';

import { runInstances } from '../hosting/runInstances.ts';
import type { ProvisioningContext } from '../lib/provisioning/run/provisionRun.ts';
import { awaitTurn } from '../lib/provisioning/steps/awaitTurn.ts';
import { cancelJob } from '../lib/provisioning/steps/cancelJob.ts';
import { checkFile } from '../lib/provisioning/steps/checkFile.ts';
import { failRun } from '../lib/provisioning/steps/failRun.ts';
import { fillLines } from '../lib/provisioning/steps/fillLines.ts';
import { finishPreImage } from '../lib/provisioning/steps/finishPreImage.ts';
import { nextRound } from '../lib/provisioning/steps/nextRound.ts';
import { planRun } from '../lib/provisioning/steps/planRun.ts';
import { readOptions } from '../lib/provisioning/steps/readOptions.ts';
import { settleRun } from '../lib/provisioning/steps/settleRun.ts';
import { startJob } from '../lib/provisioning/steps/startJob.ts';
import { takePreImage } from '../lib/provisioning/steps/takePreImage.ts';
import { watchJob } from '../lib/provisioning/steps/watchJob.ts';
import { workChunk } from '../lib/provisioning/steps/workChunk.ts';
import { safeError } from '../lib/redact.ts';
import { orFault } from '../lib/runs/faults.ts';
import type { Activities, ActivityName, Fault } from '../orchestrations/activities.ts';
import { provisioning } from '../services.ts';

type Steps = {
  readonly [Name in ActivityName]: (
    context: ProvisioningContext,
    input: Activities[Name]['input'],
    invocation: InvocationContext,
  ) => Promise<Activities[Name]['output']>;
};

const steps: Steps = {
  readOptions,
  checkFile,
  awaitTurn: (services, input, invocation) => awaitTurn(services, runInstances(invocation), input),
  takePreImage,
  finishPreImage,
  planRun,
  fillLines,
  startJob,
  watchJob,
  cancelJob,
  nextRound,
  workChunk,
  settleRun,
  failRun,
};

/** Activities that look at durable instances. */
const USE_CLIENT: ReadonlySet<ActivityName> = new Set<ActivityName>(['awaitTurn']);

for (const name of Object.keys(steps) as ActivityName[]) register(name);

function register<Name extends ActivityName>(name: Name): void {
  app.activity(name, {
    ...(USE_CLIENT.has(name) ? { extraInputs: [extraInput.durableClient()] } : {}),
    handler: async (
      input: Activities[Name]['input'],
      context: InvocationContext,
    ): Promise<Activities[Name]['output'] | Fault> => {
      const services = provisioning(context);
      const log = services.log.scope({ run: input.runId, step: name });
      try {
        return await orFault(() => steps[name]({ ...services, log }, input, context));
      } catch (error) {
        // What an activity throws is stored in the durable history: errors of SDKs carry URLs with signatures.
        const { message } = safeError(error);
        log.log('warn', `will be tried again: ${message}`);
        throw new Error(message);
      }
    },
  });
}
