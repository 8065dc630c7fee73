/** What all activities share: they log as what they do, and throw nothing with insides. */

import type { InvocationContext } from '@azure/functions';

import type { Logger } from '../lib/logger.ts';
import { safeError } from '../lib/redact.ts';
import { refreshAfterRun } from './refreshAfterRun.ts';
import { type StepOfRun, traceOfStep } from './traceOfStep.ts';

/** What an activity throws is stored in the durable history: errors of SDKs carry URLs with signatures. */
export async function orSafeError<Result>(log: Logger, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    const { message } = safeError(error);
    log.log('warn', `will be retried: ${message}`);
    throw new Error(message);
  }
}

/** A step of a run, as the activity that is asked for it. */
export function takeStepOfRun<
  Services extends Parameters<typeof refreshAfterRun>[0] & { readonly log: Logger },
  Result,
>(
  services: Services,
  invocation: InvocationContext,
  step: StepOfRun,
  work: (services: Services) => Promise<Result>,
): Promise<Result> {
  const log = services.log.scope({ run: step.runId, step: step.step });
  return traceOfStep(services.runs, invocation, step, () =>
    orSafeError(log, async () => {
      const next = await work({ ...services, log });
      await refreshAfterRun(services, invocation, step.runId, next);
      return next;
    }),
  );
}
