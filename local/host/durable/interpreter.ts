import { createHash } from 'node:crypto';
import { type EventRaised, eventType, type HistoryEvent } from './historyEvents.ts';
import { type Action, actionType, type RetryOptions } from './orchestratorReply.ts';

/** Limits of one durable timer, in milliseconds; a longer one becomes a chain of links. */
export interface TimerLimits {
  /** A timer further away than this is split (the Azure Storage provider: 6 days). */
  readonly maximumShortTimerMs: number;
  /** Length of one link (3 days). */
  readonly longTimerLinkMs: number;
}

export type FunctionKind = 'activity' | 'orchestrator' | 'entity';

/** Work that an orchestration asks for; `id` is its sequence id, the `EventId` of its scheduling event. */
export type ScheduledWork =
  | { readonly kind: 'activity'; readonly id: number; readonly name: string; readonly input: string }
  | { readonly kind: 'timer'; readonly id: number; readonly fireAt: string }
  | {
      readonly kind: 'subOrchestration';
      readonly id: number;
      readonly name: string;
      readonly instanceId: string;
      readonly input: string;
      readonly version: string | null;
    }
  | {
      readonly kind: 'entityMessage';
      readonly id: number;
      /** `@name@key`. */
      readonly target: string;
      readonly operation: string;
      /** JSON text. */
      readonly input: string | undefined;
      readonly isSignal: boolean;
      /** Also the name of the event that answers a call. */
      readonly requestId: string;
      /** ISO time of a scheduled signal. */
      readonly dueAt: string | undefined;
    };

export interface InterpretRequest {
  /** Everything the orchestrator has asked for since its start, in its order. */
  readonly actions: readonly Action[];
  /** Events of this execution, those of the present episode included. */
  readonly history: readonly HistoryEvent[];
  readonly instanceId: string;
  readonly executionId: string;
  readonly parentInstanceId: string | undefined;
  readonly timerLimits: TimerLimits;
  /** The registered name of a function, whatever the case of the given one. */
  readonly findFunction: (kind: FunctionKind, name: string) => string | undefined;
  /** Registered names, for the error text. */
  readonly functionNames: (kind: FunctionKind) => readonly string[];
}

export interface Interpretation {
  /** What is not in the history yet, in the order of ids. */
  readonly newWork: readonly ScheduledWork[];
  /** Every action has settled, so that the orchestrator's own result counts. */
  readonly settled: boolean;
  /** Activities, sub-orchestrations and timers that are under way: the instance cannot complete before their end. */
  readonly openTasks: number;
  readonly continueAsNew?: { readonly input: unknown };
  /** Events that arrived after `continueAsNew` and belong to the next execution. */
  readonly carriedEvents: readonly EventRaised[];
  /** An action that cannot be carried out: the text of the error that ends the orchestration. */
  readonly failure?: string;
  /** The history is not what this orchestrator would have made: the instance fails at once. */
  readonly nonDeterminism?: string;
  /** The first sequence id that is free. */
  readonly nextId: number;
}

type Settle = (succeeded: boolean) => void;

/** An action that ends the orchestration. */
class ActionError extends Error {
  override name = 'ActionError' as const;
}

class NonDeterminismError extends Error {
  override name = 'NonDeterminismError' as const;
}

/**
 * Re-executes the list of actions against the history and finds out what is new. This is what the Durable Functions
 * extension does with an out-of-process orchestrator (Listener/OutOfProcOrchestrationShim.cs over DurableTask.Core
 * TaskOrchestrationContext.cs): it calls the first action, waits until it has settled (a failure is the orchestrator's
 * business, not the list's), calls the next, and so on. Sequence ids come from one counter, and the library counts
 * along without ever hearing of it: whatever takes an id here must take one there, in the same order.
 */
