import { randomUUID } from 'node:crypto';
import type { LoadedFunction } from '../contracts.ts';
import { type EngineParts, warnOfLargePayload } from './engineParts.ts';
import { executionCompleted, lastTurnAt, nextEventId, schedulingEvent, shuffleCompletions } from './episodeEvents.ts';
import { type CachedHistory, createHistoryCache } from './historyCache.ts';
import { answeredId, type EventRaised, eventType, type HistoryEvent, isoTime } from './historyEvents.ts';
import { isHostFailure } from './hostFailure.ts';
import {
  type Interpretation,
  instanceIdProblem,
  interpretActions,
  type ScheduledWork,
  unknownFunctionMessage,
} from './interpreter.ts';
import type { Outgoing } from './mailroom.ts';
import { orchestratorPayload } from './orchestratorPayload.ts';
import { type OrchestratorReply, readOrchestratorError, readOrchestratorResult } from './orchestratorReply.ts';
import { executionStarted, startInstance } from './startInstance.ts';
import { type InstanceRow, isFinished, type Message, type RuntimeStatus } from './store.ts';

/** Messages of one episode: as many as the Azure Storage provider holds for a partition (controlQueueBufferThreshold). */
const batchSize = 256;

/** Longest rest of an instance between two turns, in milliseconds. */
const maxRestMs = 500;

/** Limit of the extension for a custom status: 16 KB of UTF-16 text. */
const maxCustomStatusChars = 8 * 1024;

const noRest = { restMs: 0 };

type Control = Extract<Message['body'], { readonly kind: 'terminate' | 'suspend' | 'resume' }>;

/** What becomes of the instance after an episode. */
type Outcome =
  | { readonly kind: 'running' }
  | { readonly kind: 'completed'; readonly output: string }
  | { readonly kind: 'failed'; readonly reason: string; readonly details: string }
  | { readonly kind: 'continuedAsNew'; readonly input: string };

/**
 * Returns the function that advances one orchestration instance by one step: it reads the messages that wait for the
 * instance, replays the orchestrator over its history and those messages, finds out what is new, and commits
 * everything in one transaction. Resolves when nothing is left to do or when the step is committed; `again` is called
 * if messages are left. Says how long the instance should rest before its next turn. Throws when the episode has to be run again.
 */
