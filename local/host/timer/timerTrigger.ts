import { setTimeout as sleep } from 'node:timers/promises';
import { storageErrorText } from '../blob/storageError.ts';
import type { Invoke, LoadedFunction, Unkindness } from '../contracts.ts';
import { errorText, type HostLog } from '../log.ts';
import { invokeWithRetry, parseRetry, type RetryPolicy } from '../retry.ts';
import { isShorterThanMinute, parseSchedule, type Schedule } from './schedule.ts';
import { neverRun, type TimerStatus, type TimerStatusStore } from './statusStore.ts';

/** A timer function with its options read. */
export interface TimerFunction {
  readonly name: string;
  readonly bindingName: string;
  readonly schedule: Schedule;
  readonly runOnStartup: boolean;
  readonly useMonitor: boolean;
  readonly retry: RetryPolicy | undefined;
}

/** Reads the options of a timer trigger from its resolved binding. @throws Error saying which option is wrong. */
export function timerFunction(
  loaded: LoadedFunction,
  binding: Readonly<Record<string, unknown>>,
  timeZone: string | undefined,
): TimerFunction {
  const { schedule: text, runOnStartup = false, useMonitor = true } = binding;
  if (typeof text !== 'string') {
    throw new Error(`"schedule" must be a string, not ${JSON.stringify(text)}`);
  }
  if (typeof runOnStartup !== 'boolean' || typeof useMonitor !== 'boolean') {
    throw new Error('"runOnStartup" and "useMonitor" must be true or false');
  }
  const schedule = parseSchedule(text, timeZone);
  return {
    name: loaded.name,
    bindingName: loaded.triggerBindingName,
    schedule,
    runOnStartup,
    useMonitor: useMonitor && !isShorterThanMinute(schedule, new Date()),
    retry: loaded.retryOptions && parseRetry(loaded.retryOptions),
  };
}

export interface TimerListener {
  readonly functionName: string;
  /** Runs the function now, beside its schedule. */
  triggerNow(): void;
  /** Fires no more; resolves when a run that is under way has ended and is recorded. */
  stop(): Promise<void>;
}

export interface TimerListenerOptions {
  readonly timer: TimerFunction;
  readonly invoke: Invoke;
  /** Needed for timers with a monitor. */
  readonly store: TimerStatusStore | undefined;
  readonly unkind: Unkindness | undefined;
  readonly log: HostLog;
}

/** Longest single wait: `setTimeout` cannot wait for longer than 24 days, and clocks may be set meanwhile. */
const longestWait = 60 * 60_000;
const storageRetryDelay = 2_000;

/**
 * Runs one timer function on its schedule, one run at a time (azure-webjobs-sdk-extensions, TimerListener.cs and
 * StorageScheduleMonitor.cs). Occurrences that pass while a run is under way or the host is down make one run, not many.
 */
export function startTimer(options: TimerListenerOptions): TimerListener {
  const { timer, invoke, unkind, log } = options;
  const store = timer.useMonitor ? options.store : undefined;
  const stopping = new AbortController();
  const stop = stopping.signal;
  let status: TimerStatus | undefined;

  const payload = (isPastDue: boolean) => ({
    json: JSON.stringify({
      Schedule: { AdjustForDST: true },
      ScheduleStatus: store === undefined ? null : (status ?? null),
      IsPastDue: isPastDue,
    }),
  });

  /** Runs the function, then records the run; one that the host's stop cut off between two tries stays unrecorded. */
  async function runAndRecord(start: Date, isPastDue: boolean): Promise<void> {
    try {
      await run(isPastDue);
    } catch (error) {
      if (error instanceof Error && error.name === 'AbortError') {
        throw error;
      }
      // The invocation log has the reason; a failed run does not end the schedule.
    }
    await record(ranAt(start));
  }

  async function run(isPastDue: boolean): Promise<void> {
    const request = { inputs: { [timer.bindingName]: payload(isPastDue) } };
    await invokeWithRetry(invoke, { functionName: timer.name, request }, timer.retry, stop);
  }

  async function record(next: TimerStatus): Promise<void> {
    status = next;
    try {
      await store?.write(timer.name, next);
    } catch (error) {
      log('warning', timer.name, `The timer's status could not be stored: ${storageErrorText(error)}`);
    }
  }

  /** The status for a run at the given time. */
  function ranAt(time: Date): TimerStatus {
    return {
      Last: time.toISOString(),
      Next: (timer.schedule.next(time) ?? new Date(8.64e15)).toISOString(),
      LastUpdated: time.toISOString(),
    };
  }

  /** What the last process left, brought up to date with the schedule of today. True when a run was missed. */
  async function recall(now: Date): Promise<boolean> {
    if (store === undefined) {
      return false;
    }
    const recorded = await store.read(timer.name);
    const next = (after: Date) => (timer.schedule.next(after) ?? new Date(8.64e15)).toISOString();
    if (recorded === undefined) {
      await record({ Last: neverRun, Next: next(now), LastUpdated: now.toISOString() });
      return false;
    }
    const unchanged = Date.parse(next(new Date(recorded.LastUpdated))) === Date.parse(recorded.Next);
    if (!unchanged) {
      // A new schedule makes no run of the past a missed one.
      await record({ Last: recorded.Last, Next: next(now), LastUpdated: now.toISOString() });
      return false;
    }
    status = recorded;
    return now.getTime() > Date.parse(recorded.Next);
  }

  async function recallPatiently(): Promise<boolean> {
    for (let told = false; ; told = true) {
      try {
        return await recall(new Date());
      } catch (error) {
        if (!told) {
          log('warning', timer.name, `The timer's status cannot be read, trying on: ${storageErrorText(error)}`);
        }
        await sleep(storageRetryDelay, undefined, { signal: stop });
      }
    }
  }

  async function waitUntil(due: Date): Promise<void> {
    for (let left = due.getTime() - Date.now(); left > 0; left = due.getTime() - Date.now()) {
      await sleep(Math.min(left, longestWait), undefined, { signal: stop });
    }
    if (unkind !== undefined) {
      await sleep(unkind.delayMs(500), undefined, { signal: stop });
    }
  }

  async function listen(): Promise<void> {
    const missed = await recallPatiently();
    if (missed || timer.runOnStartup) {
      await runAndRecord(new Date(), missed);
    }
    for (;;) {
      const due = timer.schedule.next(new Date());
      if (due === undefined) {
        log('warning', timer.name, 'The schedule has no further occurrence.');
        return;
      }
      await waitUntil(due);
      await runAndRecord(new Date(Math.max(Date.now(), due.getTime())), false);
    }
  }

  const ended = listen().catch((error: unknown) => {
    if (!stop.aborted) {
      log('error', timer.name, `The timer has stopped: ${errorText(error)}`);
    }
  });

  return {
    functionName: timer.name,
    triggerNow() {
      run(false).catch(() => {
        // The invocation log has the reason.
      });
    },
    async stop() {
      stopping.abort();
      await ended;
    },
  };
}
