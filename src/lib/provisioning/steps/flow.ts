/**
 * What follows what in a provisioning run: options, check, turn, pre-image, job, waves of calls, report. Pure: each entry of
 * `FLOW` turns the result of one activity into the next step.
 */

import type { AskReply, CallStep, Step, TurnStep } from '../../runs/step.ts';
import { startDelaySeconds, watchDelaySeconds } from '../../turns/delays.ts';
import type { TurnTicket } from '../../turns/turnQueue.ts';
import type { FollowUp } from '../again/aftermath.ts';
import { type Epoch, firstEpoch, nextEpoch } from '../run/epoch.ts';
import type { JobKind } from '../run/provisionRun.ts';
import type { AwaitTurnInput, AwaitTurnResult } from './awaitTurn.ts';

export interface RunStep {
  readonly runId: string;
  /** Which start of the run this is, from 1. */
  readonly attempt: number;
}

/** A step of one epoch of the pre-image; the work of an epoch that is over goes no further. */
export interface EpochStep {
  readonly runId: string;
  readonly epoch: Epoch;
  /** A dry run needs a turn for an export alone. */
  readonly isDry?: true;
}

export interface JobStep extends EpochStep {
  readonly kind: JobKind;
}

export interface StartStep extends JobStep {
  readonly tries: number;
}

/** `epoch`: of the pre-image that the export takes, or that the import was filled from. Default: the latest. */
export type OfJob = Pick<JobStep, 'runId' | 'kind'> & Partial<Pick<JobStep, 'epoch'>>;

export interface WatchStep extends JobStep {
  /** When watching began, and when the hub is to be asked next; ms since the epoch. */
  readonly since: number;
  readonly lookAt: number;
}

export interface Inputs {
  readonly readOptions: RunStep;
  readonly checkFile: RunStep;
  readonly awaitTurn: AwaitTurnInput & EpochStep;
  readonly takePreImage: EpochStep;
  readonly finishPreImage: EpochStep;
  readonly fillLines: EpochStep;
  readonly planRun: EpochStep;
  readonly startJob: StartStep;
  readonly watchJob: WatchStep;
  readonly followUp: EpochStep & { readonly finished?: string };
  readonly settleRun: EpochStep;
  readonly failRun: { readonly runId: string; readonly message: string };
}

export type StepName = keyof Inputs;

type Prepared = { readonly status: 'ready' | 'anew' | 'ended' };

export interface Results {
  readonly readOptions:
    | { readonly status: 'ready'; readonly hub: string; readonly ticket: TurnTicket }
    | { readonly status: 'wait'; readonly seconds: number }
    | { readonly status: 'ended' };
  readonly checkFile: { readonly next: 'job' | 'plan' | 'ended' };
  readonly awaitTurn: AwaitTurnResult;
  readonly takePreImage: Prepared | { readonly status: 'export' | 'wait' };
  readonly finishPreImage: Prepared | { readonly status: 'wait' };
  readonly fillLines: Prepared;
  readonly planRun: { readonly state: string };
  readonly startJob:
    | { readonly status: 'started' | 'anew' | 'ended' }
    | { readonly status: 'wait'; readonly seconds: number };
  readonly watchJob: {
    readonly ended: boolean;
    /** Percent of a job that goes on. */
    readonly progress?: number;
    /** Only the record was looked at: it is not time yet to ask the hub. */
    readonly isEarly?: true;
  };
  readonly followUp: FollowUp;
  readonly settleRun: { readonly state: string };
  readonly failRun: { readonly state: string };
}

export const FAIL_PROVISIONING = 'failRun' satisfies StepName;

export function beginProvisioning({ runId, attempt }: RunStep): Step {
  return call('readOptions', { runId, attempt });
}

/** Between two looks whether what cannot be told yet can be told now. */
const LOOK_AGAIN_SECONDS = 30;
/** Before what a hub in trouble did not answer is asked once more. */
const TROUBLE_SECONDS = 10;

const ENDED: Step = { do: 'ended', state: 'ended' };