export function createOrchestrationRunner(
  parts: EngineParts,
  again: (instanceId: string) => void,
): (instanceId: string) => Promise<{ readonly restMs: number }> {
  const { store, mailroom, clock, functions, log } = parts;
  const cache = createHistoryCache(store);

  return async function runOrchestration(instanceId) {
    const instance = store.instance(instanceId);
    if (instance === undefined || isFinished(instance.status)) {
      cache.delete(instanceId);
      store.transaction(() => store.deleteMessagesFor(instanceId));
      return noRest;
    }
    const isSuspended = instance.status === 'Suspended';
    const now = clock();
    // While it is suspended nothing but a control message is taken, wherever that stands.
    const messages = store.messages(instanceId, now, isSuspended ? -1 : batchSize);
    const control = firstControl(messages, isSuspended);
    if (control !== undefined) {
      applyControl(instance, control, messages);
      again(instanceId);
      return noRest;
    }
    if (isSuspended) {
      return noRest;
    }
    const controlAt = messages.findIndex((message) => isControl(message));
    const batch = controlAt === -1 ? messages : messages.slice(0, controlAt);
    const begin = performance.now();
    const openTasks = batch.length > 0 ? await runEpisode(instance, batch) : 0;
    if (batch.length < messages.length || messages.length === batchSize) {
      again(instanceId);
    }
    // Each turn replays the whole history. While many answers are on their way, the instance leaves the activities as
    // much time as it took itself, so that a long history is not replayed for a few of them.
    return openTasks > 4 ? { restMs: Math.min(performance.now() - begin, maxRestMs) } : noRest;
  };

  /** The control message to act upon now: a termination at once, the others when it is their turn. */
  function firstControl(messages: readonly Message[], isSuspended: boolean): Message | undefined {
    const termination = messages.find((message) => message.body.kind === 'terminate');
    const [next] = isSuspended ? messages.filter((message) => isControl(message)) : messages;
    return termination ?? (next !== undefined && isControl(next) ? next : undefined);
  }

  function applyControl(instance: InstanceRow, message: Message, messages: readonly Message[]): void {
    const { kind, reason } = message.body as Control;
    const { instanceId } = instance;
    const history = cache.get(instanceId, instance.executionId);
    const timestamp = isoTime(clock());
    const plain = { EventId: -1, Timestamp: timestamp };
    const events: HistoryEvent[] = [{ EventType: eventType.orchestratorStarted, ...plain }];
    let status: RuntimeStatus = instance.status;
    if (kind === 'terminate') {
      if (history.events.length === 0) {
        // Terminated before its first turn.
        events.push(...messages.flatMap(({ body }) => (isStart(body) ? [body.event] : [])));
      }
      status = 'Terminated';
      events.push({ EventType: eventType.executionTerminated, ...plain, Input: reason });
      events.push(executionCompleted('Terminated', reason, nextEventId(history.events), timestamp));
    } else if (kind === 'suspend' && status !== 'Suspended') {
      status = 'Suspended';
      events.push({ EventType: eventType.executionSuspended, ...plain, Reason: reason });
    } else if (kind === 'resume' && status === 'Suspended') {
      status = history.events.some((event) => event.EventType === eventType.executionStarted) ? 'Running' : 'Pending';
      events.push({ EventType: eventType.executionResumed, ...plain, Reason: reason });
    }
    if (status === instance.status) {
      store.transaction(() => store.deleteMessages([message.seq]));
      return;
    }
    events.push({ EventType: eventType.orchestratorCompleted, ...plain });
    mailroom.commit((outgoing) => {
      store.appendHistory(instanceId, history.events.length, events);
      store.putInstance({
        ...instance,
        status,
        updatedAt: clock(),
        ...(status === 'Terminated' && { output: reason }),
      });
      if (status === 'Terminated') {
        end(outgoing, instance, { failed: true, text: reason, details: '' });
      } else {
        store.deleteMessages([message.seq]);
      }
    });
    if (status === 'Terminated') {
      cache.delete(instanceId);
      log('info', `Instance '${instanceId}' of '${instance.name}' was terminated.`);
    } else {
      cache.append(instanceId, history, events);
    }
  }

  /** Returns how many tasks are open after it. */
  async function runEpisode(instance: InstanceRow, batch: readonly Message[]): Promise<number> {
    const history = cache.get(instance.instanceId, instance.executionId);
    const seqs = batch.map((message) => message.seq);
    const incoming = relevantEvents(instance, history, batch);
    if (incoming.length === 0) {
      store.transaction(() => store.deleteMessages(seqs));
      return 0;
    }
    const timestamp = isoTime(Math.max(clock(), lastTurnAt(history.events)));
    const newEvents: HistoryEvent[] = [
      { EventType: eventType.orchestratorStarted, EventId: -1, Timestamp: timestamp },
      // A timer's event was written down when the timer was made.
      ...incoming.map((event) =>
        event.EventType === eventType.timerFired ? { ...event, Timestamp: timestamp } : event,
      ),
    ];
    const start = [...history.events, ...newEvents].find((event) => event.EventType === eventType.executionStarted);
    if (start === undefined) {
      throw new Error(`Instance '${instance.instanceId}' got messages before its start.`);
    }

    const orchestrator = functions.find('orchestrator', instance.name);
    const reply =
      orchestrator === undefined
        ? {
            isDone: false,
            actions: [],
            error: unknownFunctionMessage('orchestrator', instance.name, functions.names('orchestrator')),
          }
        : await replay(orchestrator, orchestratorPayload(instance, history, newEvents, parts.timerLimits));
    const statusText = reply.customStatus === undefined ? null : JSON.stringify(reply.customStatus);
    const statusIsTooLong = statusText !== null && statusText.length > maxCustomStatusChars;
    const judged = statusIsTooLong
      ? {
          isDone: false,
          actions: [],
          error: 'The size of the JSON-serialized payload must not exceed 16 KB of UTF-16 text.',
        }
      : reply;

    const interpretation = interpretActions({
      actions: judged.actions,
      // Over a status that is too long the extension stumbles before it looks at any action.
      history: statusIsTooLong ? [] : [...history.events, ...newEvents],
      instanceId: instance.instanceId,
      executionId: instance.executionId,
      parentInstanceId: instance.parent?.OrchestrationInstance.InstanceId,
      timerLimits: parts.timerLimits,
      findFunction: (kind, name) => functions.find(kind, name)?.name,
      functionNames: (kind) => functions.names(kind),
    });
    const outcome = decide(instance.name, judged, {
      ...interpretation,
      settled: interpretation.settled || statusIsTooLong,
    });
    commitEpisode({
      instance,
      history,
      seqs,
      newEvents,
      interpretation,
      outcome,
      timestamp,
      statusText: statusIsTooLong ? null : statusText,
    });
    return interpretation.openTasks;
  }

  /** Events of the batch that this execution has not had yet. The start comes first, whatever the clock did. */
  function relevantEvents(instance: InstanceRow, history: CachedHistory, batch: readonly Message[]): HistoryEvent[] {
    const hasStarted = history.events.some((event) => event.EventType === eventType.executionStarted);
    const answeredNow = new Set<number>();
    const relevant = batch.flatMap((message): HistoryEvent[] => {
      if (message.body.kind !== 'event') {
        return [];
      }
      const { event } = message.body;
      if (message.executionId !== null && message.executionId !== instance.executionId) {
        return [];
      }
      if (event.EventType === eventType.executionStarted) {
        return hasStarted ? [] : [event];
      }
      const id = answeredId(event);
      if (id !== undefined) {
        if (history.answered.has(id) || answeredNow.has(id)) {
          return [];
        }
        answeredNow.add(id);
      }
      return [event];
    });
    const isStartEvent = (event: HistoryEvent) => event.EventType === eventType.executionStarted;
    const ordered = [...relevant.filter(isStartEvent), ...relevant.filter((event) => !isStartEvent(event))];
    return parts.unkind === undefined ? ordered : shuffleCompletions(ordered, parts.unkind.delayMs);
  }

  async function replay(orchestrator: LoadedFunction, text: string): Promise<OrchestratorReply> {
    const once = () =>
      parts.invoke(orchestrator.name, { inputs: { [orchestrator.triggerBindingName]: { string: text } } });
    if (parts.unkind?.chance(0.1)) {
      // As after a lost lease: everything was computed, nothing was committed.
      await once().catch(() => {});
    }
    try {
      return readOrchestratorResult(await once());
    } catch (error) {
      if (isHostFailure(error)) {
        throw error;
      }
      return readOrchestratorError(error);
    }
  }

  interface EpisodeResult {
    readonly instance: InstanceRow;
    readonly history: CachedHistory;
    readonly seqs: readonly number[];
    readonly newEvents: readonly HistoryEvent[];
    readonly interpretation: Interpretation;
    readonly outcome: Outcome;
    readonly timestamp: string;
    readonly statusText: string | null;
  }

  function commitEpisode(episode: EpisodeResult): void {
    const { instance, history, interpretation, outcome, timestamp } = episode;
    const { instanceId, executionId } = instance;
    const now = clock();
    const customStatus = episode.statusText ?? instance.customStatus;
    const events: HistoryEvent[] = [
      ...episode.newEvents,
      ...interpretation.newWork.map((work) => schedulingEvent(work, instance, timestamp)),
    ];
    if (outcome.kind === 'completed' || outcome.kind === 'failed') {
      const [status, result] =
        outcome.kind === 'completed' ? (['Completed', outcome.output] as const) : (['Failed', outcome.reason] as const);
      events.push(executionCompleted(status, result, interpretation.nextId, timestamp));
    }
    events.push({ EventType: eventType.orchestratorCompleted, EventId: -1, Timestamp: timestamp });

    mailroom.commit((outgoing) => {
      store.deleteMessages(episode.seqs);
      for (const work of interpretation.newWork) {
        dispatchWork(outgoing, work, instance, now);
      }
      if (outcome.kind === 'continuedAsNew') {
        continueAsNew(outgoing, { ...instance, customStatus }, outcome.input, interpretation.carriedEvents);
        return;
      }
      store.appendHistory(instanceId, history.events.length, events);
      const ended = outcome.kind === 'completed' || outcome.kind === 'failed';
      store.putInstance({
        ...instance,
        customStatus,
        updatedAt: now,
        status: outcome.kind === 'completed' ? 'Completed' : outcome.kind === 'failed' ? 'Failed' : 'Running',
        ...(outcome.kind === 'completed' && { output: outcome.output }),
        ...(outcome.kind === 'failed' && { output: outcome.reason }),
      });
      if (ended) {
        end(
          outgoing,
          instance,
          outcome.kind === 'completed'
            ? { failed: false, text: outcome.output }
            : { failed: true, text: outcome.reason, details: outcome.details },
        );
      }
    });

    if (outcome.kind === 'running') {
      cache.append(instanceId, history, events);
      return;
    }
    cache.delete(instanceId);
    if (outcome.kind === 'completed') {
      warnOfLargePayload(log, `The output of instance '${instanceId}' of '${instance.name}'`, outcome.output);
    } else if (outcome.kind === 'failed') {
      log('error', `Instance '${instanceId}' of '${instance.name}' failed: ${outcome.reason}`);
    } else {
      log('debug', `Instance '${instanceId}' of '${instance.name}' continued as new (was ${executionId}).`);
    }
  }

  function continueAsNew(
    outgoing: Outgoing,
    instance: InstanceRow,
    input: string,
    carriedEvents: readonly EventRaised[],
  ): void {
    const { instanceId } = instance;
    const now = clock();
    const next = { ...instance, executionId: randomUUID(), input };
    store.clearHistory(instanceId);
    // Timers and answers of the old execution. Messages without an execution (events, control) stay.
    store.deleteMessagesFor(instanceId, instance.executionId);
    store.putInstance({ ...next, status: 'Running', createdAt: now, updatedAt: now });
    for (const event of [executionStarted(next, now), ...carriedEvents]) {
      outgoing.send({ target: instanceId, executionId: null, visibleAt: 0, body: { kind: 'event', event } });
    }
  }

  function dispatchWork(outgoing: Outgoing, work: ScheduledWork, instance: InstanceRow, now: number): void {
    const { instanceId, executionId } = instance;
    const toSelf = (visibleAt: number, event: HistoryEvent) =>
      outgoing.send({ target: instanceId, executionId, visibleAt, body: { kind: 'event', event } });
    switch (work.kind) {
      case 'activity':
        warnOfLargePayload(log, `The input of activity '${work.name}' (instance '${instanceId}')`, work.input);
        outgoing.addActivity({ instanceId, executionId, taskId: work.id, name: work.name, input: work.input });
        return;
      case 'timer': {
        const fireAt = Math.ceil(Date.parse(work.fireAt));
        toSelf(Math.max(fireAt, now), {
          EventType: eventType.timerFired,
          EventId: -1,
          Timestamp: work.fireAt,
          TimerId: work.id,
          FireAt: work.fireAt,
        });
        return;
      }
      case 'subOrchestration': {
        warnOfLargePayload(log, `The input of sub-orchestration '${work.name}' (instance '${instanceId}')`, work.input);
        const obstacle = instanceIdProblem(work.instanceId) ?? startChild(outgoing, work, instance);
        if (obstacle !== undefined) {
          toSelf(now, {
            EventType: eventType.subOrchestrationFailed,
            EventId: -1,
            Timestamp: isoTime(now),
            TaskScheduledId: work.id,
            Reason: `Orchestrator function '${work.name}' failed: ${obstacle}`,
            Details: '',
          });
        }
        return;
      }
      case 'entityMessage':
        outgoing.send({
          target: work.target,
          executionId: null,
          visibleAt: work.dueAt === undefined ? now : Math.max(now, Date.parse(work.dueAt)),
          body: {
            kind: 'operation',
            operation: {
              id: work.requestId,
              name: work.operation,
              input: work.input ?? null,
              ...(!work.isSignal && { caller: { instanceId, executionId } }),
            },
          },
        });
        return;
      default:
        throw new Error(`Unknown work: ${JSON.stringify(work satisfies never)}`);
    }
  }

  /** Returns why the child cannot be started. */
  function startChild(
    outgoing: Outgoing,
    work: Extract<ScheduledWork, { kind: 'subOrchestration' }>,
    parent: InstanceRow,
  ): string | undefined {
    const occupied = startInstance(parts, outgoing, {
      instanceId: work.instanceId,
      executionId: randomUUID(),
      name: work.name,
      version: work.version ?? parts.settings.defaultVersion,
      input: work.input,
      parent: {
        Name: parent.name,
        OrchestrationInstance: { InstanceId: parent.instanceId, ExecutionId: parent.executionId },
        TaskScheduleId: work.id,
        Version: parent.version,
      },
    });
    return occupied && `An Orchestration instance with the status ${occupied} already exists: '${work.instanceId}'.`;
  }

  type End =
    | { readonly failed: false; readonly text: string }
    | { readonly failed: true; readonly text: string; readonly details: string };

  /** Drops what still waits for the instance, and tells the parent. */
  function end(outgoing: Outgoing, instance: InstanceRow, result: End): void {
    store.deleteMessagesFor(instance.instanceId);
    outgoing.finished(instance.instanceId);
    const { parent } = instance;
    if (parent === null) {
      return;
    }
    const now = clock();
    const common = { EventId: -1, Timestamp: isoTime(now), TaskScheduledId: parent.TaskScheduleId };
    outgoing.send({
      target: parent.OrchestrationInstance.InstanceId,
      executionId: parent.OrchestrationInstance.ExecutionId,
      visibleAt: now,
      body: {
        kind: 'event',
        event: result.failed
          ? { EventType: eventType.subOrchestrationFailed, ...common, Reason: result.text, Details: result.details }
          : { EventType: eventType.subOrchestrationCompleted, ...common, Result: result.text },
      },
    });
  }
}

