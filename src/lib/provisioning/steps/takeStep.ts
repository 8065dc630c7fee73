/** Every activity of a provisioning run: it reads whether the run is suspended, does its work, and says what is next. */

import type { RunInstances } from '../../hubJobs/askAgain.ts';
import { type Fault, orFault } from '../../runs/faults.ts';
import { isFinal, isSuspended } from '../../runs/runRecord.ts';
import type { AskReply, Step } from '../../runs/step.ts';
import { takeChain } from '../../runs/stepChain.ts';
import { span } from '../../telemetry/telemetry.ts';
import { suspendedDelaySeconds } from '../../turns/delays.ts';
import type { ProvisioningContext } from '../run/provisionRun.ts';
import { awaitTurn } from './awaitTurn.ts';
import { checkFile } from './checkFile.ts';
import { failRun } from './failRun.ts';
import { fillLines } from './fillLines.ts';
import { finishPreImage } from './finishPreImage.ts';
import { FLOW, type Inputs, type Results, resumedStep, type StepName } from './flow.ts';
import { followUp } from './followUp.ts';
import { planRun } from './planRun.ts';
import { readOptions } from './readOptions.ts';
import { settleRun } from './settleRun.ts';
import { startJob } from './startJob.ts';
import { takePreImage } from './takePreImage.ts';
import { watchJob } from './watchJob.ts';

type Work = {
  readonly [Name in StepName]: (
    context: ProvisioningContext,
    input: Inputs[Name],
    instances: () => RunInstances,
  ) => Promise<Results[Name]>;
};

const WORK: Work = {
  readOptions,
  checkFile,
  awaitTurn: (context, input, instances) => awaitTurn(context, instances(), input),
  takePreImage,
  finishPreImage,
  fillLines,
  planRun,
  startJob,
  watchJob,
  followUp,
  settleRun,
  failRun,
};

/** The input of a step that was held back while its run was suspended. */
type Held<Input> = Input & { readonly wasSuspended?: true };

/** @returns what is next; `fault` when a retry cannot help */
export async function takeStep<Name extends StepName>(
  context: ProvisioningContext,
  name: Name,
  input: Held<Inputs[Name]>,
  instances: () => RunInstances,
): Promise<AskReply | Fault> {
  const { wasSuspended = false, ...rest } = input;
  // What is left of it is the input of the step.
  const asked = rest as unknown as Inputs[Name];
  return orFault(() =>
    span(`step ${name}`, {}, async () => {
      const held = await whileSuspended(context, name, asked);
      if (held !== undefined) return held;
      if (wasSuspended) return resumedStep(name, asked);
      return FLOW[name](await WORK[name](context, asked, instances), asked, context.now().getTime());
    }),
  );
}

/** Takes a step, and those that follow at once. */
export function takeSteps<Name extends StepName>(
  context: ProvisioningContext,
  name: Name,
  input: Held<Inputs[Name]>,
  instances: () => RunInstances,
): Promise<AskReply | Fault> {
  return takeChain(
    context,
    () => takeStep(context, name, input, instances),
    ({ activity, input: next }) =>
      takeStep(context, activity as StepName, next as unknown as Inputs[StepName], instances),
  );
}

/** A job that is under way is watched on while its run is suspended; and whatever failed, failed. */
const GOES_ON: ReadonlySet<StepName> = new Set<StepName>(['watchJob', 'failRun']);

const SHORTEST_LOOK_SECONDS = 30;

/**
 * What a suspended run does instead of its next step: it waits, without its turn if no job of it is under way. One that
 * was cancelled goes on, to its end.
 *
 * @returns undefined for a run that goes on
 */
async function whileSuspended<Name extends StepName>(
  context: ProvisioningContext,
  name: Name,
  input: Inputs[Name],
): Promise<Step | undefined> {
  if (GOES_ON.has(name)) return undefined;
  const record = await context.runs.read(input.runId);
  if (record === undefined || isFinal(record.state) || !isSuspended(record)) return undefined;
  return {
    do: 'suspended',
    seconds: suspendedDelaySeconds(context.now().getTime() - Date.parse(record.suspendedAt), SHORTEST_LOOK_SECONDS),
    leave: await context.isIdle(record),
    next: { do: 'call', activity: name, input: { ...input, wasSuspended: true } },
  };
}
