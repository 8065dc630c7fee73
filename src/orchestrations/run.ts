/**
 * The one orchestration of all long work: it carries out one step after another, as the activities of the run say.
 *
 * The record of the run is the truth: whether it is cancelled or suspended is read there, by every activity. Events only
 * wake, so losing one costs at most `LONGEST_WAIT_SECONDS`, or the few minutes after which a suspended run looks.
 */

import type { OrchestrationContext, Task } from 'durable-functions';
import { defined } from '../lib/defined.ts';
import { beginProvisioning, FAIL_PROVISIONING } from '../lib/provisioning/steps/flow.ts';
import type { RunKind } from '../lib/runs/runRecord.ts';
import { type AskInput, type AskReply, LONGEST_WAIT_SECONDS, type Step, type TurnStep } from '../lib/runs/step.ts';
import { TURN_LIMITS, type TurnLimits } from '../lib/turns/turnQueue.ts';
import { beginWork, FAIL_WORK } from '../lib/work/workSteps.ts';
import { callActivity, sleep } from './activities.ts';
import { activityErrorText } from './activityErrorText.ts';
import { takeItems } from './budgets.ts';
import { WAKE_EVENT } from './instanceIds.ts';
import { workLanes } from './lane.ts';
import { announceTurn, evictFromTurn, leaveTurn, pollTurn, type TurnPlace } from './turns.ts';

export interface RunInput {
  readonly runId: string;
  /** Default `provision`. */
  readonly kind?: RunKind;
  /** Which start of the run this is. Default 1. */
  readonly attempt?: number;
  /** When others in the queue count as silent. Default `TURN_LIMITS`; shorter ones are for trying things out. */
  readonly limits?: TurnLimits;
  /** Of a run that goes on with a fresh history: what is next, and its place in the queue of its hub. */
  readonly step?: Step;
  readonly place?: TurnPlace;
}

export interface RunResult {
  readonly state: string;
}

const WORK = { begin: beginWork, fail: FAIL_WORK } as const;

/** What a kind of run begins with, and the activity that marks it as failed. */
const KINDS: Readonly<
  Record<RunKind, { begin(run: { readonly runId: string; readonly attempt: number }): Step; readonly fail: string }>
> = {
  provision: { begin: beginProvisioning, fail: FAIL_PROVISIONING },
  backup: WORK,
  verify: WORK,
  plan: WORK,
  restore: WORK,
  undo: WORK,
  deleteAll: WORK,
  drill: WORK,
  reconcile: WORK,
};

/** The history starts over after this many steps: replay time grows with its length. */
export const STEPS_A_HISTORY = 50;

/** What the loop holds on to between its steps. */
interface Held {
  place?: TurnPlace | undefined;
  /** Waits for an event to wake that have not been told of one, or whose event is still to be heeded. */
  wakes: readonly Task[];
  /** An event that the history before this one had is lost: until the first wait is over. */
  mayHaveLostOne: boolean;
}

export function* run(context: OrchestrationContext): Generator<Task, RunResult | undefined, unknown> {
  const input = context.df.getInput() as RunInput;
  const { runId, kind = 'provision', attempt = 1, place } = input;
  const held: Held = { place, wakes: [], mayHaveLostOne: input.step !== undefined };
  const { begin, fail: failing } = KINDS[kind];
  let step = input.step ?? begin({ runId, attempt });
  let result: RunResult;
  try {
    for (let steps = 0; step.do !== 'ended'; steps++) {
      // Here no child is open, and an event that is lost has only meant to wake.
      if (steps === STEPS_A_HISTORY) {
        const placed = defined({ place: held.place });
        context.df.continueAsNew({ ...input, ...placed, step } satisfies RunInput);
        return undefined;
      }
      step = yield* take(context, held, input, step);
    }
    result = { state: step.state };
  } catch (error) {
    // Every expected failure came back as a value; this is what was left after all retries.
    result = yield* fail(context, failing, runId, error);
  }
  leave(context, held);
  return result;
}

/** Carries out one step. */
function* take(
  context: OrchestrationContext,
  held: Held,
  { limits = TURN_LIMITS }: RunInput,
  step: Exclude<Step, { readonly do: 'ended' }>,
): Generator<Task, Step, unknown> {
  switch (step.do) {
    case 'call':
      context.df.setCustomStatus({ step: step.activity });
      try {
        if (step.keepTurn) yield* pollTurn(context, placeOf(held));
        return yield* callForStep(context, step.activity, step.input);
      } catch (error) {
        if (step.failed === undefined) throw error;
        return step.failed;
      }
    case 'wait':
      yield* waitOrWake(context, held, Math.min(step.seconds, LONGEST_WAIT_SECONDS));
      return step.next;
    case 'suspended':
      if (step.leave) leave(context, held);
      yield* waitOrWake(context, held, step.seconds);
      return step.next;
    case 'place':
      held.place = { hub: step.hub, ticket: step.ticket, limits };
      announceTurn(context, held.place);
      return step.next;
    case 'turn':
      return yield* askForTurn(context, placeOf(held), step);
    case 'leave':
      leave(context, held);
      return step.next;
    case 'pace':
      return yield* takeFromBudget(context, held, step);
    case 'lanes':
      yield* workLanes(context, { runId: step.runId, place: placeOf(held), work: step.work });
      return step.next;
    default: {
      const never: never = step;
      throw new Error(`unknown step ${JSON.stringify(never)}`);
    }
  }
}

