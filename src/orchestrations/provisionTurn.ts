import type { OrchestrationContext, Task } from 'durable-functions';

import { call, sleep } from './activities.ts';
import { TURNS_A_HISTORY } from './loops.ts';
import { evictFromTurn, pollTurn, type Standing, standingAt, type TurnPlace, turnDelaySeconds } from './turns.ts';

export interface TurnInput {
  readonly runId: string;
  readonly place: TurnPlace;
  /** Where it stood when its last history ended. */
  readonly standing?: Standing;
}

/**
 * Asks for the turn on the hub until it is granted, or the run has ended (cancelled, or it has waited for too long), or
 * it turns out that its job was started long ago.
 */
export function* provisionTurn(
  context: OrchestrationContext,
): Generator<Task, { status: 'granted' | 'ended' | 'jobStarted' } | undefined, unknown> {
  const input = context.df.getInput() as TurnInput;
  const { runId, place } = input;
  let { standing } = input;
  for (let turn = 0; turn < TURNS_A_HISTORY; turn++) {
    const reply = yield* pollTurn(context, place);
    if (reply.granted) return { status: 'granted' };
    const { position, silentHolder } = reply;
    if (position === 0) {
      // First in order, and the turn is free: a moment for those that were dropped together with this one.
      yield* sleep(context, Math.max(100, reply.graceLeftMs ?? 2_000) / 1000);
      continue;
    }
    standing = standingAt(context, position, standing);
    const wait = yield* call(context, 'awaitTurn', {
      runId,
      position,
      ...(silentHolder === undefined ? {} : { silentHolder }),
    });
    if (wait.status !== 'wait') return { status: wait.status };
    // The next question follows at once: the turn may be free now.
    if (wait.evict && silentHolder !== undefined) yield* evictFromTurn(context, place, silentHolder);
    else yield* sleep(context, turnDelaySeconds(context, standing));
  }
  context.df.continueAsNew({ runId, place, ...(standing === undefined ? {} : { standing }) } satisfies TurnInput);
  return undefined;
}
