import { app, type EntityContext } from 'durable-functions';

import { applyBudget, type BudgetState, FULL_BUDGET, parseBudgetOperation } from '../lib/turns/budget.ts';
import { BUDGET_ENTITY } from '../orchestrations/instanceIds.ts';

/** The entity `budget@HUB`: how many registry operations may be sent to that hub now. Like `turn`, it never throws. */
export function budget(context: EntityContext<BudgetState>): void {
  const { df } = context;
  const operation = parseBudgetOperation(df.operationName, df.getInput<unknown>());
  if (operation === undefined) {
    df.return({ error: `The entity budget has no operation "${df.operationName}" with such an input.` });
    return;
  }
  const { state, reply } = applyBudget(df.getState() ?? FULL_BUDGET, operation, Date.now());
  df.setState(state);
  df.return(reply);
}

app.entity(BUDGET_ENTITY, budget);
