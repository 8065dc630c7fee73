import { safeError } from '../redact.ts';
import type { Fault } from './faults.ts';
import type { RunContext } from './runContext.ts';
import type { AskReply, CallStep } from './step.ts';

/** After this long an activity takes no further step: it would be taken again if the activity died. */
const LONGEST_CHAIN_MS = 5_000;

/**
 * Takes a step, and those that follow at once: each spares the orchestration a round trip through its queues. One that
 * fails is left to the orchestration, which retries it.
 */
export async function takeChain(
  context: Pick<RunContext, 'now' | 'log'>,
  first: () => Promise<AskReply | Fault>,
  following: (call: CallStep) => Promise<AskReply | Fault>,
): Promise<AskReply | Fault> {
  const endAt = context.now().getTime() + LONGEST_CHAIN_MS;
  let step = await first();
  while ('do' in step && step.do === 'call' && !step.keepTurn && context.now().getTime() < endAt) {
    const call = step;
    try {
      step = await following(call);
    } catch (error) {
      context.log.log('warn', `${call.activity} is left to a call of its own: ${safeError(error).message}`);
      return call;
    }
  }
  return step;
}
