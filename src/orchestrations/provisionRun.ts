import type { OrchestrationContext, Task } from 'durable-functions';

import { TURN_LIMITS, type TurnLimits } from '../lib/provisioning/turnQueue.ts';
import { call, sleep } from './activities.ts';
import { activityErrorText } from './activityErrorText.ts';
import { CANCEL_EVENT, childInstanceId, ORCHESTRATIONS } from './instanceIds.ts';
import type { StartInput, WatchInput } from './provisionJob.ts';
import type { TurnInput } from './provisionTurn.ts';
import { leaveTurn, type TurnPlace } from './turns.ts';

export interface RunInput {
  readonly runId: string;
  /** Which start of the run this is. Default 1. */
  readonly attempt?: number;
  /** When others in the queue count as silent. Default `TURN_LIMITS`; shorter ones are for trying things out. */
  readonly limits?: TurnLimits;
}

interface RunResult {
  readonly state: string;
}

const ENDED: RunResult = { state: 'ended' };

/**
 * One provisioning run, from the dropped file to its report: options, check, turn, job, settle.
 *
 * It decides only what comes next. What is known of the run lives in the run record, which activities write; the custom
 * status carries the phase and nothing else.
 */
export function* provisionRun(context: OrchestrationContext): Generator<Task, RunResult, unknown> {
  const input = context.df.getInput() as RunInput;
  let place: TurnPlace | undefined;
  try {
    place = yield* prepare(context, input);
    return place === undefined ? ENDED : yield* work(context, input, place);
  } catch (error) {
    // Every expected failure came back as a value; this is what was left after all retries.
    return yield* call(context, 'failRun', { runId: input.runId, message: activityErrorText(error) });
  } finally {
    // However the run has ended.
    if (place !== undefined) leaveTurn(context, place);
  }
}

/** All that needs no hub; undefined when the run has ended with it. */
function* prepare(
  context: OrchestrationContext,
  { runId, limits = TURN_LIMITS }: RunInput,
): Generator<Task, TurnPlace | undefined, unknown> {
  context.df.setCustomStatus({ phase: 'options' });
  for (;;) {
    const options = yield* call(context, 'readOptions', { runId });
    if (options.status === 'ended') return undefined;
    if (options.status === 'ready') break;
    yield* sleep(context, options.seconds);
  }

  context.df.setCustomStatus({ phase: 'check' });
  const checked = yield* call(context, 'checkFile', { runId });
  return checked.next === 'ended' ? undefined : { hub: checked.hub, ticket: checked.ticket, limits };
}

/** All that is done while the run has the turn on its hub. */
function* work(
  context: OrchestrationContext,
  { runId, attempt = 1 }: RunInput,
  place: TurnPlace,
): Generator<Task, RunResult, unknown> {
  context.df.setCustomStatus({ phase: 'turn' });
  for (;;) {
    const turn = (yield context.df.callSubOrchestrator(
      ORCHESTRATIONS.provisionTurn,
      { runId, place, polls: 0 } satisfies TurnInput,
      childInstanceId(runId, 'turn', attempt),
    )) as { status: 'granted' | 'ended' | 'jobStarted' };
    if (turn.status === 'ended') return ENDED;
    if (turn.status === 'jobStarted') break;

    const start = (yield context.df.callSubOrchestrator(
      ORCHESTRATIONS.provisionJobStart,
      { runId, place, tries: 0 } satisfies StartInput,
      childInstanceId(runId, 'start', attempt),
    )) as { status: 'started' | 'ended' | 'turnLost' };
    if (start.status === 'ended') return ENDED;
    if (start.status === 'started') break;
  }

  context.df.setCustomStatus({ phase: 'job' });
  const watch = context.df.callSubOrchestrator(
    ORCHESTRATIONS.provisionJobWatch,
    { runId, place, polls: 0, since: context.df.currentUtcDateTime.getTime() } satisfies WatchInput,
    childInstanceId(runId, 'watch', attempt),
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
