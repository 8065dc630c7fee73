import { type CachedHistory, eventsJson } from './historyCache.ts';
import { eventType, type HistoryEvent } from './historyEvents.ts';
import type { TimerLimits } from './interpreter.ts';
import type { InstanceRow } from './store.ts';

/**
 * JSON text of the orchestration trigger (OrchestrationTriggerAttributeBindingProvider.cs). `upperSchemaVersionNew` 3 is
 * the newest reply schema, V4; the misspelt member is the extension's.
 */
export function orchestratorPayload(
  instance: InstanceRow,
  history: CachedHistory,
  newEvents: readonly HistoryEvent[],
  timerLimits: TimerLimits,
): string {
  const played = history.json === '' ? '' : `${history.json},`;
  const rest = JSON.stringify({
    instanceId: instance.instanceId,
    isReplaying: history.events.some((event) => event.EventType === eventType.executionStarted),
    parentInstanceId: instance.parent?.OrchestrationInstance.InstanceId ?? null,
    upperSchemaVersion: 1,
    upperSchemaVersionNew: 3,
    longRunningTimerIntervalDuration: timeSpan(timerLimits.longTimerLinkMs),
    maximumShortTimerDuration: timeSpan(timerLimits.maximumShortTimerMs),
    defaultHttpAsyncRequestSleepTimeMillseconds: 30_000,
  });
  return `{"history":[${played}${eventsJson(newEvents, false)}],"input":${instance.input ?? 'null'},${rest.slice(1)}`;
}

/** A .NET TimeSpan: `d.hh:mm:ss.fff`. */
function timeSpan(ms: number): string {
  const two = (value: number) => String(Math.floor(value)).padStart(2, '0');
  const seconds = ms / 1000;
  const fraction = String(ms % 1000).padStart(3, '0');
  return `${Math.floor(seconds / 86400)}.${two((seconds / 3600) % 24)}:${two((seconds / 60) % 60)}:${two(seconds % 60)}.${fraction}`;
}
