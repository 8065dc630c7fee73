import type { OrchestrationContext, Task } from 'durable-functions';
import { type Epoch, epochOf } from '../lib/provisioning/run/epoch.ts';
import { TURN_LIMITS, type TurnLimits } from '../lib/turns/turnQueue.ts';
import { call, type NamedPlace, sleep } from './activities.ts';
import { activityErrorText } from './activityErrorText.ts';
import { CANCEL_EVENT, childInstanceId, ORCHESTRATIONS } from './instanceIds.ts';
import { TURNS_A_HISTORY } from './loops.ts';
import type { AftermathInput, AftermathResult } from './provisionAftermath.ts';
import { type StartInput, untilOver, type WatchInput } from './provisionJob.ts';
import type { TurnInput } from './provisionTurn.ts';
import { announceTurn, leaveTurn, type TurnPlace } from './turns.ts';

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
export function* provisionRun(context: OrchestrationContext): Generator<Task, RunResult | undefined, unknown> {
  const input = context.df.getInput() as RunInput;
  let place: TurnPlace | undefined;
  try {
    const found = yield* findOptions(context, input);
    if (found === 'ended') return ENDED;
    if (found === 'wait') {
      // A folder that does not come to rest. A cancel whose event is lost by this is in the record all the same.
      context.df.continueAsNew(input);
      return undefined;
    }
    place = placeOf(found, input);
    if (place !== undefined) announceTurn(context, place);
    context.df.setCustomStatus({ phase: 'check' });
    const checked = yield* call(context, 'checkFile', { runId: input.runId });
    if (checked.next === 'ended') return ENDED;
    place ??= yield* findPlace(context, input, checked);
    if (place === undefined) return ENDED;
    return yield* checked.next === 'plan' ? plan(context, input, place) : work(context, input, place);
  } catch (error) {
    // Every expected failure came back as a value; this is what was left after all retries.
    return yield* fail(context, input.runId, error);
  } finally {
    // However the run has ended.
    if (place !== undefined) leaveTurn(context, place);
  }
}

/**
 * Marks the run as failed. One that cannot be marked (its record is damaged, or storage is away) ends here all the same:
 * whether what a failed orchestration signals is delivered is not known, and it has to give up its turn. The sweep sees to
 * a record that is not final.
 */
function* fail(context: OrchestrationContext, runId: string, error: unknown): Generator<Task, RunResult, unknown> {
  try {
    return yield* call(context, 'failRun', { runId, message: activityErrorText(error) });
  } catch {
    return { state: 'failed' };
  }
}

/** Waits until the folder of the drop is quiet, and its options are read; `wait`: it goes on with a fresh history. */
function* findOptions(
  context: OrchestrationContext,
  { runId }: RunInput,
): Generator<Task, NamedPlace | 'ended' | 'wait', unknown> {
  context.df.setCustomStatus({ phase: 'options' });
  for (let turn = 0; turn < TURNS_A_HISTORY; turn++) {
    const options = yield* call(context, 'readOptions', { runId });
    if (options.status === 'ended') return 'ended';
    if (options.status === 'ready') return options;
    yield* sleep(context, options.seconds);
  }
  return 'wait';
}

function placeOf({ hub, ticket }: NamedPlace, { limits = TURN_LIMITS }: RunInput): TurnPlace | undefined {
  return hub === undefined || ticket === undefined ? undefined : { hub, ticket, limits };
}

/**
 * The place of a run that an earlier version began: its options are in the history without one. Either its check is there,
 * too, and names it; or it is asked for once more, which the history knows nothing of yet.
 *
 * @returns undefined when the run has ended
 */
function* findPlace(
  context: OrchestrationContext,
  input: RunInput,
  checked: NamedPlace,
): Generator<Task, TurnPlace | undefined, unknown> {
  const named = placeOf(checked, input);
  if (named !== undefined) return named;
  const options = yield* call(context, 'readOptions', { runId: input.runId });
  return options.status === 'ready' ? placeOf(options, input) : undefined;
}

/**
 * A dry run: reads what is there, and reports what would happen. What is read one by one needs no turn; an export does,
 * and the turn is given up as soon as that has ended.
 */
function* plan(context: OrchestrationContext, input: RunInput, place: TurnPlace): Generator<Task, RunResult, unknown> {
  const { runId } = input;
  for (let number = 1; ; number++) {
    const epoch = epochOf(input.attempt ?? 1, number);
    context.df.setCustomStatus({ phase: 'preImage' });
    const { status } = yield* call(context, 'takePreImage', { runId, epoch });
    if (status === 'ended') return ENDED;
    if (status === 'anew') continue;
    if (status === 'export') {
      if ((yield* takeTurn(context, input, place)) === 'ended') return ENDED;
      const exported = yield* exportPreImage(context, input, place, epoch);
      if (exported === 'ended') return ENDED;
      if (exported === 'turnLost' || exported === 'anew') continue;
      leaveTurn(context, place);
    }
    context.df.setCustomStatus({ phase: 'report' });
    const planned = yield* call(context, 'planRun', { runId, epoch });
    if (planned.state !== 'anew') return planned;
  }
}

/**
 * All that is done while the run has the turn on its hub, from the pre-image to the report: what it reads there must be
 * what it then overwrites.
 */
