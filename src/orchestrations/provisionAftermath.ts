import type { OrchestrationContext, Task } from 'durable-functions';

import { call, sleep } from './activities.ts';
import { TURNS_A_HISTORY } from './loops.ts';
import { doJob } from './provisionJob.ts';
import { workRound } from './provisionRound.ts';
import { evictFromTurn, pollTurn, type Standing, standingAt, type TurnPlace, turnDelaySeconds } from './turns.ts';

export interface AftermathInput {
  readonly runId: string;
  readonly place: TurnPlace;
  /** The round whose lanes have come to their end. */
  readonly finished?: string;
  /** Where it stood when its last history ended, if it had lost its turn. */
  readonly standing?: Standing;
}

/** `notEnded`: the import job can still change something; it has to be watched on. */
export interface AftermathResult {
  readonly state: string;
}

/**
 * All that follows an import job, to the report: a second job, lines that are sent once more, lines that are read back.
 * An activity says what is next, from what lies in staging; here it is done.
 */
export function* provisionAftermath(
  context: OrchestrationContext,
): Generator<Task, AftermathResult | undefined, unknown> {
  const input = context.df.getInput() as AftermathInput;
  const { runId, place } = input;
  let { finished, standing } = input;
  for (let turn = 0; turn < TURNS_A_HISTORY; turn++) {
    standing = yield* keepTurn(context, runId, place, standing);
    if (standing !== undefined) continue;
    const next = yield* call(context, 'nextRound', { runId, ...(finished === undefined ? {} : { finished }) });
    finished = undefined;
    switch (next.do) {
      case 'ended':
      case 'notEnded':
        return { state: next.do };
      case 'settle':
        return yield* call(context, 'settleRun', { runId });
      case 'wait':
        yield* sleep(context, next.seconds);
        break;
      case 'job':
        yield* doJob(context, { runId, place, kind: next.kind });
        break;
      case 'work':
        yield* workRound(context, runId, place, next);
        finished = next.round;
        break;
      default: {
        const never: never = next;
        throw new Error(`unknown step ${JSON.stringify(never)}`);
      }
    }
  }
  context.df.continueAsNew({
    runId,
    place,
    ...(finished === undefined ? {} : { finished }),
    ...(standing === undefined ? {} : { standing }),
  } satisfies AftermathInput);
  return undefined;
}

/**
 * Keeps the turn; a run that was suspended or lost for so long that others were let pass waits for it again, a while at
 * a time: what it still has to send must not come in between.
 *
 * @returns where it stands; undefined when the run may go on
 */
function* keepTurn(
  context: OrchestrationContext,
  runId: string,
  place: TurnPlace,
  before: Standing | undefined,
): Generator<Task, Standing | undefined, unknown> {
  const reply = yield* pollTurn(context, place);
  if (reply.granted) return undefined;
  const { silentHolder } = reply;
  const standing = standingAt(context, Math.max(1, reply.position), before);
  const wait = yield* call(context, 'awaitTurn', {
    runId,
    position: standing.position,
    again: true,
    ...(silentHolder === undefined ? {} : { silentHolder }),
  });
  // Ended, or cancelled: nothing is sent any more, and the report needs no turn.
  if (wait.status !== 'wait') return undefined;
  if (wait.evict && silentHolder !== undefined) yield* evictFromTurn(context, place, silentHolder);
  else yield* sleep(context, turnDelaySeconds(context, standing));
  return standing;
}
