import { describe, expect, it } from 'vitest';
import { eventType, type HistoryEvent, isoTime } from '../../../../local/host/durable/historyEvents.ts';
import {
  type Interpretation,
  instanceIdProblem,
  interpretActions,
  type ScheduledWork,
} from '../../../../local/host/durable/interpreter.ts';
import { type Action, actionType } from '../../../../local/host/durable/orchestratorReply.ts';

const origin = Date.parse('2026-01-01T00:00:00Z');
const day = 24 * 60 * 60 * 1000;

/** One turn of an orchestrator, at so many milliseconds after the origin. */
function turn(at: number, ...events: object[]): HistoryEvent[] {
  const common = { EventId: -1, Timestamp: isoTime(origin + at) };
  return [
    { EventType: eventType.orchestratorStarted, ...common },
    ...events.map((event) => ({ ...common, ...event }) as HistoryEvent),
    { EventType: eventType.orchestratorCompleted, ...common },
  ];
}

const started = { EventType: eventType.executionStarted, Name: 'o', Input: null };
const scheduled = (id: number, name = 'A') => ({
  EventType: eventType.taskScheduled,
  EventId: id,
  Name: name,
  Input: '[null]',
});
const completed = (id: number) => ({ EventType: eventType.taskCompleted, TaskScheduledId: id, Result: 'null' });
const failed = (id: number) => ({ EventType: eventType.taskFailed, TaskScheduledId: id, Reason: 'r', Details: 'd' });
const timerCreated = (id: number) => ({ EventType: eventType.timerCreated, EventId: id, FireAt: isoTime(origin) });
const timerFired = (id: number) => ({ EventType: eventType.timerFired, TimerId: id, FireAt: isoTime(origin) });
const childCreated = (id: number, name = 'Sub') => ({
  EventType: eventType.subOrchestrationCreated,
  EventId: id,
  Name: name,
  InstanceId: 'c',
  Input: 'null',
});
const childFailed = (id: number) => ({
  EventType: eventType.subOrchestrationFailed,
  TaskScheduledId: id,
  Reason: 'r',
  Details: 'd',
});
const raised = (name: string) => ({ EventType: eventType.eventRaised, Name: name, Input: 'null' });
const sent = (id: number) => ({
  EventType: eventType.eventSent,
  EventId: id,
  InstanceId: '@e@k',
  Name: 'op',
  Input: '{}',
});

const call = (functionName = 'A', input?: unknown): Action => ({
  actionType: actionType.callActivity,
  functionName,
  input,
});
const retried = (maxNumberOfAttempts: number, more: object = {}): Action => ({
  actionType: actionType.callActivityWithRetry,
  functionName: 'A',
  retryOptions: { firstRetryIntervalInMilliseconds: 100, maxNumberOfAttempts, ...more },
});
const child = (instanceId?: string): Action => ({
  actionType: actionType.callSubOrchestrator,
  functionName: 'Sub',
  ...(instanceId !== undefined && { instanceId }),
});
const timer = (at: number, isCanceled = false): Action => ({
  actionType: actionType.createTimer,
  fireAt: isoTime(origin + at),
  isCanceled,
});
const wait = (externalEventName: string): Action => ({
  actionType: actionType.waitForExternalEvent,
  externalEventName,
});
const entityCall: Action = { actionType: actionType.callEntity, instanceId: '@e@k', operation: 'get' };
const signal: Action = { actionType: actionType.signalEntity, instanceId: '@e@k', operation: 'add', input: 1 };
const all = (...compoundActions: Action[]): Action => ({ actionType: actionType.whenAll, compoundActions });
const any = (...compoundActions: Action[]): Action => ({ actionType: actionType.whenAny, compoundActions });
const again: Action = { actionType: actionType.continueAsNew, input: 7 };

