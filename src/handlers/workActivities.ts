import type { InvocationContext } from '@azure/functions';

import { takeStepOfRun } from '../hosting/activities.ts';
import { runInstances } from '../hosting/runInstances.ts';
import { runStarter } from '../hosting/runStarter.ts';
import type { StepOfRun } from '../hosting/traceOfStep.ts';
import type { AskInput } from '../lib/runs/step.ts';
import type { StageInput } from '../lib/work/stage.ts';
import { askWorkTurn, failWork, takeStages } from '../lib/work/takeStage.ts';
import type { WorkContext } from '../lib/work/workRun.ts';
import { FAIL_WORK, WORK_STAGE, WORK_TURN } from '../lib/work/workSteps.ts';
import { kindsOfWork } from '../lib/workKinds.ts';
import { mirrorStore, working } from '../services.ts';

export function stageOfWork(input: StageInput, invocation: InvocationContext): Promise<unknown> {
  const step = { activity: WORK_STAGE, runId: input.runId, step: input.stage };
  return take(step, invocation, (services) => takeStages(services, kindsOfWork(mirrorStore), input));
}

export function turnOfWork(input: AskInput, invocation: InvocationContext): Promise<unknown> {
  const step = { activity: WORK_TURN, runId: input.runId, step: WORK_TURN };
  return take(step, invocation, (services) => askWorkTurn(services, input, () => runInstances(invocation)));
}

export function failureOfWork(
  input: { readonly runId: string; readonly message: string },
  invocation: InvocationContext,
): Promise<unknown> {
  const step = { activity: FAIL_WORK, runId: input.runId, step: FAIL_WORK };
  return take(step, invocation, (services) => failWork(services, input));
}

function take(
  step: StepOfRun,
  invocation: InvocationContext,
  work: (services: WorkContext) => Promise<unknown>,
): Promise<unknown> {
  return takeStepOfRun(working(invocation, runStarter(invocation)), invocation, step, work);
}