function isControl(message: Message): boolean {
  return message.body.kind === 'terminate' || message.body.kind === 'suspend' || message.body.kind === 'resume';
}

function isStart(body: Message['body']): body is Extract<Message['body'], { kind: 'event' }> {
  return body.kind === 'event' && body.event.EventType === eventType.executionStarted;
}

/** The instance ends only when every action has settled and nothing is open, however early the orchestrator returned. */
function decide(name: string, reply: OrchestratorReply, interpretation: Interpretation): Outcome {
  if (interpretation.nonDeterminism !== undefined) {
    return { kind: 'failed', reason: interpretation.nonDeterminism, details: interpretation.nonDeterminism };
  }
  const error = interpretation.failure ?? reply.error;
  const isDone = error !== undefined || reply.isDone;
  if (!isDone || !interpretation.settled || interpretation.openTasks > 0) {
    return { kind: 'running' };
  }
  if (error !== undefined) {
    return {
      kind: 'failed',
      reason: `Orchestrator function '${name}' failed: ${error}`,
      details: `Message: ${error}, StackTrace: ${reply.stack ?? ''}`,
    };
  }
  if (interpretation.continueAsNew !== undefined) {
    return { kind: 'continuedAsNew', input: JSON.stringify(interpretation.continueAsNew.input ?? null) };
  }
  return { kind: 'completed', output: JSON.stringify(reply.output ?? null) };
}
