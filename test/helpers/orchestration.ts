import type { OrchestrationContext } from 'durable-functions';

/** A stand-in for what `context.df` returns from its calls: enough to tell tasks apart. */
export interface ScriptedTask {
  readonly kind: 'activity' | 'sub' | 'timer' | 'event' | 'any';
  readonly name: string;
  readonly input?: unknown;
}

export interface DriveResult {
  readonly yields: readonly ScriptedTask[];
  readonly output?: unknown;
  readonly continuedAsNew?: unknown;
  readonly statuses: readonly unknown[];
}

/**
 * Runs an orchestrator to its end, answering each task it yields. A given Error is thrown into it. The clock moves with
 * each timer, as durable time does.
 */
export function drive(
  orchestrator: (context: OrchestrationContext) => Generator<unknown, unknown, unknown>,
  input: unknown,
  answer: (task: ScriptedTask, index: number) => unknown,
): DriveResult {
  let clock = Date.parse('2026-11-20T02:00:00Z');
  let continuedAsNew: unknown;
  const statuses: unknown[] = [];
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
    createTimer: (fireAt: Date) => ({ kind: 'timer', name: 'timer', input: fireAt.getTime() }),
    waitForExternalEvent: (name: string) => ({ kind: 'event', name }),
    continueAsNew: (value: unknown) => {
      continuedAsNew = value;
    },
    Task: { any: (tasks: unknown[]) => ({ kind: 'any', name: 'any', input: tasks }) },
  };
  const generator = orchestrator({ df } as unknown as OrchestrationContext);
  const yields: ScriptedTask[] = [];
  let step = generator.next();
  while (!step.done) {
    const task = step.value as ScriptedTask;
    yields.push(task);
    if (task.kind === 'timer') clock = Number(task.input);
    const value = answer(task, yields.length - 1);
    step = value instanceof Error ? generator.throw(value) : generator.next(value);
  }
  return {
    yields,
    statuses,
    ...(step.value === undefined ? {} : { output: step.value }),
    ...(continuedAsNew === undefined ? {} : { continuedAsNew }),
  };
}
