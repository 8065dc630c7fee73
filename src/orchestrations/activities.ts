/**
 * How orchestrations call activities.
 *
 * Inputs and results are small plain objects: they stay in the durable history and are read again at every step. Results
 * tell permanent failures as values; what an activity throws is transient, and the call is retried.
 */

import { type OrchestrationContext, RetryOptions, type Task } from 'durable-functions';
import type { Fault } from '../lib/runs/faults.ts';

/** Eight tries, with three minutes between them in all: longer trouble of the hub is waited for in the orchestration itself. */
function retryPolicy(): RetryOptions {
  const policy = new RetryOptions(2_000, 8);
  policy.backoffCoefficient = 2;
  policy.maxRetryIntervalInMilliseconds = 60_000;
  return policy;
}

/** Calls an activity and waits for its result. `yield*` it; never put it into `Task.all` or `Task.any`. */
export function* callActivity(
  context: OrchestrationContext,
  name: string,
  input: unknown,
): Generator<Task, unknown, unknown> {
  const output = yield context.df.callActivityWithRetry(name, retryPolicy(), input);
  if (isFault(output)) throw new Error(output.fault);
  return output;
}

function isFault(output: unknown): output is Fault {
  return typeof output === 'object' && output !== null && 'fault' in output && typeof output.fault === 'string';
}

/** Waits for `seconds` of durable time. */
export function* sleep(context: OrchestrationContext, seconds: number): Generator<Task, void, unknown> {
  yield context.df.createTimer(new Date(context.df.currentUtcDateTime.getTime() + seconds * 1000));
}
