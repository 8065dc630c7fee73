import type { InvocationContext } from '@azure/functions';
import { app, input as extraInput } from 'durable-functions';

import { refreshAfterRun } from '../hosting/refreshAfterRun.ts';
import { runInstances } from '../hosting/runInstances.ts';
import { runStarter } from '../hosting/runStarter.ts';
import { safeError } from '../lib/redact.ts';
import type { AskInput } from '../lib/runs/step.ts';
import type { StageInput } from '../lib/work/stage.ts';
import { askWorkTurn, failWork, takeStages } from '../lib/work/takeStage.ts';
import type { WorkContext } from '../lib/work/workRun.ts';
import { FAIL_WORK, WORK_STAGE, WORK_TURN } from '../lib/work/workSteps.ts';
import { kindsOfWork } from '../lib/workKinds.ts';
import { mirrorStore, working } from '../services.ts';

register<StageInput>(WORK_STAGE, (context, input) => takeStages(context, kindsOfWork(mirrorStore), input));
register<AskInput>(WORK_TURN, (context, input, invocation) =>
  askWorkTurn(context, input, () => runInstances(invocation)),
);
register<{ readonly runId: string; readonly message: string }>(FAIL_WORK, failWork);

function register<Input extends { readonly runId: string }>(
  name: string,
  work: (context: WorkContext, input: Input, invocation: InvocationContext) => Promise<unknown>,
): void {
  app.activity(name, {
    extraInputs: [extraInput.durableClient()],
    handler: async (input: Input, invocation: InvocationContext): Promise<unknown> => {
      const services = working(invocation, runStarter(invocation));
      const log = services.log.scope({ run: input.runId, step: String('stage' in input ? input.stage : name) });
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