/** @param now ms since the epoch */
export const FLOW: {
  readonly [Name in StepName]: (result: Results[Name], input: Inputs[Name], now: number) => Step | AskReply;
} = {
  readOptions(result, input) {
    switch (result.status) {
      case 'ended':
        return ENDED;
      case 'wait':
        return { do: 'wait', seconds: result.seconds, next: call('readOptions', input) };
      case 'ready':
        return { do: 'place', hub: result.hub, ticket: result.ticket, next: call('checkFile', input) };
    }
  },

  checkFile({ next }, { runId, attempt }) {
    const first: EpochStep = { runId, epoch: firstEpoch(attempt) };
    if (next === 'ended') return ENDED;
    return next === 'job' ? takeTurn(first) : call('takePreImage', { ...first, isDry: true });
  },

  awaitTurn(result, input, now) {
    if (result.status === 'wait') return { do: 'askAgain', ...result.next };
    // Ended, or cancelled after its import: nothing is sent any more, and the report needs no turn.
    if (input.hasSent) return call('followUp', epochOnly(input));
    return result.status === 'ended' ? ENDED : watch(input, 'import', now);
  },

  takePreImage({ status }, input) {
    if (status === 'ended') return ENDED;
    if (status === 'anew') return anew(input);
    if (status === 'export') return exportPreImage(input);
    if (status === 'wait') {
      const again = call('takePreImage', input);
      return { do: 'wait', seconds: TROUBLE_SECONDS, next: input.isDry ? again : keepTurn(again) };
    }
    return input.isDry ? call('planRun', input) : call('fillLines', input);
  },

  finishPreImage({ status }, input, now) {
    if (status === 'ended') return ENDED;
    if (status === 'anew') return anew(input);
    // Only a watch notes how the job stands.
    if (status === 'wait') return { do: 'wait', seconds: LOOK_AGAIN_SECONDS, next: watch(input, 'export', now) };
    return input.isDry ? { do: 'leave', next: call('planRun', input) } : call('fillLines', input);
  },

  fillLines({ status }, input) {
    if (status === 'ended') return ENDED;
    return status === 'anew' ? anew(input) : start(input, 'import');
  },

  planRun({ state }, input) {
    return state === 'anew' ? anew(input) : { do: 'ended', state };
  },

  startJob(result, input, now) {
    const { kind, tries } = input;
    switch (result.status) {
      case 'started':
        return watch(input, kind, now);
      case 'anew':
        return anew(input);
      case 'ended':
        return isLater(kind) ? goOn(input) : ENDED;
      case 'wait':
        return {
          do: 'wait',
          seconds: startDelaySeconds(tries, result.seconds),
          next: start(input, kind, tries + 1),
        };
    }
  },

  watchJob({ ended, progress, isEarly }, input, now) {
    if (ended) return afterWatch(input);
    if (isEarly) return waitForLook(input, now);
    return waitForLook({ ...input, lookAt: now + 1000 * watchDelaySeconds(now - input.since, progress) }, now);
  },

  followUp(next, epoch, now) {
    switch (next.do) {
      case 'ended':
        return ENDED;
      case 'notEnded':
        // Whoever watched the job was lost (it may have failed for long trouble with storage): it is watched again.
        return { do: 'wait', seconds: LOOK_AGAIN_SECONDS, next: watch(epoch, 'import', now) };
      case 'settle':
        return call('settleRun', epochOnly(epoch));
      case 'wait':
        return { do: 'wait', seconds: next.seconds, next: goOn(epoch) };
      case 'job':
        return start(epoch, next.kind);
      case 'work': {
        const { do: _do, wave, ...work } = next;
        return { do: 'lanes', runId: epoch.runId, work: { wave, ...work }, next: goOn(epoch, wave) };
      }
    }
  },

  settleRun({ state }, input, now) {
    if (state !== 'notEnded') return { do: 'ended', state };
    return { do: 'wait', seconds: LOOK_AGAIN_SECONDS, next: watch(input, 'import', now) };
  },

  failRun: ({ state }) => ({ do: 'ended', state }),
};

