import type { InvocationResult } from '../contracts.ts';
import { redactCredentials } from '../redactCredentials.ts';

/** Numbers of durable-functions ActionType.js; 10 is the extension's (AsyncActionType.ScheduledSignalEntity). */
export const actionType = {
  callActivity: 0,
  callActivityWithRetry: 1,
  callSubOrchestrator: 2,
  callSubOrchestratorWithRetry: 3,
  continueAsNew: 4,
  createTimer: 5,
  waitForExternalEvent: 6,
  callEntity: 7,
  callHttp: 8,
  signalEntity: 9,
  scheduledSignalEntity: 10,
  whenAny: 11,
  whenAll: 12,
  lockEntities: 13,
  releaseEntities: 14,
} as const;

/** Intervals in milliseconds. */
export interface RetryOptions {
  readonly firstRetryIntervalInMilliseconds: number;
  readonly maxNumberOfAttempts: number;
  readonly backoffCoefficient?: number | null;
  readonly maxRetryIntervalInMilliseconds?: number | null;
  readonly retryTimeoutInMilliseconds?: number | null;
}

interface ActivityCall {
  readonly functionName: string;
  readonly input?: unknown;
}

interface SubOrchestratorCall extends ActivityCall {
  readonly instanceId?: string | null;
  readonly version?: string | null;
}

/** One call of a durable API, as the library reports it: one action per `yield` or fire-and-forget call. */
export type Action =
  | ({ readonly actionType: 0 } & ActivityCall)
  | ({ readonly actionType: 1; readonly retryOptions: RetryOptions } & ActivityCall)
  | ({ readonly actionType: 2 } & SubOrchestratorCall)
  | ({ readonly actionType: 3; readonly retryOptions: RetryOptions } & SubOrchestratorCall)
  | { readonly actionType: 4; readonly input?: unknown }
  | { readonly actionType: 5; readonly fireAt: string; readonly isCanceled: boolean }
  | { readonly actionType: 6; readonly externalEventName: string }
  | {
      readonly actionType: 7 | 9;
      readonly instanceId: string;
      readonly operation: string;
      readonly input?: unknown;
    }
  | {
      readonly actionType: 10;
      readonly instanceId: string;
      readonly operation: string;
      readonly input?: unknown;
      readonly fireAt: string;
    }
  | { readonly actionType: 11 | 12; readonly compoundActions: readonly Action[] }
  | { readonly actionType: 8 | 13 | 14 };

/** What one run of an orchestrator function came to. */
export interface OrchestratorReply {
  readonly isDone: boolean;
  readonly actions: readonly Action[];
  readonly output?: unknown;
  readonly customStatus?: unknown;
  /** Message of the error that ended the orchestrator. */
  readonly error?: string;
  readonly stack?: string;
}

/** Precedes the JSON state in the message of an error that carries it (durable-functions OrchestrationFailureError.js). */
const stateLabel = '\n\n$OutOfProcData$:';

/** Reads the reply of an orchestrator that returned. */
export function readOrchestratorResult(result: InvocationResult): OrchestratorReply {
  const value = result.returnValue;
  const text = value?.json ?? value?.string;
  if (text === undefined) {
    throw new Error('The data returned by the out-of-process function execution was not valid json.');
  }
  return readState(text);
}

/**
 * Reads the reply of an orchestrator that threw. The library puts its state into the message; an error without it
 * ends the orchestration with no action at all.
 */
export function readOrchestratorError(error: unknown): OrchestratorReply {
  const message = error instanceof Error ? error.message : String(error);
  const stack = error instanceof Error ? error.stack : undefined;
  const labelAt = message.indexOf(stateLabel);
  const state =
    labelAt === -1
      ? { isDone: false, actions: [], error: message }
      : readState(message.slice(labelAt + stateLabel.length));
  return {
    ...state,
    // An error with an empty message is an error all the same; the library leaves the member out.
    error: redactCredentials(state.error ?? (labelAt === -1 ? message : '')),
    ...(stack !== undefined && { stack: redactCredentials(stack) }),
  };
}

function readState(text: string): OrchestratorReply {
  const state = JSON.parse(text) as {
    readonly isDone?: unknown;
    readonly actions?: unknown;
    readonly output?: unknown;
    readonly error?: unknown;
    readonly customStatus?: unknown;
  };
  if (!Array.isArray(state.actions) || state.actions.length !== 1 || !Array.isArray(state.actions[0])) {
    throw new Error('With OOProc schema V4, expected actions array to be of length 1 in outer layer.');
  }
  return {
    isDone: state.isDone === true,
    actions: state.actions[0] as Action[],
    ...(state.output !== undefined && { output: state.output }),
    ...(typeof state.error === 'string' && { error: state.error }),
    ...(state.customStatus !== undefined && state.customStatus !== null && { customStatus: state.customStatus }),
  };
}
