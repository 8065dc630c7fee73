/**
 * An orchestrator under the real executor of the library, in virtual time: each episode replays the whole history, as on
 * a Functions host, and what it asks for is read as the Durable extension reads it.
 */

import { createRequire } from 'node:module';

import type { OrchestrationContext } from 'durable-functions';

import { eventType, type HistoryEvent, isoTime } from '../../local/host/durable/historyEvents.ts';
import { interpretActions, type ScheduledWork } from '../../local/host/durable/interpreter.ts';
import { readOrchestratorError, readOrchestratorResult } from '../../local/host/durable/orchestratorReply.ts';

// Not published by the library, and the only way to its executor without a host.
const { createOrchestrator, DummyOrchestrationContext, DurableOrchestrationInput } = createRequire(import.meta.url)(
  'durable-functions/lib/src/util/testingUtils',
) as {
  createOrchestrator(fn: unknown): (input: unknown, context: unknown) => Promise<unknown>;
  DummyOrchestrationContext: new () => object;
  DurableOrchestrationInput: new (...all: unknown[]) => object;
};

const ORIGIN = Date.parse('2026-11-20T02:00:00Z');
const HISTORIES = 20;
const EPISODES = 500;

/** What happened in virtual time, in ms since the start. */
export interface Happening {
  readonly at: number;
  readonly what: string;
  /** How many messages had been delivered before it. */
  readonly delivery: number;
}

export interface EngineResult {
  readonly status: 'completed' | 'failed' | 'stuck';
  readonly output: unknown;
  readonly endedAt: number;
  readonly happenings: readonly Happening[];
  /** How many messages the engine delivered: an event can be raised along with each. */
  readonly deliveries: number;
}

export interface EngineScript {
  /** Answers what is no timer. An Error fails it. */
  answer(work: ScheduledWork, at: number): unknown;
  /** How long each takes, ms. */
  readonly workMs: number;
  /** Events to raise: beside which delivery, on which side of it or how long after it. */
  readonly raised: readonly Raised[];
}

export interface Raised {
  readonly name: string;
  readonly delivery: number;
  /** `before` and `after`: in the same episode. `later`: half the time to the next message passes first. */
  readonly side: 'before' | 'after' | 'later';
}

interface Message {
  readonly at: number;
  readonly event: Record<string, unknown>;
  /** From outside, not an answer. */
  readonly isRaised?: true;
}

interface Engine {
  clock: number;
  deliveries: number;
  readonly happenings: Happening[];
}

/** Runs an orchestrator to its end, over all its histories. */
export async function runReplayed(
  orchestrator: (context: OrchestrationContext) => Generator<unknown, unknown, unknown>,
  input: unknown,
  script: EngineScript,
): Promise<EngineResult> {
  const engine: Engine = { clock: 0, deliveries: 0, happenings: [] };
  const done = (status: EngineResult['status'], output: unknown): EngineResult => ({
    status,
    output,
    endedAt: engine.clock,
    happenings: engine.happenings,
    deliveries: engine.deliveries,
  });
  let next = input;
  let carried: Message[] = [];
  for (let execution = 0; execution < HISTORIES; execution++) {
    const ended = await oneHistory(
      engine,
      orchestrator,
      { input: next, carried, executionId: `e${execution}` },
      script,
    );
    if (!('again' in ended)) return done(ended.status, ended.output);
    engine.happenings.push({ at: engine.clock, what: 'continueAsNew', delivery: engine.deliveries });
    [next, carried] = [ended.again, ended.carried];
  }
  return done('stuck', 'too many histories');
}

type HistoryEnd =
  | { readonly status: EngineResult['status']; readonly output: unknown }
  | { readonly again: unknown; readonly carried: Message[] };

async function oneHistory(
  engine: Engine,
  orchestrator: unknown,
  run: { readonly input: unknown; readonly carried: readonly Message[]; readonly executionId: string },
  script: EngineScript,
): Promise<HistoryEnd> {
  const history: HistoryEvent[] = [];
  const start = { EventType: eventType.executionStarted, Name: 'run', Input: JSON.stringify(run.input) };
  const queue: Message[] = [{ at: engine.clock, event: start }, ...run.carried];
  for (let episode = 0; episode < EPISODES; episode++) {
    const messages = nextMessages(engine, queue, script);
    if (messages === undefined) return { status: 'stuck', output: 'nothing more to come' };
    const stamp = { EventId: -1, Timestamp: isoTime(ORIGIN + engine.clock) };
    history.push({ EventType: eventType.orchestratorStarted, ...stamp });
    for (const event of messages) history.push({ ...stamp, ...event } as HistoryEvent);
    const reply = await replay(orchestrator, history, run.input);
    const seen = interpretActions({
      actions: reply.actions,
      history,
      instanceId: 'run1',
      executionId: run.executionId,
      parentInstanceId: undefined,
      timerLimits: { maximumShortTimerMs: 6 * 86_400_000, longTimerLinkMs: 3 * 86_400_000 },
      findFunction: (_kind, name) => name,
      functionNames: () => [],
    });
    if (seen.nonDeterminism !== undefined) return { status: 'failed', output: seen.nonDeterminism };
    if (seen.failure !== undefined) return { status: 'failed', output: seen.failure };
    for (const work of seen.newWork) history.push(schedule(engine, work, queue, script, stamp));
    history.push({ EventType: eventType.orchestratorCompleted, ...stamp });
    if (seen.continueAsNew !== undefined) {
      const carried = seen.carriedEvents.map((event) => ({
        at: engine.clock,
        event: { ...event },
        isRaised: true as const,
      }));
      const late = queue.filter(({ isRaised }) => isRaised);
      return { again: seen.continueAsNew.input, carried: [...carried, ...late] };
    }
    if (reply.error !== undefined) return { status: 'failed', output: reply.error };
    // One that is done all but for a timer that nobody cancelled stays.
    if (reply.isDone && seen.settled && seen.openTasks === 0) return { status: 'completed', output: reply.output };
  }
  return { status: 'stuck', output: 'too many episodes' };
}

