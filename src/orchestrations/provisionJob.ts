import type { OrchestrationContext, Task } from 'durable-functions';

import type { Epoch } from '../lib/provisioning/run/epoch.ts';
import type { JobKind } from '../lib/provisioning/run/provisionRun.ts';
import { call, sleep } from './activities.ts';
import { ORCHESTRATIONS } from './instanceIds.ts';
import { growingDelaySeconds, TURNS_A_HISTORY } from './loops.ts';
import { pollTurn, type TurnPlace } from './turns.ts';

export interface StartInput {
  readonly runId: string;
  readonly kind: JobKind;
  /** Of the pre-image: only for the export that takes it, and for the import. */
  readonly epoch?: Epoch;
  readonly place: TurnPlace;
  readonly tries: number;
}

/**
 * Tries to start a job of the run until it is started, or the run has ended; and holds the turn meanwhile.
 *
 * `turnLost`: the run was suspended or silent for so long that others were let pass; it has to wait for its turn again.
 * `anew`: something that it had prepared is gone, and nothing was sent; it has to be prepared again.
 */
export function* provisionJobStart(
  context: OrchestrationContext,
): Generator<Task, { status: 'started' | 'anew' | 'ended' | 'turnLost' } | undefined, unknown> {
  const input = context.df.getInput() as StartInput;
  const { runId, kind, epoch, place } = input;
  for (let turn = 0; turn < TURNS_A_HISTORY; turn++) {
    const { granted } = yield* pollTurn(context, place);
    // What follows the import belongs to a turn that the run has had: it is not waited for again.
    if (!granted && (kind === 'export' || kind === 'import')) return { status: 'turnLost' };
    const result = yield* call(context, 'startJob', { runId, kind, ...(epoch === undefined ? {} : { epoch }) });
    if (result.status !== 'wait') return { status: result.status };
    yield* sleep(context, startDelaySeconds(input.tries + turn, result.seconds));
  }
  context.df.continueAsNew({ ...input, tries: input.tries + TURNS_A_HISTORY } satisfies StartInput);
  return undefined;
}

/** Starts a job that follows the import, and watches it to its end; without effect if it cannot be started. */
export function* doJob(
  context: OrchestrationContext,
  { runId, place, kind }: Omit<StartInput, 'tries'>,
): Generator<Task, void, unknown> {
  // Without ids of their own: the engine derives them from this very execution.
  const start = (yield context.df.callSubOrchestrator(ORCHESTRATIONS.provisionJobStart, {
    runId,
    kind,
    place,
    tries: 0,
  } satisfies StartInput)) as { status: string };
  if (start.status === 'started') {
    yield* untilOver(
      context.df.callSubOrchestrator(ORCHESTRATIONS.provisionJobWatch, {
        runId,
        kind,
        place,
        since: context.df.currentUtcDateTime.getTime(),
      } satisfies WatchInput),
    );
  }
}

/** Waits for a task that may fail; its failure says nothing that the next step would not find out. */
export function* untilOver(task: Task): Generator<Task, void, unknown> {
  try {
    yield task;
  } catch {
    // What counts is what the hub says of the job, and that is read next.
  }
}

export interface WatchInput {
  readonly runId: string;
  readonly kind: JobKind;
  /** Of the pre-image: only for the export that takes it, and for the import. */
  readonly epoch?: Epoch;
  readonly place: TurnPlace;
  /** When watching began, ms since the epoch, in durable time. */
  readonly since: number;
}

/**
 * Looks at a job of the run until it has ended, was lost sight of, or ran past its deadline.
 *
 * Each look keeps the turn: the longest pause between two is half of what makes a holder silent. The answer does not
 * matter, for the job runs already.
 */
export function* provisionJobWatch(
  context: OrchestrationContext,
): Generator<Task, { ended: true } | undefined, unknown> {
  const input = context.df.getInput() as WatchInput;
  const { runId, kind, epoch } = input;
  let progress: number | undefined;
  for (let turn = 0; turn < TURNS_A_HISTORY; turn++) {
    yield* sleep(context, watchDelaySeconds(context.df.currentUtcDateTime.getTime() - input.since, progress));
    yield* pollTurn(context, input.place);
    const seen = yield* call(context, 'watchJob', { runId, kind, ...(epoch === undefined ? {} : { epoch }) });
    if (seen.ended) return { ended: true };
    progress = seen.progress;
  }
  context.df.continueAsNew(input);
  return undefined;
}

/** 2, 3, 4.5 … up to 30 s, and never less than what the activity asked for. */
export function startDelaySeconds(tries: number, atLeast: number): number {
  return Math.max(atLeast, growingDelaySeconds(tries, 30));
}

/**
 * Until the next look at a job that has been watched for `elapsedMs`: 1 s at first, then an eighth of its age, from 0.5 s
 * to 60 s, after an hour to 300 s. So a job is found to have ended within an eighth of its time, however long that is; and
 * sooner, when its progress says that it ends sooner, but never in less than half of that pause.
 *
 * A look is one GET /jobs of the 100 a minute that a hub of S1 allows. With the listing and the create of each run, files
 * of one line that follow one another stay below that: a hub takes about 3 s for such a job, which is five looks.
 */
export function watchDelaySeconds(elapsedMs: number, progress = 0): number {
  const seconds = elapsedMs / 1000;
  if (seconds < 0.75) return 1;
  const byAge = Math.min(seconds > 60 * 60 ? 300 : 60, Math.max(0.5, seconds / 8));
  if (progress <= 0 || progress >= 100) return byAge;
  const leftSeconds = (seconds * (100 - progress)) / progress;
  return Math.min(byAge, Math.max(byAge / 2, leftSeconds));
}
