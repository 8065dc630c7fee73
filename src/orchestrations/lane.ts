import type { OrchestrationContext, Task } from 'durable-functions';

import type { ChunkInput, ChunkReply } from '../lib/provisioning/steps/workChunk.ts';
import { type LanesWork, LONGEST_WAIT_SECONDS } from '../lib/runs/step.ts';
import { growingDelaySeconds } from '../lib/turns/delays.ts';
import { callActivity, sleep } from './activities.ts';
import { takeItems, tellThrottled } from './budgets.ts';
import { ORCHESTRATIONS } from './instanceIds.ts';
import { pollTurn, type TurnPlace } from './turns.ts';

export interface LaneInput {
  readonly runId: string;
  readonly place: TurnPlace;
  readonly work: LanesWork;
  /** Which of the lanes this is, from 0: it works on every `width`th chunk. */
  readonly lane: number;
  /** The chunks that this pass still has to look at; those with lines left for the next pass. */
  readonly now: readonly number[];
  readonly later: readonly number[];
  readonly pass: number;
  /** When the lanes were begun, and how many steps this one has made: what names a step. */
  readonly begun: number;
  readonly steps: number;
  /** Granted by the budget, and not sent. */
  readonly unused: number;
  /** The pace of what was granted, and how long the next call has to wait for it. */
  readonly msPerItem: number;
  readonly waitMs: number;
  readonly refusals: number;
}

/** A lane starts over with a fresh history after this many activities. */
const ACTIVITIES_A_HISTORY = 30;

/** Longer than this an activity does not wait for its call to be due, and a lane not for the next activity. */
const LONGEST_WAIT_MS = LONGEST_WAIT_SECONDS * 1000;

/** Sends the lines of a wave: as many lanes as the hub is wide, each a child of its own. */
export function* workLanes(
  context: OrchestrationContext,
  { runId, place, work }: Pick<LaneInput, 'runId' | 'place' | 'work'>,
): Generator<Task, void, unknown> {
  const lanes = Math.min(work.width, work.chunks);
  const begun = context.df.currentUtcDateTime.getTime();
  const tasks = Array.from({ length: lanes }, (_, lane) =>
    context.df.callSubOrchestrator(ORCHESTRATIONS.lane, {
      runId,
      place,
      work,
      lane,
      now: Array.from({ length: Math.ceil((work.chunks - lane) / lanes) }, (_chunk, at) => lane + at * lanes),
      later: [],
      pass: 0,
      begun,
      steps: 0,
      unused: 0,
      msPerItem: 0,
      waitMs: 0,
      refusals: 0,
    } satisfies LaneInput),
  );
  // Lanes catch what goes wrong and return: a task that fails beside others would end the waiting for all of them.
  yield context.df.Task.all(tasks);
}

/**
 * One lane of a wave: takes items from the budget, has an activity send that many lines of a chunk, and goes on to the
 * next chunk; then over again for lines that are pending after a transient failure, with growing pauses, until none is
 * left or the activity says that it is over.
 */
export function* lane(context: OrchestrationContext): Generator<Task, { readonly ended: true } | undefined, unknown> {
  const input = context.df.getInput() as LaneInput;
  try {
    const next = yield* workLane(context, input);
    if (next === undefined) return { ended: true };
    context.df.continueAsNew(next);
    return undefined;
  } catch {
    // What is left is found in the state of its chunks, by the step that asks what is next.
    return { ended: true };
  }
}

function* workLane(context: OrchestrationContext, input: LaneInput): Generator<Task, LaneInput | undefined, unknown> {
  const { runId, place, work } = input;
  let { now, later, pass, steps, unused, msPerItem, waitMs, refusals } = input;
  // How long ago an activity has read the record.
  let unseenMs = 0;
  for (let done = 0; done < ACTIVITIES_A_HISTORY; ) {
    const [chunk, ...rest] = now;
    if (chunk === undefined) {
      if (later.length === 0) return undefined;
      [now, later] = [later, []];
      pass += 1;
      // A cancel is seen by the next call: it is not put off for longer than by any other wait.
      yield* sleep(context, retryDelaySeconds(pass));
      unseenMs = retryDelaySeconds(pass) * 1000;
      continue;
    }
    done += 1;
    // One lane keeps the turn for all. Whoever it was given to meanwhile waits for the jobs of the hub all the same.
    if (input.lane === 0) yield* pollTurn(context, place);
    let pauseMs = waitMs > LONGEST_WAIT_MS ? waitMs : 0;
    if (unused === 0) {
      const { itemsPerMinute } = work;
      const taken = yield* takeItems(context, place.hub, { items: work.grant, itemsPerMinute });
      pauseMs = taken.granted ? 0 : taken.waitMs;
      if (taken.granted) [unused, msPerItem, waitMs] = [work.grant, taken.spreadMs / work.grant, 0];
    }
    // Then an activity looks at the record, though it can send nothing yet: whoever has cancelled or suspended the run
    // must not wait for a budget that is spent for minutes.
    const sleepMs = Math.min(pauseMs, LONGEST_WAIT_MS - unseenMs);
    if (sleepMs > 0) {
      yield* sleep(context, sleepMs / 1000);
      waitMs = Math.max(0, waitMs - sleepMs);
      unseenMs += sleepMs;
      if (unseenMs < LONGEST_WAIT_MS) continue;
    }
    unseenMs = 0;
    const of = { runId, wave: work.wave, chunk, step: `${input.begun}.${input.lane}.${steps}` };
    const step: ChunkInput = { ...of, items: unused, msPerItem, waitMs, pass, refusals };
    const reply = (yield* callActivity(context, 'workChunk', step)) as ChunkReply;
    // Somebody else is at it: it may be this very step, executed twice.
    if (reply.status !== 'wait') steps += 1;
    unused -= Math.min(unused, reply.sent);
    waitMs = reply.waitMs;
    refusals = reply.refusals;
    if (reply.throttled) {
      tellThrottled(context, place.hub);
      // Asked once more at once, the budget says how long to wait.
      unused = 0;
    }
    if (reply.status === 'over') return undefined;
    if (reply.status === 'wait') yield* sleep(context, 5);
    if (reply.status === 'done' || reply.status === 'tried') now = rest;
    if (reply.status === 'tried') later = [...later, chunk];
  }
  return { ...input, now, later, pass, steps, unused, msPerItem, waitMs, refusals };
}

/** 4, 6, 9 … up to 30 s before pending lines are sent again. */
function retryDelaySeconds(pass: number): number {
  return growingDelaySeconds(pass + 1, LONGEST_WAIT_SECONDS);
}
