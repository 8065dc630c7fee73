/** What all activities share: they log as what they do, and throw nothing with insides. */

import type { InvocationContext } from '@azure/functions';
import { app, input as extraInput } from 'durable-functions';

import type { Logger } from '../lib/logger.ts';
import { safeError } from '../lib/redact.ts';
import { refreshAfterRun } from './refreshAfterRun.ts';
import { traceOfStep } from './traceOfStep.ts';

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

export interface StepActivity<Services, Input> {
  readonly name: string;
  /** Whether it looks at durable instances. */
  readonly usesClient: boolean;
  services(invocation: InvocationContext): Services;
  work(services: Services, input: Input, invocation: InvocationContext): Promise<unknown>;
  /** What it does, as its logs have it. Default: its name. */
  step?(input: Input): string;
}

/** Registers an activity that takes steps of a run. */
export function registerStep<
  Services extends Parameters<typeof refreshAfterRun>[0] & { readonly log: Logger },
  Input extends { readonly runId: string },
>({ name, usesClient, services: servicesOf, work, step = () => name }: StepActivity<Services, Input>): void {
  app.activity(name, {
    ...(usesClient ? { extraInputs: [extraInput.durableClient()] } : {}),
    handler: (input: Input, invocation: InvocationContext): Promise<unknown> => {
      const services = servicesOf(invocation);
      const log = services.log.scope({ run: input.runId, step: step(input) });
      return traceOfStep(services.runs, invocation, { activity: name, runId: input.runId, step: step(input) }, () =>
        orSafeError(log, async () => {
          const next = await work({ ...services, log }, input, invocation);
          await refreshAfterRun(services, invocation, input.runId, next);
          return next;
        }),
      );
    },
  });
}