function interpret(actions: readonly Action[], ...turns: HistoryEvent[][]): Interpretation {
  const names: Readonly<Record<string, readonly string[]>> = {
    activity: ['A', 'B'],
    orchestrator: ['Sub'],
    entity: ['E'],
  };
  return interpretActions({
    actions,
    history: turns.flat(),
    instanceId: 'me',
    executionId: 'x',
    parentInstanceId: 'mother',
    timerLimits: { maximumShortTimerMs: 6 * day, longTimerLinkMs: 3 * day },
    findFunction: (kind, name) => names[kind]?.find((each) => each.toLowerCase() === name.toLowerCase()),
    functionNames: (kind) => names[kind] ?? [],
  });
}

const briefly = (work: ScheduledWork) =>
  `${work.id} ${work.kind}${'name' in work ? ` ${work.name}` : ''}${'fireAt' in work ? ` ${Date.parse(work.fireAt) - origin}` : ''}`;

interface Case {
  readonly name: string;
  readonly actions: readonly Action[];
  readonly turns: HistoryEvent[][];
  readonly newWork?: readonly string[];
  readonly settled?: boolean;
  readonly open?: boolean;
  readonly nextId?: number;
}

const cases: readonly Case[] = [
  {
    name: 'schedules the first activity only',
    actions: [call(), call('B')],
    turns: [turn(0, started)],
    newWork: ['0 activity A'],
    open: true,
  },
  {
    name: 'waits for an activity that is under way',
    actions: [call(), call('B')],
    turns: [turn(0, started, scheduled(0))],
    open: true,
  },
  {
    name: 'goes on after a completed activity',
    actions: [call(), call('B')],
    turns: [turn(0, started, scheduled(0)), turn(1, completed(0))],
    newWork: ['1 activity B'],
    open: true,
  },
  {
    name: 'goes on after a failed activity: the error is the business of the orchestrator',
    actions: [call(), call('B')],
    turns: [turn(0, started, scheduled(0)), turn(1, failed(0))],
    newWork: ['1 activity B'],
    open: true,
  },
  {
    name: 'counts a second answer to one activity for nothing',
    actions: [call(), call('B')],
    turns: [turn(0, started, scheduled(0)), turn(1, completed(0), scheduled(1, 'B')), turn(2, failed(0))],
    open: true,
  },
  {
    name: 'gives ids to the children of compounds depth first',
    actions: [all(call(), any(timer(5), call('B'), wait('e')), call())],
    turns: [turn(0, started)],
    newWork: ['0 activity A', '1 timer 5', '2 activity B', '3 activity A'],
    open: true,
  },
  {
    name: 'waits in Task.all for every child, also after one has failed',
    actions: [all(call(), call()), call('B')],
    turns: [turn(0, started, scheduled(0), scheduled(1)), turn(1, failed(0))],
    open: true,
  },
  {
    name: 'goes on from Task.any at the first child, and leaves the others open',
    actions: [any(call(), timer(50))],
    turns: [turn(0, started, scheduled(0), timerCreated(1)), turn(1, completed(0))],
    settled: true,
    open: true,
  },
  {
    name: 'does not count a cancelled timer as open',
    actions: [any(call(), timer(50, true)), call('B')],
    turns: [turn(0, started, scheduled(0), timerCreated(1)), turn(1, completed(0))],
    newWork: ['2 activity B'],
    open: true,
  },
  {
    name: 'is done when only cancelled timers are left',
    actions: [any(call(), timer(50, true))],
    turns: [turn(0, started, scheduled(0), timerCreated(1)), turn(1, completed(0))],
    settled: true,
  },
  {
    name: 'does not stumble over a cancelled timer that fires all the same',
    actions: [all(call(), timer(50, true)), call('B')],
    turns: [turn(0, started, scheduled(0), timerCreated(1)), turn(60, timerFired(1))],
    open: true,
  },
  {
    name: 'makes a timer after a failed try',
    actions: [retried(3)],
    turns: [turn(0, started, scheduled(0)), turn(10, failed(0))],
    newWork: ['1 timer 110'],
    open: true,
  },
  {
    name: 'retries after the timer',
    actions: [retried(3)],
    turns: [turn(0, started, scheduled(0)), turn(10, failed(0), timerCreated(1)), turn(120, timerFired(1))],
    newWork: ['2 activity A'],
    open: true,
  },
  {
    name: 'lets the interval grow by the coefficient and stops it at the maximum',
    actions: [retried(9, { backoffCoefficient: 3, maxRetryIntervalInMilliseconds: 800 })],
    turns: [
      turn(0, started, scheduled(0)),
      turn(10, failed(0), timerCreated(1)),
      turn(200, timerFired(1), scheduled(2)),
      turn(210, failed(2), timerCreated(3)),
      turn(600, timerFired(3), scheduled(4)),
      turn(610, failed(4)),
    ],
    newWork: ['5 timer 1410'],
    open: true,
  },
  {
    name: 'makes one more timer, due at once, after the last failed try',
    actions: [retried(2), call('B')],
    turns: [
      turn(0, started, scheduled(0)),
      turn(10, failed(0), timerCreated(1)),
      turn(120, timerFired(1), scheduled(2)),
      turn(130, failed(2)),
    ],
    newWork: ['3 timer 130'],
    open: true,
  },
  {
    name: 'reports the failure after that timer',
    actions: [retried(2), call('B')],
    turns: [
      turn(0, started, scheduled(0)),
      turn(10, failed(0), timerCreated(1)),
      turn(120, timerFired(1), scheduled(2)),
      turn(130, failed(2), timerCreated(3)),
      turn(131, timerFired(3)),
    ],
    newWork: ['4 activity B'],
    open: true,
  },
  {
    name: 'makes no timer when the time for retries is over',
    actions: [retried(5, { retryTimeoutInMilliseconds: 5 }), call('B')],
    turns: [turn(0, started, scheduled(0)), turn(10, failed(0))],
    newWork: ['1 activity B'],
    open: true,
  },
  {
    name: 'retries the children of Task.all each on its own',
    actions: [all(retried(2), retried(2))],
    turns: [turn(0, started, scheduled(0), scheduled(1)), turn(10, failed(1), completed(0))],
    newWork: ['2 timer 110'],
    open: true,
  },
  {
    name: 'makes links of three days of a timer beyond six',
    actions: [timer(8 * day)],
    turns: [turn(0, started)],
    newWork: [`0 timer ${3 * day}`],
    open: true,
  },
  {
    name: 'makes the next link as long as the first while three days or more are left',
    actions: [timer(8 * day)],
    turns: [turn(0, started, timerCreated(0)), turn(3 * day, timerFired(0))],
    newWork: [`1 timer ${6 * day}`],
    open: true,
  },
  {
    name: 'makes the last link shorter',
    actions: [timer(8 * day), call('B')],
    turns: [
      turn(0, started, timerCreated(0)),
      turn(3 * day, timerFired(0), timerCreated(1)),
      turn(6 * day, timerFired(1)),
    ],
    newWork: [`2 timer ${8 * day}`],
    open: true,
  },
  {
    name: 'goes on after the last link',
    actions: [timer(8 * day), call('B')],
    turns: [
      turn(0, started, timerCreated(0)),
      turn(3 * day, timerFired(0), timerCreated(1)),
      turn(6 * day, timerFired(1), timerCreated(2)),
      turn(8 * day, timerFired(2)),
    ],
    newWork: ['3 activity B'],
    open: true,
  },
  {
    name: 'keeps a timer of six days in one piece',
    actions: [timer(6 * day)],
    turns: [turn(0, started)],
    newWork: [`0 timer ${6 * day}`],
    open: true,
  },
  {
    name: 'takes no id for event waits and does not count them as open',
    actions: [any(wait('e'), wait('f'))],
    turns: [turn(0, started)],
    nextId: 0,
  },
  {
    name: 'serves a waiter with an event that came before it',
    actions: [call(), wait('e'), call('B')],
    turns: [turn(0, started, scheduled(0)), turn(1, raised('e'), completed(0))],
    newWork: ['1 activity B'],
    open: true,
  },
  {
    name: 'gives an event to the waiter that came last',
    actions: [any(all(wait('e'), wait('f')), wait('e')), call('B')],
    turns: [turn(0, started), turn(1, raised('e'))],
    newWork: ['0 activity B'],
    open: true,
  },
  {
    name: 'does not serve a waiter with an event of another case',
    actions: [wait('e'), call('B')],
    turns: [turn(0, started), turn(1, raised('E'))],
  },
  {
    name: 'sends an entity message with an id of its own and waits for the answer',
    actions: [signal, entityCall, call('B')],
    turns: [turn(0, started)],
    newWork: ['0 entityMessage', '1 entityMessage'],
  },
  {
    name: 'names a child after the execution when it has no id',
    actions: [child()],
    turns: [turn(0, started)],
    newWork: ['0 subOrchestration Sub'],
    open: true,
  },
  {
    name: 'goes on after a failed child',
    actions: [child(), call('B')],
    turns: [turn(0, started, childCreated(0)), turn(1, childFailed(0))],
    newWork: ['1 activity B'],
    open: true,
  },
  {
    name: 'finds functions whatever the case of their names',
    actions: [call('a')],
    turns: [turn(0, started)],
    newWork: ['0 activity A'],
    open: true,
  },
];

