import { answeredId, type HistoryEvent } from './historyEvents.ts';
import type { DurableStore } from './store.ts';

/** The committed history of one execution. */
export interface CachedHistory {
  readonly executionId: string;
  readonly events: HistoryEvent[];
  /** The events as JSON texts with `IsPlayed: true`, joined by commas: the greater part of each replay's payload. */
  json: string;
  /** Sequence ids that have an answer. */
  readonly answered: Set<number>;
}

export interface HistoryCache {
  /** From memory, or read from the store. */
  get(instanceId: string, executionId: string): CachedHistory;
  /** Adds events that were just committed. */
  append(instanceId: string, history: CachedHistory, events: readonly HistoryEvent[]): void;
  delete(instanceId: string): void;
}

const maxCachedInstances = 64;

/** Spares reading and parsing a history in each episode; nothing depends on it. */
export function createHistoryCache(store: DurableStore): HistoryCache {
  const cache = new Map<string, CachedHistory>();

  function add(history: CachedHistory, events: readonly HistoryEvent[]): void {
    for (const event of events) {
      history.events.push(event);
      const id = answeredId(event);
      if (id !== undefined) {
        history.answered.add(id);
      }
    }
    const json = eventsJson(events, true);
    history.json = history.json === '' || json === '' ? history.json + json : `${history.json},${json}`;
  }

  return {
    get(instanceId, executionId) {
      const known = cache.get(instanceId);
      if (known?.executionId === executionId) {
        return known;
      }
      const history: CachedHistory = { executionId, events: [], json: '', answered: new Set() };
      add(history, store.history(instanceId));
      return history;
    },
    append(instanceId, history, events) {
      add(history, events);
      // Last used is last in the map, so that the first one is the one to let go.
      cache.delete(instanceId);
      cache.set(instanceId, history);
      const [oldest] = cache.keys();
      if (cache.size > maxCachedInstances && oldest !== undefined) {
        cache.delete(oldest);
      }
    },
    delete(instanceId) {
      cache.delete(instanceId);
    },
  };
}

/** The events as the library wants them, without the brackets of the list. */
export function eventsJson(events: readonly HistoryEvent[], isPlayed: boolean): string {
  return events.map((event) => JSON.stringify({ ...event, IsPlayed: isPlayed })).join(',');
}
