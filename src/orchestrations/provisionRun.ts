import type { OrchestrationContext, Task } from 'durable-functions';

import { call, type JobKind, sleep } from './activities.ts';
import { activityErrorText } from './activityErrorText.ts';
import { CANCEL_EVENT, ORCHESTRATIONS } from './instanceIds.ts';
import type { StartInput, WatchInput } from './provisionJob.ts';

export interface RunInput {
  readonly runId: string;
}

/**
 * One provisioning run, from the dropped file to its report: options, check, pre-image, job, settle.
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

  context.df.setCustomStatus({ phase: 'preImage' });
  const preImage = yield* call(context, 'takePreImage', { runId });
  if (preImage.status === 'ended') return ended;
  if (preImage.status === 'export') {
    const exporting = yield* startJob(context, runId, 'export');
    if (exporting.status === 'ended') return ended;
    for (;;) {
      yield* untilOver(watchJob(context, runId, 'export'));
      const exported = yield* call(context, 'finishPreImage', { runId });
      if (exported.status === 'ended') return ended;
      if (exported.status === 'ready') break;
      yield* sleep(context, 30);
    }
  }
  if ((yield* call(context, 'fillLines', { runId })).status === 'ended') return ended;

  context.df.setCustomStatus({ phase: 'turn' });
  const started = yield* startJob(context, runId, 'import');
  if (started.status === 'ended') return ended;

  for (;;) {
    context.df.setCustomStatus({ phase: 'job' });
    const watch = watchJob(context, runId, 'import');
    const cancelled = context.df.waitForExternalEvent(CANCEL_EVENT);
    const first = yield context.df.Task.any([watch, cancelled]);
    if (first === cancelled) {
      yield* call(context, 'cancelJob', { runId });
      // The hub decides when a cancelled job has ended; its lines are settled from what it then says.
      yield* untilOver(watch);
    }
    context.df.setCustomStatus({ phase: 'settle' });
    const settled = yield* call(context, 'settleRun', { runId });
    if (settled.state !== 'notEnded') return settled;
    // The watch was lost (it may have failed for long trouble with storage), and the job goes on: watch it again.
    yield* sleep(context, 30);
  }
}

/** Waits for a task that may fail; its failure says nothing that the next step would not find out. */
function* untilOver(task: Task): Generator<Task, void, unknown> {
  try {
    yield task;
  } catch {
    // What counts is what the hub says of the job, and that is read next.
  }
}

function* startJob(
  context: OrchestrationContext,
  runId: string,
  kind: JobKind,
): Generator<Task, { status: 'started' | 'ended' }, unknown> {
  const input: StartInput = { runId, kind, tries: 0 };
  // No id of its own: the engine derives one from this very execution, so that a run that is started once more does not
  // meet a child of its earlier life.
  return (yield context.df.callSubOrchestrator(ORCHESTRATIONS.provisionJobStart, input)) as {
    status: 'started' | 'ended';
  };
}

function watchJob(context: OrchestrationContext, runId: string, kind: JobKind): Task {
  const input: WatchInput = { runId, kind, polls: 0, since: context.df.currentUtcDateTime.getTime() };
  return context.df.callSubOrchestrator(ORCHESTRATIONS.provisionJobWatch, input);
}