describe('interpretActions', () => {
  it.each(cases)('$name', ({ actions, turns, newWork = [], settled = false, open = false, nextId }) => {
    const result = interpret(actions, ...turns);
    expect(result.nonDeterminism).toBeUndefined();
    expect(result.failure).toBeUndefined();
    expect(result.newWork.map(briefly)).toEqual(newWork);
    expect({ settled: result.settled, open: result.openTasks > 0 }).toEqual({ settled, open });
    if (nextId !== undefined) {
      expect(result.nextId).toBe(nextId);
    }
  });

  it('answers an entity call by the id that it sent, the same one in each replay', () => {
    const idOf = (result: Interpretation) =>
      result.newWork.map((work) => (work.kind === 'entityMessage' ? work.requestId : ''))[0] ?? '';
    const requestId = idOf(interpret([entityCall, call('B')], turn(0, started)));
    expect(requestId).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(idOf(interpret([entityCall, call('B')], turn(0, started)))).toBe(requestId);
    const answered = interpret([entityCall, call('B')], turn(0, started, sent(0)), turn(1, raised(requestId)));
    expect(answered.newWork.map(briefly)).toEqual(['1 activity B']);
  });

  it('carries the events that arrive after continueAsNew and loses those from before', () => {
    const result = interpret(
      [wait('go'), again],
      turn(0, started),
      turn(1, raised('early'), raised('go'), raised('late'), raised('later')),
    );
    expect(result).toMatchObject({ settled: true, openTasks: 0, continueAsNew: { input: 7 } });
    expect(result.carriedEvents.map((event) => event.Name)).toEqual(['late', 'later']);
  });

  it('holds continueAsNew back until nothing is open', () => {
    const actions = [any(call(), timer(50)), again];
    const turns = [turn(0, started, scheduled(0), timerCreated(1)), turn(1, completed(0))];
    expect(interpret(actions, ...turns)).toMatchObject({ settled: true, openTasks: 1 });
    expect(interpret(actions, ...turns, turn(60, timerFired(1)))).toMatchObject({ settled: true, openTasks: 0 });
  });

  it('numbers a retry timer where the extension does when a sibling in Task.all has failed for good', () => {
    // The library goes on at the failure and gives id 2 to the next call; here id 2 is the timer of the retry. So it is
    // in Azure as well: an orchestrator must not let a retried task fail inside Task.all.
    const result = interpret(
      [all(call(), retried(3)), call('B')],
      turn(0, started, scheduled(0), scheduled(1)),
      turn(1, failed(0), failed(1)),
    );
    expect(result.newWork.map(briefly)).toEqual(['2 timer 101']);
  });

  it.each([
    {
      name: 'another activity',
      actions: [call('B')],
      turns: [turn(0, started, scheduled(0, 'A'))],
      text: /named 'A'.*named 'B'/,
    },
    {
      name: 'a timer for an activity',
      actions: [timer(5)],
      turns: [turn(0, started, scheduled(0))],
      text: /named 'A'.*a timer task/,
    },
    {
      name: 'an activity for a timer',
      actions: [call()],
      turns: [turn(0, started, timerCreated(0))],
      text: /a timer task.*named 'A'/,
    },
    {
      name: 'a child for an activity',
      actions: [child()],
      turns: [turn(0, started, scheduled(0))],
      text: /a sub-orchestration/,
    },
    {
      name: 'another child',
      actions: [child()],
      turns: [turn(0, started, childCreated(0, 'Old'))],
      text: /named 'Old'.*named 'Sub'/,
    },
    {
      name: 'nothing any more',
      actions: [],
      turns: [turn(0, started, scheduled(0))],
      text: /hasn't \(yet\?\) scheduled/,
    },
    {
      name: 'an activity for an entity call',
      actions: [call()],
      turns: [turn(0, started, sent(0))],
      text: /a message to an entity/,
    },
  ])('notices a replay that asks for $name', ({ actions, turns, text }) => {
    const result = interpret(actions, ...turns);
    expect(result.nonDeterminism).toMatch(
      /^Non-Deterministic workflow detected: A previous execution of this orchestration/,
    );
    expect(result.nonDeterminism).toMatch(text);
    expect(result.newWork).toEqual([]);
  });

  it.each([
    { name: 'an unknown activity', action: call('Nope'), text: "The function 'Nope' doesn't exist" },
    {
      name: 'an unknown child',
      action: { actionType: 2, functionName: 'Nope' } as const,
      text: 'is not an orchestrator function',
    },
    {
      name: 'an unknown entity',
      action: { actionType: 7, instanceId: '@nope@k', operation: 'x' } as const,
      text: "The function 'nope' doesn't exist, is disabled, or is not an entity function.",
    },
    { name: 'HTTP', action: { actionType: 8 } as const, text: 'context.df.callHttp() is not supported' },
    { name: 'locks', action: { actionType: 13 } as const, text: 'critical sections' },
    { name: 'its own id for a child', action: child('ME'), text: 'must be different' },
    { name: "its parent's id for a child", action: child('mother'), text: 'must be different' },
    { name: 'an id for a child that no table takes', action: child('a/b'), text: 'must not contain' },
    { name: 'an action of the future', action: { actionType: 99 } as unknown as Action, text: '99' },
  ])('ends the orchestration over $name', ({ action, text }) => {
    const result = interpret([all(call(), action), call('B')], turn(0, started, scheduled(0)));
    expect(result.failure).toContain(text);
    // What was asked for before is still under way, and nothing is asked for after.
    expect(result).toMatchObject({ settled: true, openTasks: 1, newWork: [] });
  });
});

describe('instanceIdProblem', () => {
  it.each(['a', 'run-1:part.2 ü', 'x'.repeat(256)])('accepts %j', (id) => {
    expect(instanceIdProblem(id)).toBeUndefined();
  });

  it.each(['', '@x', 'a/b', 'a\\b', 'a#b', 'a?b', 'a\nb', 'a\u0085b', 'x'.repeat(257)])('refuses %j', (id) => {
    expect(instanceIdProblem(id)).toBeTypeOf('string');
  });
});