function* work(context: OrchestrationContext, input: RunInput, place: TurnPlace): Generator<Task, RunResult, unknown> {
  const { runId } = input;
  const started = yield* sendImport(context, input, place);
  if (started === 'ended') return ENDED;
  const { epoch } = started;

  for (let pass = 1; ; ) {
    context.df.setCustomStatus({ phase: 'job' });
    const watch = watchJob(context, { runId, place, kind: 'import', epoch });
    const cancelled = context.df.waitForExternalEvent(CANCEL_EVENT);
    const first = yield context.df.Task.any([watch, cancelled]);
    if (first === cancelled) {
      yield* call(context, 'cancelJob', { runId });
      // The hub decides when a cancelled job has ended; its lines are settled from what it then says.
      yield* untilOver(watch);
    }
    context.df.setCustomStatus({ phase: 'settle' });
    const settled = yield* finishRun(context, input, place, pass++);
    if (settled.state !== 'notEnded') return settled;
    // The watch was lost (it may have failed for long trouble with storage), and the job goes on: watch it again.
    yield* sleep(context, 30);
  }
}

/**
 * Waits for the turn, takes the pre-image and starts the import. A run that has lost its turn before that begins again:
 * others may have changed its devices meanwhile, and what was filled in from the pre-image would undo that. So does one
 * that has lost what it had prepared.
 */
function* sendImport(
  context: OrchestrationContext,
  input: RunInput,
  place: TurnPlace,
): Generator<Task, { readonly epoch: Epoch } | 'ended', unknown> {
  for (let number = 1; ; number++) {
    const epoch = epochOf(input.attempt ?? 1, number);
    const turn = yield* takeTurn(context, input, place);
    if (turn === 'ended') return 'ended';
    if (turn === 'jobStarted') return { epoch };
    const preserved = yield* preserve(context, input, place, epoch);
    if (preserved === 'ended') return 'ended';
    if (preserved === 'turnLost' || preserved === 'anew') continue;
    const started = yield* startJob(context, input, { place, kind: 'import', epoch });
    if (started === 'ended') return 'ended';
    if (started === 'started') return { epoch };
  }
}

/** All that follows the job, to the report. */
function* finishRun(
  context: OrchestrationContext,
  { runId, attempt = 1 }: RunInput,
  place: TurnPlace,
  pass: number,
): Generator<Task, AftermathResult, unknown> {
  const id = childInstanceId(runId, 'after', attempt);
  return (yield context.df.callSubOrchestrator(
    ORCHESTRATIONS.provisionAftermath,
    { runId, place } satisfies AftermathInput,
    pass === 1 ? id : `${id}-again-${pass}`,
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
    { runId, place } satisfies TurnInput,
    childInstanceId(runId, 'turn', attempt),
  )) as { status: 'granted' | 'ended' | 'jobStarted' };
  return status;
}

/** Takes the pre-image, stops a file that deletes much unconfirmed, and fills in what lines leave out. */
function* preserve(
  context: OrchestrationContext,
  input: RunInput,
  place: TurnPlace,
  epoch: Epoch,
): Generator<Task, 'ready' | 'anew' | 'ended' | 'turnLost', unknown> {
  const { runId } = input;
  context.df.setCustomStatus({ phase: 'preImage' });
  const preImage = yield* call(context, 'takePreImage', { runId, epoch });
  if (preImage.status === 'ended' || preImage.status === 'anew') return preImage.status;
  if (preImage.status === 'export') {
    const exported = yield* exportPreImage(context, input, place, epoch);
    if (exported !== 'ready') return exported;
  }
  return (yield* call(context, 'fillLines', { runId, epoch })).status;
}

/** Has the hub export what is there; the run has its turn. */
function* exportPreImage(
  context: OrchestrationContext,
  input: RunInput,
  place: TurnPlace,
  epoch: Epoch,
): Generator<Task, 'ready' | 'anew' | 'ended' | 'turnLost', unknown> {
  const { runId } = input;
  const started = yield* startJob(context, input, { place, kind: 'export', epoch });
  if (started !== 'started') return started;
  context.df.setCustomStatus({ phase: 'preImage' });
  for (;;) {
    yield* untilOver(watchJob(context, { runId, place, kind: 'export', epoch }));
    const exported = yield* call(context, 'finishPreImage', { runId, epoch });
    if (exported.status !== 'wait') return exported.status;
    yield* sleep(context, 30);
  }
}

/** Starts a job while the run has its turn. */
function* startJob(
  context: OrchestrationContext,
  { runId, attempt = 1 }: RunInput,
  job: { readonly kind: 'export' | 'import'; readonly epoch: Epoch; readonly place: TurnPlace },
): Generator<Task, 'started' | 'anew' | 'ended' | 'turnLost', unknown> {
  const { status } = (yield context.df.callSubOrchestrator(
    ORCHESTRATIONS.provisionJobStart,
    { runId, ...job, tries: 0 } satisfies StartInput,
    childInstanceId(runId, `start-${job.kind}`, attempt),
  )) as { status: 'started' | 'anew' | 'ended' | 'turnLost' };
  return status;
}

function watchJob(context: OrchestrationContext, job: Pick<WatchInput, 'runId' | 'kind' | 'epoch' | 'place'>): Task {
  const input: WatchInput = { ...job, since: context.df.currentUtcDateTime.getTime() };
  // No id of its own: the engine derives one from this very execution, so that a run that is started once more does not
  // meet a child of its earlier life.
  return context.df.callSubOrchestrator(ORCHESTRATIONS.provisionJobWatch, input);
}
