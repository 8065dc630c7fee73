import type { OrchestrationContext, Task } from 'durable-functions';

import { call, sleep } from './activities.ts';
import { activityErrorText } from './activityErrorText.ts';
import { CANCEL_EVENT, childInstanceId, ORCHESTRATIONS } from './instanceIds.ts';

export interface RunInput {
  readonly runId: string;
}

/**
 * One provisioning run, from the dropped file to its report: options, check, job, settle.
 *
 * It decides only what comes next. What is known of the run lives in the run record, which activities write; the custom
 * status carries the phase and nothing else.
 */
export function* provisionRun(context: OrchestrationContext): Generator<Task, { state: string }, unknown> {
  const { runId } = context.df.getInput() as RunInput;
  try {
    return yield* steps(context, runId);
  } catch (error) {
    // Every expected failure came back as a value; this is what was left after all retries.
    return yield* call(context, 'failRun', { runId, message: activityErrorText(error) });
  }
}

function* steps(context: OrchestrationContext, runId: string): Generator<Task, { state: string }, unknown> {
  const ended = { state: 'ended' };

  context.df.setCustomStatus({ phase: 'options' });
  for (;;) {
    const options = yield* call(context, 'readOptions', { runId });
    if (options.status === 'ended') return ended;
    if (options.status === 'ready') break;
    yield* sleep(context, options.seconds);
  }

  context.df.setCustomStatus({ phase: 'check' });
  const checked = yield* call(context, 'checkFile', { runId });
  if (checked.next === 'ended') return ended;

  context.df.setCustomStatus({ phase: 'turn' });
  const started = (yield context.df.callSubOrchestrator(
    ORCHESTRATIONS.provisionJobStart,
    { runId, tries: 0 },
    childInstanceId(runId, 'start'),
  )) as { status: 'started' | 'ended' };
  if (started.status === 'ended') return ended;

  context.df.setCustomStatus({ phase: 'job' });
  const watch = context.df.callSubOrchestrator(
    ORCHESTRATIONS.provisionJobWatch,
    { runId, polls: 0, since: context.df.currentUtcDateTime.getTime() },
    childInstanceId(runId, 'watch'),
  );
  const cancelled = context.df.waitForExternalEvent(CANCEL_EVENT);
  const first = yield context.df.Task.any([watch, cancelled]);
  if (first === cancelled) {
    yield* call(context, 'cancelJob', { runId });
    // The hub decides when a cancelled job has ended; its lines are settled from what it then says.
    yield watch;
  }

  context.df.setCustomStatus({ phase: 'settle' });
  return yield* call(context, 'settleRun', { runId });
}
