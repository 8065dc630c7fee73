import { eventType, type HistoryEvent } from './historyEvents.ts';
import type { InstanceRow } from './store.ts';

export interface StatusOptions {
  readonly showInput: boolean;
  /** Events to show; undefined leaves the history out. */
  readonly history?: readonly HistoryEvent[];
  readonly showHistoryOutput?: boolean;
}

/** The body that answers a status query (HttpApiHandler.cs StatusResponsePayload). Times are whole seconds. */
export function instanceStatus(row: InstanceRow, options: StatusOptions): Record<string, unknown> {
  return {
    name: row.name,
    instanceId: row.instanceId,
    runtimeStatus: row.status,
    input: options.showInput ? parsed(row.input) : null,
    customStatus: parsed(row.customStatus),
    output: parsed(row.output),
    createdTime: wholeSeconds(row.createdAt),
    lastUpdatedTime: wholeSeconds(row.updatedAt),
    ...(options.history !== undefined && {
      historyEvents: historyView(options.history, options.showInput, options.showHistoryOutput ?? false),
    }),
  };
}

export function wholeSeconds(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

/** Text that is not JSON (the reason of a failure) is shown as it is. */
export function parsed(text: string | null): unknown {
  if (text === null) {
    return null;
  }
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/**
 * The history as clients see it: event types by name, turns of the orchestrator and scheduling events folded away, what
 * was scheduled told by its answer (DurableClient.cs ConvertOrchestrationStateToHistory).
 */
function historyView(
  history: readonly HistoryEvent[],
  showInput: boolean,
  showOutput: boolean,
): Record<string, unknown>[] {
  const scheduled = new Map<number, HistoryEvent>();
  const view: Record<string, unknown>[] = [];
  const answer = (type: string, event: HistoryEvent, id: number, outcome: Record<string, unknown>) => {
    const asked = scheduled.get(id);
    view.push({
      EventType: type,
      ...outcome,
      Timestamp: event.Timestamp,
      ScheduledTime: asked?.Timestamp ?? null,
      ...(asked !== undefined && 'Name' in asked && { FunctionName: asked.Name }),
      ...(showInput && asked !== undefined && 'Input' in asked && { Input: parsed(asked.Input) }),
    });
  };
  const result = (text: string | null) => (showOutput ? { Result: parsed(text) } : {});

  for (const event of history) {
    switch (event.EventType) {
      case eventType.taskScheduled:
      case eventType.subOrchestrationCreated:
      case eventType.timerCreated:
        scheduled.set(event.EventId, event);
        break;
      case eventType.orchestratorStarted:
      case eventType.orchestratorCompleted:
        break;
      case eventType.executionStarted:
        view.push({
          EventType: 'ExecutionStarted',
          Timestamp: event.Timestamp,
          FunctionName: event.Name,
          ...(showInput && { Input: parsed(event.Input) }),
        });
        break;
      case eventType.taskCompleted:
        answer('TaskCompleted', event, event.TaskScheduledId, result(event.Result));
        break;
      case eventType.subOrchestrationCompleted:
        answer('SubOrchestrationInstanceCompleted', event, event.TaskScheduledId, result(event.Result));
        break;
      case eventType.taskFailed:
        answer('TaskFailed', event, event.TaskScheduledId, { Reason: event.Reason, Details: event.Details });
        break;
      case eventType.subOrchestrationFailed:
        answer('SubOrchestrationInstanceFailed', event, event.TaskScheduledId, {
          Reason: event.Reason,
          Details: event.Details,
        });
        break;
      case eventType.timerFired:
        answer('TimerFired', event, event.TimerId, { FireAt: event.FireAt });
        break;
      case eventType.eventRaised:
        view.push({
          EventType: 'EventRaised',
          Timestamp: event.Timestamp,
          Name: event.Name,
          ...(showInput && { Input: parsed(event.Input) }),
        });
        break;
      case eventType.eventSent:
        view.push({
          EventType: 'EventSent',
          Timestamp: event.Timestamp,
          InstanceId: event.InstanceId,
          Name: event.Name,
          ...(showInput && { Input: parsed(event.Input) }),
        });
        break;
      case eventType.executionCompleted:
        view.push({
          EventType: 'ExecutionCompleted',
          OrchestrationStatus: event.OrchestrationStatus,
          ...result(event.Result),
          Timestamp: event.Timestamp,
        });
        break;
      case eventType.executionTerminated:
        view.push({ EventType: 'ExecutionTerminated', Input: event.Input, Timestamp: event.Timestamp });
        break;
      case eventType.executionSuspended:
        view.push({ EventType: 'ExecutionSuspended', Reason: event.Reason, Timestamp: event.Timestamp });
        break;
      case eventType.executionResumed:
        view.push({ EventType: 'ExecutionResumed', Reason: event.Reason, Timestamp: event.Timestamp });
        break;
      default:
        throw new Error(`Unknown history event: ${JSON.stringify(event satisfies never)}`);
    }
  }
  return view;
}
