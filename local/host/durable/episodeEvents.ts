import { answeredId, type ExecutionCompleted, eventType, type HistoryEvent } from './historyEvents.ts';
import type { ScheduledWork } from './interpreter.ts';
import type { InstanceRow } from './store.ts';

/** The event that says what an instance has asked for. */
export function schedulingEvent(work: ScheduledWork, instance: InstanceRow, timestamp: string): HistoryEvent {
  const common = { EventId: work.id, Timestamp: timestamp };
  switch (work.kind) {
    case 'activity':
      return { EventType: eventType.taskScheduled, ...common, Name: work.name, Version: '', Input: work.input };
    case 'timer':
      return { EventType: eventType.timerCreated, ...common, FireAt: work.fireAt };
    case 'subOrchestration':
      return {
        EventType: eventType.subOrchestrationCreated,
        ...common,
        Name: work.name,
        Version: work.version,
        InstanceId: work.instanceId,
        Input: work.input,
      };
    case 'entityMessage':
      return {
        EventType: eventType.eventSent,
        ...common,
        InstanceId: work.target,
        Name: work.dueAt === undefined ? 'op' : `op@${work.dueAt}`,
        Input: JSON.stringify({
          op: work.operation,
          ...(work.isSignal && { signal: true }),
          ...(work.input !== undefined && { input: work.input }),
          id: work.requestId,
          parent: instance.instanceId,
          parentExecution: instance.executionId,
          ...(work.dueAt !== undefined && { due: work.dueAt }),
        }),
      };
    default:
      throw new Error(`Unknown work: ${JSON.stringify(work satisfies never)}`);
  }
}

export function executionCompleted(
  status: ExecutionCompleted['OrchestrationStatus'],
  result: string,
  eventId: number,
  timestamp: string,
): ExecutionCompleted {
  return {
    EventType: eventType.executionCompleted,
    EventId: eventId,
    Timestamp: timestamp,
    OrchestrationStatus: status,
    Result: result,
  };
}

/** One more than the highest sequence id so far. */
export function nextEventId(events: readonly HistoryEvent[]): number {
  return 1 + events.reduce((highest, event) => Math.max(highest, event.EventId), -1);
}

/** Milliseconds since 1970; 0 before the first turn. */
export function lastTurnAt(events: readonly HistoryEvent[]): number {
  const last = events.findLast((event) => event.EventType === eventType.orchestratorStarted);
  return last === undefined ? 0 : Date.parse(last.Timestamp);
}

/** The answers change places among themselves; everything else stays where it is. */
export function shuffleCompletions(events: readonly HistoryEvent[], below: (upTo: number) => number): HistoryEvent[] {
  const shuffled = [...events];
  const places = shuffled.flatMap((event, index) => (answeredId(event) === undefined ? [] : [index]));
  for (let left = places.length - 1; left > 0; left--) {
    const a = places[left];
    const b = places[below(left + 1)];
    const [first, second] = [a === undefined ? undefined : shuffled[a], b === undefined ? undefined : shuffled[b]];
    if (a !== undefined && b !== undefined && first !== undefined && second !== undefined) {
      shuffled[a] = second;
      shuffled[b] = first;
    }
  }
  return shuffled;
}