export const STEP_NAMES = Object.keys(FLOW) as readonly StepName[];

/**
 * What a run does that was suspended before an activity was called: the activity, once it is resumed. What it had prepared
 * while it had the turn is prepared anew, for others may have changed its devices meanwhile.
 */
export function resumedStep<Name extends StepName>(name: Name, input: Inputs[Name]): Step {
  switch (name) {
    case 'takePreImage':
    case 'finishPreImage':
    case 'fillLines':
      return anew(input as EpochStep);
    case 'startJob': {
      const job = input as StartStep;
      return isLater(job.kind) ? goOn(job) : anew(job);
    }
    case 'awaitTurn': {
      const waiting = input as Inputs['awaitTurn'];
      return waiting.hasSent ? goOn(waiting) : takeTurn(epochOnly(waiting));
    }
    case 'followUp':
    case 'settleRun':
      return goOn(input as EpochStep);
    default:
      return call(name, input);
  }
}

function call<Name extends StepName>(activity: Name, input: Inputs[Name]): CallStep {
  return { do: 'call', activity, input: { ...input } };
}

function keepTurn(step: CallStep): CallStep {
  return { ...step, keepTurn: true };
}

function epochOnly({ runId, epoch, isDry }: EpochStep): EpochStep {
  return isDry ? { runId, epoch, isDry } : { runId, epoch };
}

function turn(epoch: EpochStep, next: Step, hasSent?: true): TurnStep {
  const input = hasSent ? { ...epoch, hasSent } : { ...epoch };
  return { do: 'turn', next, ask: { activity: 'awaitTurn' satisfies StepName, input } };
}

function takeTurn(epoch: EpochStep): Step {
  return turn(epoch, call('takePreImage', epoch));
}

/** Whether it follows the import: no such job ends the run. */
function isLater(kind: JobKind): boolean {
  return kind !== 'export' && kind !== 'import';
}

/** The pre-image is taken anew, in an epoch of its own; but for a dry run, after the turn. */
function anew(before: EpochStep): Step {
  const epoch = { ...epochOnly(before), epoch: nextEpoch(before.epoch) };
  return epoch.isDry ? call('takePreImage', epoch) : takeTurn(epoch);
}

/** A dry run waits for its turn only here. */
function exportPreImage(epoch: EpochStep): Step {
  return epoch.isDry ? turn(epoch, call('startJob', { ...epoch, kind: 'export', tries: 0 })) : start(epoch, 'export');
}

/** Starts a job while the run has its turn; one that follows the import belongs to a turn that the run has had. */
function start(epoch: EpochStep, kind: JobKind, tries = 0): Step {
  const step = call('startJob', { ...epochOnly(epoch), kind, tries });
  if (isLater(kind)) return keepTurn(step);
  return { ...turn(epoch, step), lost: anew(epoch) };
}

function watch(epoch: EpochStep, kind: JobKind, now: number): Step {
  return waitForLook({ ...epochOnly(epoch), kind, since: now, lookAt: now + 1000 * watchDelaySeconds(0) }, now);
}

/** Each look keeps the turn. One that fails says nothing of the job, which goes on: the step after it finds that out. */
function waitForLook(input: WatchStep, now: number): Step {
  const look: Step = { ...keepTurn(call('watchJob', input)), failed: afterWatch(input) };
  return { do: 'wait', seconds: Math.max(0, input.lookAt - now) / 1000, next: look };
}

function afterWatch(input: JobStep): Step {
  return input.kind === 'export' ? call('finishPreImage', epochOnly(input)) : goOn(input);
}

/**
 * What follows the import; for that the run keeps its turn, or waits for it again if it was suspended or lost for so long
 * that others were let pass: what it still has to send must not come in between.
 */
function goOn(epoch: EpochStep, finished?: string): Step {
  const input = epochOnly(epoch);
  return turn(input, call('followUp', finished === undefined ? input : { ...input, finished }), true);
}
