import { app } from 'durable-functions';

import { applyBudget, FULL_BUDGET, parseBudgetOperation } from '../lib/turns/budget.ts';
import { applyTurn, NO_TURNS, parseTurnOperation } from '../lib/turns/turnQueue.ts';
import { BUDGET_ENTITY, TURN_ENTITY } from '../orchestrations/instanceIds.ts';

/**
 * An entity a hub, out of a pure function.
 *
 * It never throws: the text of what an operation throws does not reach its caller (durable-functions Entity.js answers
 * with the JSON of an Error, `{}`), and what it did to the state before stays.
 */
function register<State, Operation>(
  name: string,
  first: State,
  parse: (kind: string | undefined, input: unknown) => Operation | undefined,
  apply: (state: State, operation: Operation, now: number) => { readonly state: State; readonly reply: unknown },
): void {
  app.entity<State>(name, ({ df }) => {
    const operation = parse(df.operationName, df.getInput<unknown>());
    if (operation === undefined) {
      df.return({ error: `The entity ${name} has no operation "${df.operationName}" with such an input.` });
      return;
    }
    const { state, reply } = apply(df.getState() ?? first, operation, Date.now());
    df.setState(state);
    df.return(reply);
  });
}

register(TURN_ENTITY, NO_TURNS, parseTurnOperation, applyTurn);
register(BUDGET_ENTITY, FULL_BUDGET, parseBudgetOperation, applyBudget);
