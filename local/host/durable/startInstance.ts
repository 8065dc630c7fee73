import type { EngineParts } from './engineParts.ts';
import { eventType, isoTime, type ParentInstance } from './historyEvents.ts';
import type { Outgoing } from './mailroom.ts';
import { isFinished, type RuntimeStatus } from './store.ts';

export interface NewInstance {
  readonly instanceId: string;
  readonly executionId: string;
  readonly name: string;
  readonly version: string | null;
  /** JSON text. */
  readonly input: string | null;
  readonly parent: ParentInstance | null;
}

/**
 * Creates an instance, inside a step that is being committed. A finished instance of that id makes room, with its
 * history; one that is pending, running or suspended does not: its status is returned and nothing changes.
 */
export function startInstance(
  parts: Pick<EngineParts, 'store' | 'clock'>,
  outgoing: Outgoing,
  instance: NewInstance,
): RuntimeStatus | undefined {
  const { store } = parts;
  const existing = store.instance(instance.instanceId);
  if (existing !== undefined && !isFinished(existing.status)) {
    return existing.status;
  }
  const now = parts.clock();
  store.deleteInstance(instance.instanceId);
  store.putInstance({
    ...instance,
    status: 'Pending',
    output: null,
    customStatus: null,
    createdAt: now,
    updatedAt: now,
  });
  outgoing.send({
    target: instance.instanceId,
    executionId: instance.executionId,
    visibleAt: 0,
    body: { kind: 'event', event: executionStarted(instance, now) },
  });
  return undefined;
}

/** The first event of an execution. */
export function executionStarted(instance: NewInstance, now: number) {
  return {
    EventType: eventType.executionStarted,
    EventId: -1,
    Timestamp: isoTime(now),
    Name: instance.name,
    Version: instance.version,
    Input: instance.input,
    OrchestrationInstance: { InstanceId: instance.instanceId, ExecutionId: instance.executionId },
    ParentInstance: instance.parent,
    Tags: null,
    Correlation: null,
  } as const;
}
