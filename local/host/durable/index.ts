import type { DurableEngine, DurableEngineOptions } from '../contracts.ts';
import { createActivityRunner } from './activityRunner.ts';
import { createClock } from './clock.ts';
import type { EngineParts } from './engineParts.ts';
import { createEntityRunner } from './entityRunner.ts';
import { createFunctionRegistry } from './functionRegistry.ts';
import type { TimerLimits } from './interpreter.ts';
import { createLane, type LaneOptions } from './lane.ts';
import { createMailroom } from './mailroom.ts';
import { createManagementApi } from './managementApi.ts';
import { clientBindingJson, type UrlOptions } from './managementUrls.ts';
import { createOrchestrationRunner } from './orchestrationRunner.ts';
import { azureTimerLimits, readEngineSettings } from './settings.ts';
import { isFinished, openStore } from './store.ts';

/** How long `stop` waits for invocations that run. */
const stopTimeoutMs = 10_000;

/** Longest delay that `setTimeout` can hold. */
const maxTimeoutMs = 2 ** 31 - 1;

export interface DurableEngineTuning {
  /** Default: those of the Azure Storage provider, 6 days and 3 days. */
  readonly timerLimits?: TimerLimits;
}

/**
 * A Durable Task engine for out-of-process (JavaScript) durable functions, in one process and one SQLite file. It
 * keeps what Durable Functions promises: timers are never early, activities run at least once, an event is never lost,
 * each history entry is written once, one turn of an instance at a time.
 *
 * @throws Error when the file cannot be opened (it belongs to one process at a time) or a host.json setting is wrong.
 */
export function createDurableEngine(options: DurableEngineOptions & DurableEngineTuning): DurableEngine {
  const { unkind, log } = options;
  const settings = readEngineSettings(options.hostJson);
  const store = openStore(options.databasePath);
  const clock = createClock();
  const endWaiters = new Map<string, Set<() => void>>();
  const pollTimers = new Set<NodeJS.Timeout>();
  let alarm: { readonly at: number; readonly timer: NodeJS.Timeout } | undefined;
  let lastScan = -1;
  let state: 'new' | 'running' | 'stopped' = 'new';

  const mailroom = createMailroom({
    store,
    clock,
    unkind,
    onMessage: wake,
    onLaterMessage: setAlarm,
    onActivity: (seq) => eventually(() => activities.add(seq)),
    onFinished: (instanceId) => {
      for (const resolve of endWaiters.get(instanceId) ?? []) {
        resolve();
      }
    },
  });
  const parts: EngineParts = {
    store,
    mailroom,
    clock,
    functions: createFunctionRegistry(options.functions),
    settings,
    timerLimits: options.timerLimits ?? azureTimerLimits,
    invoke: options.invoke,
    unkind,
    log,
  };

  const laneFor = <Key>(what: string, lane: Omit<LaneOptions<Key>, 'onError'>) =>
    createLane<Key>({
      ...lane,
      // What ends after the database was closed is run again by the next process.
      run: async (key) => {
        try {
          return await lane.run(key);
        } catch (error) {
          if (state !== 'stopped') {
            throw error;
          }
          return undefined;
        }
      },
      onError: (key, error, retryInMs) =>
        log(
          'error',
          `${what} '${key}' is retried in ${retryInMs} ms: ${error instanceof Error ? (error.stack ?? error.message) : error}`,
        ),
    });
  const activities = laneFor<number>('Activity', {
    limit: settings.maxConcurrentActivities,
    run: createActivityRunner(parts),
  });
  const orchestrations = laneFor<string>('An episode of instance', {
    limit: settings.maxConcurrentOrchestrators,
    run: createOrchestrationRunner(parts, (instanceId) => orchestrations.add(instanceId)),
  });
  const entities = laneFor<string>('A batch of entity', {
    limit: settings.maxConcurrentEntities,
    run: createEntityRunner(parts, (id) => entities.add(id)),
  });
  const lanes = [activities, orchestrations, entities];

  /** At once; in unkind mode now and then as late as a host that polls. */
  function eventually(step: () => void): void {
    if (!unkind?.chance(0.3)) {
      step();
      return;
    }
    const timer = setTimeout(() => {
      pollTimers.delete(timer);
      step();
    }, unkind.delayMs(200));
    pollTimers.add(timer);
  }

  function wake(target: string): void {
    eventually(() => (target.startsWith('@') ? entities.add(target) : orchestrations.add(target)));
  }

  function setAlarm(at: number): void {
    if (state !== 'running' || (alarm !== undefined && alarm.at <= at)) {
      return;
    }
    clearTimeout(alarm?.timer);
    const delay = Math.min(maxTimeoutMs, Math.max(0, at - clock()));
    alarm = { at, timer: setTimeout(onAlarm, delay) };
  }

  function onAlarm(): void {
    alarm = undefined;
    const now = clock();
    for (const target of store.targetsDue(lastScan, now)) {
      wake(target);
    }
    lastScan = now;
    const next = store.nextVisibleAt(now);
    if (next !== undefined) {
      setAlarm(next);
    }
  }

  async function waitForEnd(instanceId: string, timeoutMs: number): Promise<void> {
    const status = store.instance(instanceId)?.status;
    if (status === undefined || isFinished(status) || state === 'stopped') {
      return;
    }
    const waiters = endWaiters.get(instanceId) ?? new Set();
    endWaiters.set(instanceId, waiters);
    let timer: NodeJS.Timeout | undefined;
    let resolveEnd: (() => void) | undefined;
    await new Promise<void>((resolve) => {
      resolveEnd = resolve;
      waiters.add(resolve);
      timer = setTimeout(resolve, Math.min(timeoutMs, maxTimeoutMs));
    });
    clearTimeout(timer);
    if (resolveEnd !== undefined) {
      waiters.delete(resolveEnd);
    }
    if (waiters.size === 0) {
      endWaiters.delete(instanceId);
    }
  }

  const urls: UrlOptions = { baseUrl: options.baseUrl, taskHub: options.taskHub, systemKey: options.systemKey };
  const api = createManagementApi(parts, { ...urls, waitForEnd });

  return {
    start() {
      if (state !== 'new') {
        throw new Error('The durable engine was started before.');
      }
      state = 'running';
      for (const seq of store.activitySeqs()) {
        activities.add(seq);
      }
      onAlarm();
      for (const lane of lanes) {
        lane.start();
      }
    },
    async stop() {
      if (state === 'stopped') {
        return;
      }
      state = 'stopped';
      clearTimeout(alarm?.timer);
      for (const timer of pollTimers) {
        clearTimeout(timer);
      }
      for (const waiters of endWaiters.values()) {
        for (const resolve of waiters) {
          resolve();
        }
      }
      await Promise.all(lanes.map((lane) => lane.stop(stopTimeoutMs)));
      store.close();
    },
    clientBinding: () => clientBindingJson(urls),
    handleHttp: api,
  };
}