async function replay(orchestrator: unknown, history: readonly HistoryEvent[], input: unknown) {
  const context = new DummyOrchestrationContext();
  const last = history.findLastIndex(({ EventType }) => EventType === eventType.orchestratorStarted);
  const events = history.map((event, at) => ({
    ...structuredClone(event),
    IsPlayed: at < last,
    Timestamp: new Date(event.Timestamp),
  }));
  const payload = new DurableOrchestrationInput(
    'run1',
    events,
    structuredClone(input),
    undefined,
    undefined,
    undefined,
    3,
  );
  try {
    const state = await createOrchestrator(orchestrator)(payload, context);
    return readOrchestratorResult({ returnValue: { json: JSON.stringify(state) } } as never);
  } catch (error) {
    return readOrchestratorError(error);
  }
}

/** The messages of the next episode; moves the clock to them. A timer that was cancelled comes, too. */
function nextMessages(engine: Engine, queue: Message[], script: EngineScript): Record<string, unknown>[] | undefined {
  queue.sort((a, b) => a.at - b.at);
  const first = queue.shift();
  if (first === undefined) return undefined;
  engine.clock = Math.max(engine.clock, first.at);
  if (first.isRaised) return [note(engine, first.event)];
  const delivery = engine.deliveries++;
  const side = (wanted: Raised['side']) =>
    script.raised
      .filter((each) => each.delivery === delivery && each.side === wanted)
      .map(({ name }) => ({ EventType: eventType.eventRaised, Name: name, Input: '{}' }));
  // What this delivery leads to takes `workMs` at least: the event comes in its midst.
  for (const event of side('later')) queue.push({ at: engine.clock + script.workMs / 2, event, isRaised: true });
  return [
    ...side('before').map((event) => note(engine, event)),
    first.event,
    ...side('after').map((event) => note(engine, event)),
  ];
}

function note(engine: Engine, event: Record<string, unknown>): Record<string, unknown> {
  engine.happenings.push({ at: engine.clock, what: `raised ${String(event['Name'])}`, delivery: engine.deliveries });
  return event;
}

function schedule(
  engine: Engine,
  work: ScheduledWork,
  queue: Message[],
  { answer, workMs }: EngineScript,
  stamp: { readonly EventId: number; readonly Timestamp: string },
): HistoryEvent {
  const base = { ...stamp, EventId: work.id };
  const at = engine.clock + workMs;
  if (work.kind === 'timer') {
    const event = { EventType: eventType.timerFired, TimerId: work.id, FireAt: work.fireAt };
    queue.push({ at: Date.parse(work.fireAt) - ORIGIN, event });
    return { ...base, EventType: eventType.timerCreated, FireAt: work.fireAt };
  }
  if (work.kind === 'entityMessage') {
    if (!work.isSignal) {
      const result = JSON.stringify({ result: JSON.stringify(answer(work, engine.clock)) });
      queue.push({ at, event: { EventType: eventType.eventRaised, Name: work.requestId, Input: result } });
    }
    const Input = JSON.stringify({ op: work.operation, id: work.requestId });
    return { ...base, EventType: eventType.eventSent, InstanceId: work.target, Name: 'op', Input };
  }
  engine.happenings.push({ at: engine.clock, what: work.name, delivery: engine.deliveries });
  const given = answer(work, engine.clock);
  const ids = { TaskScheduledId: work.id };
  const Reason = given instanceof Error ? `Activity function '${work.name}' failed: ${given.message}` : '';
  const Result = JSON.stringify(given ?? null);
  if (work.kind === 'activity') {
    const event =
      given instanceof Error
        ? { EventType: eventType.taskFailed, ...ids, Reason, Details: '' }
        : { EventType: eventType.taskCompleted, ...ids, Result };
    queue.push({ at, event });
    return { ...base, EventType: eventType.taskScheduled, Name: work.name, Version: null, Input: work.input };
  }
  queue.push({ at, event: { EventType: eventType.subOrchestrationCompleted, ...ids, Result } });
  const { name: Name, instanceId: InstanceId, input: Input } = work;
  return { ...base, EventType: eventType.subOrchestrationCreated, Name, Version: null, InstanceId, Input };
}