export function interpretActions(request: InterpretRequest): Interpretation {
  const { actions, history, timerLimits } = request;
  let nextId = 0;
  let now = 0;
  let settled = false;
  let failure: string | undefined;
  let continueAsNew: { input: unknown } | undefined;
  /** Asked for, and not yet met in the history. */
  const unmatched = new Map<number, ScheduledWork>();
  const openTasks = new Map<number, Settle>();
  const canceledTimers = new Set<number>();
  /** Waiters by event name; the last one that came is served first. */
  const waiters = new Map<string, Settle[]>();
  const bufferedEvents = new Map<string, number>();
  const carriedEvents: EventRaised[] = [];

  function runFrom(start: number): void {
    for (let index = start; index < actions.length; index++) {
      const action = actions[index];
      if (action === undefined) {
        continue;
      }
      let done = false;
      let waiting = false;
      invoke(action, () => {
        done = true;
        if (waiting) {
          guarded(() => runFrom(index + 1));
        }
      });
      if (!done) {
        waiting = true;
        return;
      }
    }
    settled = true;
  }

  function guarded(step: () => void): void {
    if (failure !== undefined) {
      return;
    }
    try {
      step();
    } catch (error) {
      if (!(error instanceof ActionError)) {
        throw error;
      }
      failure = error.message;
      settled = true;
    }
  }

  function invoke(action: Action, settle: Settle): void {
    switch (action.actionType) {
      case actionType.callActivity:
        callActivity(action, settle);
        return;
      case actionType.callActivityWithRetry:
        withRetry(action.retryOptions, (attempt) => callActivity(action, attempt), settle);
        return;
      case actionType.callSubOrchestrator:
        callSubOrchestrator(action, settle);
        return;
      case actionType.callSubOrchestratorWithRetry:
        withRetry(action.retryOptions, (attempt) => callSubOrchestrator(action, attempt), settle);
        return;
      case actionType.continueAsNew:
        continueAsNew = { input: action.input };
        settle(true);
        return;
      case actionType.createTimer:
        createTimer(Date.parse(action.fireAt), action.isCanceled, settle);
        return;
      case actionType.waitForExternalEvent:
        waitForEvent(action.externalEventName, settle);
        return;
      case actionType.callEntity:
        waitForEvent(sendToEntity(action, false), settle);
        return;
      case actionType.signalEntity:
      case actionType.scheduledSignalEntity:
        sendToEntity(action, true);
        settle(true);
        return;
      case actionType.whenAll:
      case actionType.whenAny:
        combine(action.compoundActions, action.actionType === actionType.whenAny, settle);
        return;
      case actionType.callHttp:
        throw new ActionError(
          'context.df.callHttp() is not supported by the local Durable engine; make the request in an activity.',
        );
      case actionType.lockEntities:
      case actionType.releaseEntities:
        throw new ActionError(
          'context.df.lock() (critical sections) is not supported by the local Durable engine; let one entity operation do the work.',
        );
      default:
        throw new ActionError(
          `Action type ${(action as { actionType: unknown }).actionType} is not known to the local Durable engine.`,
        );
    }
  }

  function open(id: number, work: ScheduledWork, settle: Settle): void {
    unmatched.set(id, work);
    openTasks.set(id, settle);
  }

  function callActivity(call: { functionName: string; input?: unknown }, settle: Settle): void {
    const name = existing('activity', call.functionName);
    const id = nextId++;
    open(id, { kind: 'activity', id, name, input: JSON.stringify([call.input ?? null]) }, settle);
  }

  function callSubOrchestrator(
    call: { functionName: string; input?: unknown; instanceId?: string | null; version?: string | null },
    settle: Settle,
  ): void {
    const name = existing('orchestrator', call.functionName);
    const given = call.instanceId?.trim() ? call.instanceId : undefined;
    if (given !== undefined) {
      checkChildId(given);
    }
    const id = nextId++;
    open(
      id,
      {
        kind: 'subOrchestration',
        id,
        name,
        instanceId: given ?? `${request.executionId}:${id}`,
        input: JSON.stringify(call.input ?? null),
        version: call.version ?? null,
      },
      settle,
    );
  }

  function checkChildId(childId: string): void {
    const same = (other: string | undefined) => other?.toLowerCase() === childId.toLowerCase();
    if (same(request.instanceId) || same(request.parentInstanceId)) {
      throw new ActionError(
        'The instance ID of a sub-orchestration must be different than the instance ID of a parent orchestration.',
      );
    }
    const problem = instanceIdProblem(childId);
    if (problem !== undefined) {
      throw new ActionError(problem);
    }
  }

  /**
   * One timer, or a chain of them: the library makes links by the same clock (LongTimerTask.js). A cancelled timer
   * settles at once and is not open any more, yet it stays in the history and fires; its further links still take ids,
   * because the library hands them out whether it was cancelled or not.
   */
  function createTimer(fireAt: number, isCanceled: boolean, settle: Settle): void {
    const isLong = fireAt - now > timerLimits.maximumShortTimerMs;
    const addLink = (linkFireAt: number) => {
      const id = nextId++;
      if (isCanceled) {
        canceledTimers.add(id);
      }
      open(id, { kind: 'timer', id, fireAt: new Date(linkFireAt).toISOString() }, () => {
        const remaining = fireAt - now;
        if (isLong && remaining > 0) {
          addLink(remaining < timerLimits.longTimerLinkMs ? fireAt : now + timerLimits.longTimerLinkMs);
        } else if (!isCanceled) {
          settle(true);
        }
      });
    };
    addLink(isLong ? now + timerLimits.longTimerLinkMs : fireAt);
    if (isCanceled) {
      settle(false);
    }
  }

  /**
   * First try, then a timer and another try. After the last failure one more timer is made, due at once, before the
   * failure is reported (DurableTask.Core RetryInterceptor.cs; RetryableTask.js counts it).
   */
  function withRetry(options: RetryOptions, tryOnce: (settle: Settle) => void, settle: Settle): void {
    const firstTryAt = now;
    const attempt = (failures: number): void =>
      tryOnce((succeeded) => {
        if (succeeded) {
          settle(true);
          return;
        }
        if (failures + 1 >= options.maxNumberOfAttempts) {
          createTimer(now, false, () => settle(false));
          return;
        }
        const delay = retryDelay(options, failures, now - firstTryAt);
        if (delay === undefined) {
          settle(false);
          return;
        }
        createTimer(now + delay, false, () => guarded(() => attempt(failures + 1)));
      });
    attempt(0);
  }

  function waitForEvent(name: string, settle: Settle): void {
    const buffered = bufferedEvents.get(name) ?? 0;
    if (buffered > 0) {
      bufferedEvents.set(name, buffered - 1);
      settle(true);
      return;
    }
    const stack = waiters.get(name);
    if (stack === undefined) {
      waiters.set(name, [settle]);
    } else {
      stack.push(settle);
    }
  }

  function sendToEntity(
    action: { instanceId: string; operation: string; input?: unknown; fireAt?: string },
    isSignal: boolean,
  ): string {
    const [name = ''] = action.instanceId.slice(1).split('@', 1);
    existing('entity', name);
    const id = nextId++;
    const requestId = deterministicGuid(`${request.executionId}:${id}`);
    unmatched.set(id, {
      kind: 'entityMessage',
      id,
      target: action.instanceId,
      operation: action.operation,
      input: action.input === undefined || action.input === null ? undefined : JSON.stringify(action.input),
      isSignal,
      requestId,
      dueAt: action.fireAt,
    });
    return requestId;
  }

  /** All children are called, left to right, before the first of them can settle the whole. */
  function combine(children: readonly Action[], any: boolean, settle: Settle): void {
    let pending = children.length;
    let launched = false;
    let reported = false;
    const check = () => {
      const enough = any ? pending < children.length : pending === 0;
      if (launched && enough && !reported) {
        reported = true;
        settle(true);
      }
    };
    for (const child of children) {
      invoke(child, () => {
        pending -= 1;
        check();
      });
    }
    launched = true;
    check();
  }

  function existing(kind: FunctionKind, name: string): string {
    const found = request.findFunction(kind, name);
    if (found === undefined) {
      throw new ActionError(unknownFunctionMessage(kind, name, request.functionNames(kind)));
    }
    return found;
  }

  function answer(id: number, succeeded: boolean): void {
    const settle = openTasks.get(id);
    // Absent: a second answer to the same task, which counts for nothing.
    if (settle !== undefined) {
      openTasks.delete(id);
      guarded(() => settle(succeeded));
    }
  }

  function match(id: number, kind: ScheduledWork['kind'], name: string | undefined): void {
    const work = unmatched.get(id);
    const earlier = describeWork(kind, name);
    if (work === undefined) {
      throw new NonDeterminismError(
        `A previous execution of this orchestration scheduled ${earlier} with sequence ID ${id}, but the current replay ` +
          `execution hasn't (yet?) scheduled this task. ${codeChangeHint}`,
      );
    }
    const current = work.kind === 'activity' || work.kind === 'subOrchestration' ? work.name : undefined;
    const sameName = name === undefined || current === undefined || current.toLowerCase() === name.toLowerCase();
    if (work.kind !== kind || !sameName) {
      throw new NonDeterminismError(
        `A previous execution of this orchestration scheduled ${earlier} with sequence number ${id}, but the current ` +
          `orchestration replay instead scheduled ${describeWork(work.kind, current)} with this sequence number. ${codeChangeHint}`,
      );
    }
    unmatched.delete(id);
  }

  function processEvent(event: HistoryEvent): void {
    switch (event.EventType) {
      case eventType.orchestratorStarted:
        now = Math.max(now, Date.parse(event.Timestamp));
        return;
      case eventType.executionStarted:
        guarded(() => runFrom(0));
        return;
      case eventType.taskScheduled:
        match(event.EventId, 'activity', event.Name);
        return;
      case eventType.subOrchestrationCreated:
        match(event.EventId, 'subOrchestration', event.Name);
        return;
      case eventType.timerCreated:
        match(event.EventId, 'timer', undefined);
        return;
      case eventType.eventSent:
        match(event.EventId, 'entityMessage', undefined);
        return;
      case eventType.taskCompleted:
      case eventType.subOrchestrationCompleted:
        answer(event.TaskScheduledId, true);
        return;
      case eventType.taskFailed:
      case eventType.subOrchestrationFailed:
        answer(event.TaskScheduledId, false);
        return;
      case eventType.timerFired:
        answer(event.TimerId, true);
        return;
      case eventType.eventRaised:
        if (continueAsNew !== undefined) {
          carriedEvents.push(event);
          return;
        }
        raise(event.Name);
        return;
      default:
        return;
    }
  }

  function raise(name: string): void {
    const stack = waiters.get(name);
    const settle = stack?.pop();
    if (settle === undefined) {
      bufferedEvents.set(name, (bufferedEvents.get(name) ?? 0) + 1);
    } else {
      guarded(() => settle(true));
    }
  }

  let nonDeterminism: string | undefined;
  try {
    for (const event of history) {
      processEvent(event);
    }
  } catch (error) {
    if (!(error instanceof NonDeterminismError)) {
      throw error;
    }
    nonDeterminism = `Non-Deterministic workflow detected: ${error.message}`;
  }

  return {
    newWork: nonDeterminism === undefined ? [...unmatched.values()].sort((a, b) => a.id - b.id) : [],
    settled,
    openTasks: [...openTasks.keys()].filter((id) => !canceledTimers.has(id)).length,
    carriedEvents,
    nextId,
    ...(continueAsNew !== undefined && { continueAsNew }),
    ...(failure !== undefined && { failure }),
    ...(nonDeterminism !== undefined && { nonDeterminism }),
  };
}

