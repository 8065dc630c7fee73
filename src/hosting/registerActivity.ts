import type { InvocationContext } from '@azure/functions';
import { app, input as extraInput } from 'durable-functions';

/** Registers an activity. @param usesClient whether it looks at durable instances, or starts some */
export function registerActivity<Input>(
  name: string,
  usesClient: boolean,
  handler: (input: Input, invocation: InvocationContext) => Promise<unknown>,
): void {
  app.activity(name, { ...(usesClient ? { extraInputs: [extraInput.durableClient()] } : {}), handler });
}
