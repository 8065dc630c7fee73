import type { OrchestrationContext, Task } from 'durable-functions';

import { call, type JobKind, sleep } from './activities.ts';

/** A loop starts over with a fresh history after this many turns: replay time grows with the length of a history. */
const TURNS_A_HISTORY = 50;

export interface StartInput {
  readonly runId: string;
  readonly kind: JobKind;
  readonly tries: number;
}

/** Tries to start a job of the run until it is started, or the run has ended. */
export function* provisionJobStart(
  context: OrchestrationContext,
): Generator<Task, { status: 'started' | 'ended' } | undefined, unknown> {
  const input = context.df.getInput() as StartInput;
  for (let turn = 0; turn < TURNS_A_HISTORY; turn++) {
    const result = yield* call(context, 'startJob', { runId: input.runId, kind: input.kind });
    if (result.status !== 'wait') return { status: result.status };
    yield* sleep(context, startDelaySeconds(input.tries + turn, result.seconds));
  }
  context.df.continueAsNew({ ...input, tries: input.tries + TURNS_A_HISTORY } satisfies StartInput);
  return undefined;
}

export interface WatchInput {
  readonly runId: string;
  readonly kind: JobKind;
  readonly polls: number;
  /** When watching began, ms since the epoch, in durable time. */
  readonly since: number;
}

/** Looks at a job of the run until it has ended, was lost sight of, or ran past its deadline. */
export function* provisionJobWatch(
  context: OrchestrationContext,
): Generator<Task, { ended: true } | undefined, unknown> {
  const input = context.df.getInput() as WatchInput;
  for (let turn = 0; turn < TURNS_A_HISTORY; turn++) {
    const polls = input.polls + turn;
    yield* sleep(context, watchDelaySeconds(polls, context.df.currentUtcDateTime.getTime() - input.since));
    const { ended } = yield* call(context, 'watchJob', { runId: input.runId, kind: input.kind });
    if (ended) return { ended: true };
  }
  context.df.continueAsNew({ ...input, polls: input.polls + TURNS_A_HISTORY } satisfies WatchInput);
  return undefined;
}

/** 2, 3, 4.5 … up to 30 s, and never less than what the activity asked for. */
export function startDelaySeconds(tries: number, atLeast: number): number {
  return Math.max(atLeast, Math.min(30, Math.round(2 * 1.5 ** Math.min(tries, 20))));
}

/** 2, 3, 4.5 … up to 60 s; after an hour up to 300 s. */
export function watchDelaySeconds(polls: number, elapsedMs: number): number {
  const most = elapsedMs > 60 * 60 * 1000 ? 300 : 60;
  return Math.min(most, Math.round(2 * 1.5 ** Math.min(polls, 30)));
}