const codeChangeHint = 'Was a change made to the orchestrator code after this instance had already started running?';

function describeWork(kind: ScheduledWork['kind'], name: string | undefined): string {
  switch (kind) {
    case 'activity':
      return `an activity task named '${name}'`;
    case 'subOrchestration':
      return `a sub-orchestration task named '${name}'`;
    case 'timer':
      return 'a timer task';
    case 'entityMessage':
      return 'a message to an entity';
    default:
      throw new Error(`Unknown kind of work: ${kind satisfies never}`);
  }
}

/** `undefined` when the time for retries is over. */
function retryDelay(options: RetryOptions, failures: number, elapsedMs: number): number | undefined {
  if (elapsedMs >= (options.retryTimeoutInMilliseconds ?? Number.POSITIVE_INFINITY)) {
    return undefined;
  }
  const grown = options.firstRetryIntervalInMilliseconds * (options.backoffCoefficient ?? 1) ** failures;
  return Math.min(grown, options.maxRetryIntervalInMilliseconds ?? Number.POSITIVE_INFINITY);
}

/** What the extension says of a function that is not there (DurableTaskExtension.cs, ThrowIfFunctionDoesNotExist). */
export function unknownFunctionMessage(kind: FunctionKind, name: string, known: readonly string[]): string {
  const list =
    known.length === 0
      ? `No ${kind} functions are currently registered!`
      : `The following are the known ${kind} functions: ${known.map((each) => `'${each}'`).join(', ')}.`;
  return `The function '${name}' doesn't exist, is disabled, or is not an ${kind} function. Additional info: ${list}`;
}

/** Why a text cannot be an instance id (Azure Storage table key rules, Durable Functions docs: instance IDs). */
export function instanceIdProblem(instanceId: string): string | undefined {
  if (instanceId.startsWith('@')) {
    return 'Orchestration instance ids must not start with @';
  }
  if (instanceId.length === 0 || instanceId.length > 256) {
    return `Orchestration instance ids have 1 to 256 characters; "${instanceId.slice(0, 40)}…" has ${instanceId.length}.`;
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for.
  if (/[/\\#?\u0000-\u001f\u007f-\u009f]/.test(instanceId)) {
    return `Orchestration instance ids must not contain /, \\, #, ? or control characters: ${JSON.stringify(instanceId)}.`;
  }
  return undefined;
}

/** A GUID-shaped id that is the same in each replay. */
function deterministicGuid(seed: string): string {
  const hex = createHash('sha256').update(seed).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
