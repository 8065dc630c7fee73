import type { EntityId, OrchestrationContext } from 'durable-functions';

/** A stand-in for what `context.df` returns from its calls: enough to tell tasks apart. */
export interface ScriptedTask {
  readonly kind: 'activity' | 'sub' | 'timer' | 'event' | 'any' | 'all' | 'entity';
  readonly name: string;
  readonly instanceId?: string;
  readonly input?: unknown;
}

export interface DriveResult {
  readonly yields: readonly ScriptedTask[];
  readonly output?: unknown;
  /** What it threw in the end. */
  readonly error?: unknown;
  readonly continuedAsNew?: unknown;
  readonly statuses: readonly unknown[];
  /** Signals to entities: nobody waits for them, so they are no yields. */
  readonly signals: readonly { readonly entity: string; readonly operation: string; readonly input: unknown }[];
}

/**
 * Runs an orchestrator to its end, answering each task it yields. A given Error is thrown into it. The clock moves with
 * each timer, as durable time does.
 */
export function drive(
  orchestrator: (context: OrchestrationContext) => Generator<unknown, unknown, unknown>,
  input: unknown,
  answer: (task: ScriptedTask, index: number, now: number) => unknown,
): DriveResult {
  let clock = Date.parse('2026-11-20T02:00:00Z');
  let continuedAsNew: unknown;
  const statuses: unknown[] = [];
  const signals: DriveResult['signals'][number][] = [];
  const textOf = ({ name, key }: EntityId) => `${name}@${key}`;
  const df = {
    getInput: () => input,
    get currentUtcDateTime() {
      return new Date(clock);
    },
    setCustomStatus: (status: unknown) => statuses.push(status),
    callActivity: (name: string, value: unknown) => ({ kind: 'activity', name, input: value }),
    callActivityWithRetry: (name: string, _policy: unknown, value: unknown) => ({
      kind: 'activity',
      name,
      input: value,
    }),
    callSubOrchestrator: (name: string, value: unknown, instanceId: string) => ({
      kind: 'sub',
      name,
      input: value,
      instanceId,
    }),
    callEntity: (entity: EntityId, operation: string, value: unknown) => ({
      kind: 'entity',
      name: operation,
      entity: textOf(entity),
      input: value,
    }),
    signalEntity: (entity: EntityId, operation: string, value: unknown) => {
      signals.push({ entity: textOf(entity), operation, input: value });
    },
    createTimer: (fireAt: Date) => {
      const timer = { kind: 'timer' as const, name: 'timer', input: fireAt.getTime(), isCancelled: false };
      const cancel = () => Object.assign(timer, { isCancelled: true });
      // Not part of what is compared.
      return Object.defineProperty(timer, 'cancel', { value: cancel });
    },
    waitForExternalEvent: (name: string) => ({ kind: 'event', name }),
    continueAsNew: (value: unknown) => {
      continuedAsNew = value;
    },
    Task: {
      any: (tasks: unknown[]) => ({ kind: 'any', name: 'any', input: tasks }),
      all: (tasks: unknown[]) => ({ kind: 'all', name: 'all', input: tasks }),
    },
  };
  const generator = orchestrator({ df } as unknown as OrchestrationContext);
  const yields: ScriptedTask[] = [];
  let output: unknown;
  let error: unknown;
  try {
    let step = generator.next();
    while (!step.done) {
      const task = step.value as ScriptedTask;
      yields.push(task);
      if (task.kind === 'timer') clock = Number(task.input);
      const value = answer(task, yields.length - 1, clock);
      // Of tasks that race it is a timer that has won.
      if (task.kind === 'any' && (value as ScriptedTask).kind === 'timer')
        clock = Number((value as ScriptedTask).input);
      step = value instanceof Error ? generator.throw(value) : generator.next(value);
    }
    output = step.value;
  } catch (thrown) {
    error = thrown;
  }
  return {
    yields,
    statuses,
    signals,
    ...(output === undefined ? {} : { output }),
    ...(error === undefined ? {} : { error }),
    ...(continuedAsNew === undefined ? {} : { continuedAsNew }),
  };
}
