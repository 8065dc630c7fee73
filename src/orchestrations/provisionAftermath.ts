import type { OrchestrationContext, Task } from 'durable-functions';

import { call, sleep } from './activities.ts';
import { TURNS_A_HISTORY } from './loops.ts';
import { doJob } from './provisionJob.ts';
import { workRound } from './provisionRound.ts';
import { pollTurn, type TurnPlace } from './turns.ts';

export interface AftermathInput {
  readonly runId: string;
  readonly place: TurnPlace;
  /** The round whose lanes have come to their end. */
  readonly finished?: string;
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
  let { finished } = input;
  for (let turn = 0; turn < TURNS_A_HISTORY; turn++) {
    // Whoever it was given to meanwhile waits for the jobs of the hub all the same.
    yield* pollTurn(context, place);
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
  context.df.continueAsNew({ runId, place, ...(finished === undefined ? {} : { finished }) } satisfies AftermathInput);
  return undefined;
}
