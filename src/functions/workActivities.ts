import type { InvocationContext } from '@azure/functions';

import { registerStep } from '../hosting/activities.ts';
import { runInstances } from '../hosting/runInstances.ts';
import { runStarter } from '../hosting/runStarter.ts';
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
  registerStep<WorkContext, Input>({
    name,
    usesClient: true,
    services: (invocation) => working(invocation, runStarter(invocation)),
    work,
    step: (input) => String('stage' in input ? input.stage : name),
  });
}