function* takeFromBudget(
  context: OrchestrationContext,
  held: Held,
  { items, itemsPerMinute, next }: Extract<Step, { readonly do: 'pace' }>,
): Generator<Task, Step, unknown> {
  const { hub } = placeOf(held);
  const taken = yield* takeItems(context, hub, { items, itemsPerMinute });
  if (taken.granted) return { ...next, input: { ...next.input, granted: items, spreadMs: taken.spreadMs } };
  yield* waitOrWake(context, held, Math.min(taken.waitMs / 1000, LONGEST_WAIT_SECONDS));
  return { ...next, input: { ...next.input, granted: 0, spreadMs: 0 } };
}

function placeOf({ place }: Held): TurnPlace {
  if (place === undefined) throw new Error('The run asks for a turn before its hub is known.');
  return place;
}

function leave(context: OrchestrationContext, { place }: Held): void {
  if (place !== undefined) leaveTurn(context, place);
}

function* callForStep(context: OrchestrationContext, activity: string, input: unknown): Generator<Task, Step, unknown> {
  const step = yield* callActivity(context, activity, input);
  if (isStep(step)) return step;
  throw new Error(`The activity ${activity} returned no step.`);
}

function isStep(value: unknown): value is Step {
  return typeof value === 'object' && value !== null && 'do' in value;
}

/** One question for the turn, and what follows from the answer. */
function* askForTurn(context: OrchestrationContext, place: TurnPlace, step: TurnStep): Generator<Task, Step, unknown> {
  const reply = yield* pollTurn(context, place);
  if (reply.granted) return step.next;
  if (step.lost !== undefined) return step.lost;
  const { position, silentHolder, graceLeftMs = 2_000 } = reply;
  if (position === 0) {
    // First in order, and the turn is free: a moment for those that were dropped together with this one.
    yield* sleep(context, Math.max(100, graceLeftMs) / 1000);
    return step;
  }
  const { activity, input } = step.ask;
  const asked = (yield* callActivity(context, activity, {
    ...input,
    position,
    silentHolder,
    standing: step.standing,
  } satisfies AskInput)) as AskReply;
  if (asked.do !== 'askAgain') return asked;
  const next = { ...step, standing: asked.standing };
  if (asked.evict === undefined) return { do: 'wait', seconds: asked.seconds, next };
  // The next question follows at once: the turn may be free now.
  yield* evictFromTurn(context, place, asked.evict);
  return next;
}

/**
 * Waits for `seconds` of durable time, or until somebody wakes the run.
 *
 * Each time with a wait of its own: the library and the extension tell the latest of an event, so one that has timed out
 * stays, to be told of what comes while an activity is at work. One wait that was used over and over would be told of
 * several events, and all but the first would be lost.
 */
function* waitOrWake(context: OrchestrationContext, held: Held, seconds: number): Generator<Task, void, unknown> {
  const longest = held.mayHaveLostOne ? LONGEST_WAIT_SECONDS : seconds;
  held.mayHaveLostOne = false;
  const waiting = held.wakes.filter((wake) => !wake.isCompleted);
  // It came while an activity was at work, which may have read the record before.
  if (waiting.length < held.wakes.length) {
    held.wakes = waiting;
    return;
  }
  const wake = context.df.waitForExternalEvent(WAKE_EVENT);
  const until = context.df.currentUtcDateTime.getTime() + Math.min(seconds, longest) * 1000;
  const timer = context.df.createTimer(new Date(until));
  if ((yield context.df.Task.any([timer, wake])) === wake) {
    // A timer that is not cancelled keeps the instance running.
    timer.cancel();
  } else {
    held.wakes = [...waiting, wake];
  }
}

/**
 * Marks the run as failed. One that cannot be marked (its record is damaged, or storage is away) ends here all the same:
 * whether what a failed orchestration signals is delivered is not known, and it has to give up its turn. The sweep sees to
 * a record that is not final.
 */
function* fail(
  context: OrchestrationContext,
  activity: string,
  runId: string,
  error: unknown,
): Generator<Task, RunResult, unknown> {
  try {
    const step = yield* callForStep(context, activity, { runId, message: activityErrorText(error) });
    return { state: step.do === 'ended' ? step.state : 'failed' };
  } catch {
    return { state: 'failed' };
  }
}
