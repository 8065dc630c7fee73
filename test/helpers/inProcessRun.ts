/**
 * A run in this process: the real orchestrations over the real activities, without a Functions host. Timers move the
 * clock of the context; activities that throw are retried, as the host would.
 */

import { setTimeout as delay } from 'node:timers/promises';

import type { OrchestrationContext } from 'durable-functions';

import type { RunInstances } from '../../src/lib/hubJobs/askAgain.ts';
import { applyFileBy } from '../../src/lib/provisioning/drop/applyFile.ts';
import { readEffectsBy } from '../../src/lib/provisioning/effects/readEffects.ts';
import { STEP_NAMES } from '../../src/lib/provisioning/steps/flow.ts';
import { takeStep } from '../../src/lib/provisioning/steps/takeStep.ts';
import { workChunk } from '../../src/lib/provisioning/steps/workChunk.ts';
import { type RunRecord, runsOf } from '../../src/lib/runKinds.ts';
import { orFault } from '../../src/lib/runs/faults.ts';
import type { RunStarter } from '../../src/lib/runs/restartRun.ts';
import type { RunStore } from '../../src/lib/runs/runStore.ts';
import { startWork } from '../../src/lib/work/startWork.ts';
import { askWorkTurn, failWork, takeStages } from '../../src/lib/work/takeStage.ts';
import type { WorkContext, WorkRun } from '../../src/lib/work/workRun.ts';
import { FAIL_WORK, WORK_STAGE, WORK_TURN } from '../../src/lib/work/workSteps.ts';
import { kindsOfWork } from '../../src/lib/workKinds.ts';
import { lane } from '../../src/orchestrations/lane.ts';
import { run } from '../../src/orchestrations/run.ts';
import type { ScriptedTask } from './orchestration.ts';
import { countingStarter, type TestContext } from './provisioningContext.ts';

type Orchestrator = (context: OrchestrationContext) => Generator<unknown, unknown, unknown>;
type Activity = (context: TestContext, input: never, starter: RunStarter) => Promise<unknown>;
const INSTANCES: RunInstances = { stateOf: async () => 'live' };

const ORCHESTRATORS: Readonly<Record<string, Orchestrator>> = { run, lane };

const ACTIVITIES: Readonly<Record<string, Activity>> = {
  ...Object.fromEntries(
    STEP_NAMES.map((name) => [
      name,
      (context: TestContext, input: never) => takeStep(context, name, input, () => INSTANCES),
    ]),
  ),
  workChunk: (context, input) => orFault(() => workChunk(context, input)),
  [WORK_STAGE]: (context, input, starter) =>
    takeStages(workContext(context, starter), kindsOfWork(context.mirrorStore), input),
  [WORK_TURN]: (context, input) => askWorkTurn(workContext(context), input, () => INSTANCES),
  [FAIL_WORK]: (context, input) => failWork(workContext(context), input),
};

/** The services of work; whoever gives no starter has runs begun that nobody works on. */
export function workContext(context: TestContext, starter: RunStarter = countingStarter()): WorkContext {
  const work = { ...context, runs: runsOf<WorkRun>(context.runs as unknown as RunStore<RunRecord>) };
  return {
    ...work,
    start: (wanted) => startWork(work, starter, wanted),
    applyFile: applyFileBy(context, starter),
    readEffects: readEffectsBy(context),
  };
}

const TRIES = 8;
/** What the simulator does takes real time, while the clock of the context leaps. */
const REAL_PAUSE_MS = 15;

export interface InProcessRun {
  /** What the orchestration returned. */
  readonly output: unknown;
  /** Names of activities that failed for good. */
  readonly failures: readonly string[];
}

/** @param before called before each activity */
export async function runInProcess(
  context: TestContext,
  runId: string,
  before: (name: string, input: Readonly<Record<string, unknown>>) => Promise<void>,
): Promise<InProcessRun> {
  const failures: string[] = [];
  // What it begins is run while it waits.
  const starter = countingStarter();
  const runStarted = async (): Promise<void> => {
    for (let next = starter.starts.shift(); next !== undefined; next = starter.starts.shift()) {
      failures.push(...(await runInProcess(context, next, before)).failures);
    }
  };

  const activity = async (name: string, input: Readonly<Record<string, unknown>>): Promise<unknown> => {
    const step = ACTIVITIES[name];
    if (step === undefined) throw new Error(`There is no activity ${name}.`);
    await before(name, input);
    for (let tries = 1; ; tries++) {
      try {
        return await step(context, input as never, starter);
      } catch (error) {
        if (tries === TRIES) {
          failures.push(`${name}: ${String(error)}`);
          throw error;
        }
        context.advance(20_000);
      }
    }
  };

  const orchestrate = async (name: string, first: unknown): Promise<unknown> => {
    const orchestrator = ORCHESTRATORS[name];
    if (orchestrator === undefined) throw new Error(`There is no orchestration ${name}.`);
    for (let input = first; ; ) {
      const again: { input?: unknown } = {};
      const generator = orchestrator(durableContext(context, input, again));
      let step = generator.next();
      while (!step.done) {
        try {
          const value = await answer(step.value as ScriptedTask);
          step = generator.next(value);
        } catch (error) {
          step = generator.throw(error);
        }
      }
      if (!('input' in again)) return step.value;
      input = again.input;
    }
  };

  const answer = async (task: ScriptedTask): Promise<unknown> => {
    switch (task.kind) {
      case 'activity':
        return activity(task.name, task.input as Readonly<Record<string, unknown>>);
      case 'sub':
        return orchestrate(task.name, task.input);
      case 'timer':
        await runStarted();
        context.advance(Math.max(0, Number(task.input) - context.now().getTime()));
        await delay(REAL_PAUSE_MS);
        return undefined;
      case 'entity':
        return task.name === 'take' ? { granted: true, spreadMs: 0 } : { granted: true };
      case 'all':
        for (const each of task.input as ScriptedTask[]) await answer(each);
        return undefined;
      case 'any': {
        // Nobody wakes a run here: the other task is the one.
        const [watched] = task.input as ScriptedTask[];
        if (watched !== undefined) await answer(watched).catch(() => undefined);
        return watched;
      }
      default:
        throw new Error(`A task ${task.kind} is not answered here.`);
    }
  };

  const kind = (await context.runs.read(runId))?.kind;
  return { output: await orchestrate('run', { runId, kind }), failures };
}

function durableContext(context: TestContext, input: unknown, again: { input?: unknown }): OrchestrationContext {
  const task = (kind: ScriptedTask['kind']) => (name: string, value: unknown) => ({ kind, name, input: value });
  const df = {
    getInput: () => input,
    get currentUtcDateTime() {
      return context.now();
    },
    setCustomStatus: () => undefined,
    callActivityWithRetry: (name: string, _policy: unknown, value: unknown) => task('activity')(name, value),
    callSubOrchestrator: task('sub'),
    callEntity: (_entity: unknown, operation: string, value: unknown) => task('entity')(operation, value),
    signalEntity: () => undefined,
    createTimer: (fireAt: Date) => task('timer')('timer', fireAt.getTime()),
    waitForExternalEvent: (name: string) => task('event')(name, undefined),
    continueAsNew: (value: unknown) => {
      again.input = value;
    },
    Task: {
      any: (tasks: unknown[]) => task('any')('any', tasks),
      all: (tasks: unknown[]) => task('all')('all', tasks),
    },
  };
  return { df } as unknown as OrchestrationContext;
}
