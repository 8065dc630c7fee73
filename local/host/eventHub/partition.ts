import type { ReceivedEventData } from '@azure/event-hubs';
import type { InvocationRequest, Invoke, Unkindness } from '../contracts.ts';
import type { EventHubsSettings } from '../hostJsonEventHubs.ts';
import { errorText, type HostLog } from '../log.ts';
import { invokeWithRetry } from '../retry.ts';
import type { EventHubFunction } from './eventHubTrigger.ts';
import { type EventBatch, eventHubInvocationRequest, type PartitionPlace } from './payload.ts';
import { createBatchPlan } from './unkindBatches.ts';

export interface PartitionOptions {
  readonly target: EventHubFunction;
  readonly place: PartitionPlace;
  readonly settings: EventHubsSettings;
  readonly keepsEmptyEntries: boolean;
  readonly invoke: Invoke;
  /** Stores the position after this event. */
  readonly checkpoint: (event: ReceivedEventData) => Promise<void>;
  /** The position could not be stored, outside of a call of `process`. */
  readonly failed: (error: unknown) => void;
  /** The host stops. */
  readonly stop: AbortSignal;
  readonly unkind: Unkindness | undefined;
  readonly log: HostLog;
}

/** The events of one partition on their way to the function, one batch after the other. */
export interface Partition {
  /** Resolves when the partition may give more events; rejects when its position cannot be stored. */
  process(events: readonly ReceivedEventData[]): Promise<void>;
  /** Whether no batch runs and no event waits for others. */
  isIdle(): boolean;
  /** Stores no position any more, and resolves when the batch that runs has ended. */
  close(): Promise<void>;
}

/** Positions that unkind mode leaves to the next batch. */
const LATE = 0.3;
const LONG_SEQUENCE_NUMBERS = 0.5;

/**
 * Runs a function for one partition (azure-sdk-for-net, WebJobs.Extensions.EventHubs, EventHubListener.PartitionProcessor.cs):
 * batches of this partition only, in order, and the position is stored after each, whatever the function did. Only a
 * retry that is not over, and a host that stops, leave it where it is.
 */
export function openPartition(options: PartitionOptions): Partition {
  const { target, settings, unkind, stop } = options;
  const plan = createBatchPlan<ReceivedEventData>(unkind);
  const closing = new AbortController();
  const over = AbortSignal.any([stop, closing.signal]);
  const maxSize = target.cardinality === 'one' ? 1 : settings.maxEventBatchSize;
  const minSize = target.cardinality === 'one' ? 1 : settings.minEventBatchSize;
  /** Events that wait for more of them. */
  let held: readonly ReceivedEventData[] = [];
  let timer: NodeJS.Timeout | undefined;
  let batchesSinceCheckpoint = 0;
  let last: Promise<unknown> = Promise.resolve();
  let steps = 0;

  /** One step at a time, in the order of the calls. */
  function inTurn(step: () => Promise<void>): Promise<void> {
    steps++;
    const turn = last.then(step).finally(() => steps--);
    last = turn.catch(() => undefined);
    return turn;
  }

  async function dispatch(events: readonly ReceivedEventData[]): Promise<void> {
    for (const batch of events.length === 0 ? [] : plan.batchesOf(events, maxSize)) {
      if (over.aborted) return;
      await run(batch);
    }
  }

  async function run(events: readonly ReceivedEventData[]): Promise<void> {
    batchesSinceCheckpoint++;
    const checkpoints = settings.enableCheckpointing && batchesSinceCheckpoint >= settings.batchCheckpointFrequency;
    try {
      const call = attempt({ ...options, events, isCheckpointingAfterInvocation: checkpoints });
      await invokeWithRetry(call.invoke, { functionName: target.name, request: call.request }, target.retry, over);
    } catch {
      // The invocation's log has the reason. A failed batch is not given again: that is for the function to see to.
    }
    const position = events.at(-1);
    if (!checkpoints || over.aborted || position === undefined || unkind?.chance(LATE)) return;
    await options.checkpoint(position);
    batchesSinceCheckpoint = 0;
  }

  function hold(): void {
    timer ??= setTimeout(() => {
      timer = undefined;
      inTurn(async () => {
        const events = held;
        held = [];
        await dispatch(events);
      }).catch(options.failed);
    }, settings.maxWaitTime);
  }

  function release(): void {
    clearTimeout(timer);
    timer = undefined;
  }

  /** What calls the function. Where the binding fails, each attempt does, as in the host. */
  function attempt(given: Omit<EventBatch, 'longSequenceNumbers'>): {
    readonly invoke: Invoke;
    readonly request: InvocationRequest;
  } {
    try {
      const longSequenceNumbers = unkind?.chance(LONG_SEQUENCE_NUMBERS) ?? false;
      return { invoke: options.invoke, request: eventHubInvocationRequest({ ...given, longSequenceNumbers }) };
    } catch (error) {
      const fail: Invoke = async (name) => {
        options.log('error', name, `Not executed: ${error instanceof Error ? error.message : errorText(error)}`);
        throw error;
      };
      return { invoke: fail, request: { inputs: {} } };
    }
  }

  return {
    process: (events) =>
      inTurn(async () => {
        if (over.aborted) return;
        held = [...held, ...events];
        if (held.length < minSize) {
          if (held.length > 0) hold();
          return;
        }
        release();
        const ready = held;
        held = [];
        await dispatch(ready);
      }),
    isIdle: () => steps === 0 && held.length === 0,
    async close() {
      closing.abort();
      release();
      await last;
    },
  };
}
