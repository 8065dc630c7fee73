import type { Unkindness } from '../contracts.ts';
import type { Clock } from './clock.ts';
import { answeredId, eventType } from './historyEvents.ts';
import type { ActivityRow, DurableStore, NewMessage } from './store.ts';

/** What one step sends out. Nothing of it is seen before the step is committed. */
export interface Outgoing {
  send(message: NewMessage): void;
  addActivity(activity: Omit<ActivityRow, 'seq'>): void;
  /** Says that the instance has come to its end. */
  finished(instanceId: string): void;
}

export interface Mailroom {
  /** Runs a step as one transaction, then wakes whoever got something from it. */
  commit<T>(step: (outgoing: Outgoing) => T): T;
}

export interface MailroomOptions {
  readonly store: DurableStore;
  readonly clock: Clock;
  readonly unkind: Unkindness | undefined;
  readonly onMessage: (target: string) => void;
  /** A message that becomes visible at a later time. */
  readonly onLaterMessage: (visibleAt: number) => void;
  readonly onActivity: (seq: number) => void;
  readonly onFinished: (instanceId: string) => void;
}

export function createMailroom(options: MailroomOptions): Mailroom {
  const { store, clock, unkind } = options;
  return {
    commit(step) {
      const sent: { target: string; visibleAt: number }[] = [];
      const activities: number[] = [];
      const ended: string[] = [];
      const result = store.transaction(() =>
        step({
          send(message) {
            const visibleAt = message.visibleAt + (unkind === undefined ? 0 : unkindDelayMs(message, unkind));
            store.send({ ...message, visibleAt });
            sent.push({ target: message.target, visibleAt });
          },
          addActivity(activity) {
            activities.push(store.addActivity(activity));
          },
          finished(instanceId) {
            ended.push(instanceId);
          },
        }),
      );
      const now = clock();
      for (const { target, visibleAt } of sent) {
        if (visibleAt <= now) {
          options.onMessage(target);
        } else {
          options.onLaterMessage(visibleAt);
        }
      }
      activities.forEach(options.onActivity);
      ended.forEach(options.onFinished);
      return result;
    },
  };
}

/**
 * How much later than necessary an answer arrives: timers fire late, the answers of entities, activities and
 * sub-orchestrations overtake each other. Events from outside keep their order.
 */
function unkindDelayMs({ body, executionId }: NewMessage, unkind: Unkindness): number {
  if (body.kind !== 'event' || executionId === null) {
    return 0;
  }
  const { event } = body;
  if (event.EventType === eventType.timerFired) {
    return unkind.delayMs(300);
  }
  const isAnswer = answeredId(event) !== undefined || event.EventType === eventType.eventRaised;
  return isAnswer && unkind.chance(0.5) ? unkind.delayMs(200) : 0;
}
