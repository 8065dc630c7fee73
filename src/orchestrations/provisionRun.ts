import type { OrchestrationContext, Task } from 'durable-functions';
import type { JobKind } from '../lib/provisioning/runRecord.ts';
import { TURN_LIMITS, type TurnLimits } from '../lib/provisioning/turnQueue.ts';
import { call, sleep } from './activities.ts';
import { activityErrorText } from './activityErrorText.ts';
import { CANCEL_EVENT, childInstanceId, ORCHESTRATIONS } from './instanceIds.ts';
import type { AftermathInput, AftermathResult } from './provisionAftermath.ts';
import { type StartInput, untilOver, type WatchInput } from './provisionJob.ts';
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
 * One provisioning run, from the dropped file to its report: options, check, turn, pre-image, job, settle.
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

/**
 * All that is done while the run has the turn on its hub, from the pre-image to the report: what it reads there must be
 * what it then overwrites.
 */
function* work(context: OrchestrationContext, input: RunInput, place: TurnPlace): Generator<Task, RunResult, unknown> {
  const { runId } = input;
  const turn = yield* takeTurn(context, input, place);
  if (turn === 'ended') return ENDED;
  if (turn === 'granted') {
    if ((yield* preserve(context, input, place)) === 'ended') return ENDED;
    if ((yield* startJob(context, input, place, 'import')) === 'ended') return ENDED;
  }

  for (let rounds = 1; ; ) {
    context.df.setCustomStatus({ phase: 'job' });
    const watch = watchJob(context, runId, place, 'import');
    const cancelled = context.df.waitForExternalEvent(CANCEL_EVENT);
    const first = yield context.df.Task.any([watch, cancelled]);
    if (first === cancelled) {
      yield* call(context, 'cancelJob', { runId });
      // The hub decides when a cancelled job has ended; its lines are settled from what it then says.
      yield* untilOver(watch);
    }
    context.df.setCustomStatus({ phase: 'settle' });
    const settled = yield* finishRun(context, input, place, rounds++);
    if (settled.state !== 'notEnded') return settled;
    // The watch was lost (it may have failed for long trouble with storage), and the job goes on: watch it again.
    yield* sleep(context, 30);
  }
}

/** All that follows the job, to the report. */
function* finishRun(
  context: OrchestrationContext,
  { runId, attempt = 1 }: RunInput,
  place: TurnPlace,
  round: number,
): Generator<Task, AftermathResult, unknown> {
  const id = childInstanceId(runId, 'after', attempt);
  return (yield context.df.callSubOrchestrator(
    ORCHESTRATIONS.provisionAftermath,
    { runId, place } satisfies AftermathInput,
    round === 1 ? id : `${id}-again-${round}`,
  )) as AftermathResult;
}

/** `jobStarted`: the import was started long ago, by an orchestration that was lost; it needs no turn any more. */
function* takeTurn(
  context: OrchestrationContext,
  { runId, attempt = 1 }: RunInput,
  place: TurnPlace,
): Generator<Task, 'granted' | 'ended' | 'jobStarted', unknown> {
  context.df.setCustomStatus({ phase: 'turn' });
  const { status } = (yield context.df.callSubOrchestrator(
    ORCHESTRATIONS.provisionTurn,
    { runId, place, polls: 0 } satisfies TurnInput,
    childInstanceId(runId, 'turn', attempt),
  )) as { status: 'granted' | 'ended' | 'jobStarted' };
  return status;
}

/** Takes the pre-image, and fills in from it what lines leave out. */
function* preserve(
  context: OrchestrationContext,
  input: RunInput,
  place: TurnPlace,
): Generator<Task, 'ready' | 'ended', unknown> {
  const { runId } = input;
  context.df.setCustomStatus({ phase: 'preImage' });
  const preImage = yield* call(context, 'takePreImage', { runId });
  if (preImage.status === 'ended') return 'ended';
  if (preImage.status === 'export') {
    if ((yield* startJob(context, input, place, 'export')) === 'ended') return 'ended';
    context.df.setCustomStatus({ phase: 'preImage' });
    for (;;) {
      yield* untilOver(watchJob(context, runId, place, 'export'));
      const exported = yield* call(context, 'finishPreImage', { runId });
      if (exported.status === 'ended') return 'ended';
      if (exported.status === 'ready') break;
      yield* sleep(context, 30);
    }
  }
  return (yield* call(context, 'fillLines', { runId })).status;
}

/** Starts a job, and waits for the turn again whenever it was lost before that. */
function* startJob(
  context: OrchestrationContext,
  input: RunInput,
  place: TurnPlace,
  kind: 'export' | 'import',
): Generator<Task, 'started' | 'ended', unknown> {
  const { runId, attempt = 1 } = input;
  for (;;) {
    const start = (yield context.df.callSubOrchestrator(
      ORCHESTRATIONS.provisionJobStart,
      { runId, kind, place, tries: 0 } satisfies StartInput,
      childInstanceId(runId, `start-${kind}`, attempt),
    )) as { status: 'started' | 'ended' | 'turnLost' };
    if (start.status !== 'turnLost') return start.status;
    const turn = yield* takeTurn(context, input, place);
    if (turn === 'ended') return 'ended';
    if (turn === 'jobStarted') return 'started';
  }
}

function watchJob(context: OrchestrationContext, runId: string, place: TurnPlace, kind: JobKind): Task {
  const input: WatchInput = { runId, kind, place, polls: 0, since: context.df.currentUtcDateTime.getTime() };
  // No id of its own: the engine derives one from this very execution, so that a run that is started once more does not
  // meet a child of its earlier life.
  return context.df.callSubOrchestrator(ORCHESTRATIONS.provisionJobWatch, input);
}
