/**
 * History events as they reach the durable-functions library (names and numbers: Azure/durabletask,
 * DurableTask.Core/History; read by durable-functions TaskOrchestrationExecutor.js). `Input` and `Result` are JSON text.
 * Events are kept without `IsPlayed`: that member depends on the episode that sends them.
 */
export const eventType = {
  executionStarted: 0,
  executionCompleted: 1,
  executionTerminated: 3,
  taskScheduled: 4,
  taskCompleted: 5,
  taskFailed: 6,
  subOrchestrationCreated: 7,
  subOrchestrationCompleted: 8,
  subOrchestrationFailed: 9,
  timerCreated: 10,
  timerFired: 11,
  orchestratorStarted: 12,
  orchestratorCompleted: 13,
  eventSent: 14,
  eventRaised: 15,
  executionSuspended: 19,
  executionResumed: 20,
} as const;

interface EventBase {
  /** The sequence id of a scheduling event, -1 for all others. */
  readonly EventId: number;
  /** ISO 8601, UTC, milliseconds. */
  readonly Timestamp: string;
}

export interface OrchestrationInstance {
  readonly InstanceId: string;
  readonly ExecutionId: string;
}

export interface ParentInstance {
  readonly Name: string;
  readonly OrchestrationInstance: OrchestrationInstance;
  readonly TaskScheduleId: number;
  readonly Version: string | null;
}

export interface ExecutionStarted extends EventBase {
  readonly EventType: 0;
  readonly Name: string;
  readonly Version: string | null;
  readonly Input: string | null;
  readonly OrchestrationInstance: OrchestrationInstance;
  readonly ParentInstance: ParentInstance | null;
  readonly Tags: null;
  readonly Correlation: null;
}

export interface ExecutionCompleted extends EventBase {
  readonly EventType: 1;
  readonly OrchestrationStatus: 'Completed' | 'Failed' | 'Terminated';
  readonly Result: string | null;
}

export interface ExecutionTerminated extends EventBase {
  readonly EventType: 3;
  readonly Input: string;
}

export interface TaskScheduled extends EventBase {
  readonly EventType: 4;
  readonly Name: string;
  readonly Version: string | null;
  /** JSON text of an array with the one argument. */
  readonly Input: string;
}

export interface TaskCompleted extends EventBase {
  readonly EventType: 5;
  readonly TaskScheduledId: number;
  /** JSON text; never empty: the library parses it without looking. */
  readonly Result: string;
}

export interface TaskFailed extends EventBase {
  readonly EventType: 6;
  readonly TaskScheduledId: number;
  readonly Reason: string;
  readonly Details: string;
}

export interface SubOrchestrationCreated extends EventBase {
  readonly EventType: 7;
  readonly Name: string;
  readonly Version: string | null;
  readonly InstanceId: string;
  readonly Input: string;
}

export interface SubOrchestrationCompleted extends EventBase {
  readonly EventType: 8;
  readonly TaskScheduledId: number;
  readonly Result: string;
}

export interface SubOrchestrationFailed extends EventBase {
  readonly EventType: 9;
  readonly TaskScheduledId: number;
  readonly Reason: string;
  readonly Details: string;
}

export interface TimerCreated extends EventBase {
  readonly EventType: 10;
  readonly FireAt: string;
}

export interface TimerFired extends EventBase {
  readonly EventType: 11;
  readonly TimerId: number;
  readonly FireAt: string;
}

export interface OrchestratorStarted extends EventBase {
  readonly EventType: 12;
}

export interface OrchestratorCompleted extends EventBase {
  readonly EventType: 13;
}

export interface EventSent extends EventBase {
  readonly EventType: 14;
  readonly InstanceId: string;
  readonly Name: string;
  readonly Input: string;
}

export interface EventRaised extends EventBase {
  readonly EventType: 15;
  readonly Name: string;
  readonly Input: string;
}

export interface ExecutionSuspended extends EventBase {
  readonly EventType: 19;
  readonly Reason: string;
}

export interface ExecutionResumed extends EventBase {
  readonly EventType: 20;
  readonly Reason: string;
}

/** An answer to something that this execution has scheduled. */
export type CompletionEvent =
  | TaskCompleted
  | TaskFailed
  | SubOrchestrationCompleted
  | SubOrchestrationFailed
  | TimerFired;

export type HistoryEvent =
  | ExecutionStarted
  | ExecutionCompleted
  | ExecutionTerminated
  | TaskScheduled
  | SubOrchestrationCreated
  | TimerCreated
  | OrchestratorStarted
  | OrchestratorCompleted
  | EventSent
  | EventRaised
  | ExecutionSuspended
  | ExecutionResumed
  | CompletionEvent;

/** The sequence id that a completion answers; undefined for every other event. */
export function answeredId(event: HistoryEvent): number | undefined {
  switch (event.EventType) {
    case eventType.taskCompleted:
    case eventType.taskFailed:
    case eventType.subOrchestrationCompleted:
    case eventType.subOrchestrationFailed:
      return event.TaskScheduledId;
    case eventType.timerFired:
      return event.TimerId;
    default:
      return undefined;
  }
}

/** ISO text of a moment in milliseconds since 1970. */
export function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
