import { app, type EntityContext } from 'durable-functions';

import { applyTurn, NO_TURNS, parseTurnOperation, type TurnState } from '../lib/turns/turnQueue.ts';
import { TURN_ENTITY } from '../orchestrations/instanceIds.ts';

/**
 * The entity `turn@HUB`: who may start a job on that hub.
 *
 * It never throws: the text of what an operation throws does not reach its caller (durable-functions Entity.js answers
 * with the JSON of an Error, `{}`), and what it did to the state before stays.
 */
export function turn(context: EntityContext<TurnState>): void {
  const { df } = context;
  const operation = parseTurnOperation(df.operationName, df.getInput<unknown>());
  if (operation === undefined) {
    df.return({ error: `The entity turn has no operation "${df.operationName}" with such an input.` });
    return;
  }
  const { state, reply } = applyTurn(df.getState() ?? NO_TURNS, operation, Date.now());
  df.setState(state);
  df.return(reply);
}

app.entity(TURN_ENTITY, turn);
