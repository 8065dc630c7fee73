import { createHash } from 'node:crypto';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EventHubFunction } from './eventHubTrigger.ts';
import { runSession, type SessionOptions } from './session.ts';
import { createTroubles } from './troubles.ts';

export interface EventHubListenerOptions extends Omit<SessionOptions, 'target' | 'ownerId' | 'troubles' | 'stop'> {
  readonly functions: readonly EventHubFunction[];
  /** The host's data folder: two hosts that run at once have two. */
  readonly dataFolder: string;
}

export interface EventHubListener {
  /** Takes no new events; resolves when the batches that run have ended and the connections are closed. */
  stop(): Promise<void>;
}

/** Milliseconds between two sessions of a function: doubled while they are short, up to the longest. */
const shortestPause = 250;
const longestPause = 15_000;
const shortSession = 30_000;

/** Runs all Event Hub functions of an app, each with a connection of its own. */
export function startEventHubListener(options: EventHubListenerOptions): EventHubListener {
  const { functions, dataFolder, ...shared } = options;
  const stopping = new AbortController();
  const stop = stopping.signal;

  async function listen(target: EventHubFunction): Promise<void> {
    const troubles = createTroubles(target, shared.log);
    const ownerId = ownerOf(dataFolder, target.name);
    for (let pause = shortestPause; !stop.aborted; ) {
      const began = Date.now();
      try {
        await runSession({ ...shared, target, ownerId, troubles, stop });
      } catch (error) {
        if (!stop.aborted) troubles.tell(error);
      }
      await sleep(pause, undefined, { signal: stop }).catch(() => undefined);
      pause = Date.now() - began < shortSession ? Math.min(2 * pause, longestPause) : shortestPause;
    }
  }

  const listening = functions.map(listen);
  return {
    async stop() {
      stopping.abort();
      await Promise.all(listening);
    },
  };
}

/**
 * The name under which a host owns partitions. The real host takes a new one at each start, and waits for the claims of a
 * killed one to expire; a host that knows its own takes them up at once.
 */
function ownerOf(dataFolder: string, functionName: string): string {
  const place = createHash('sha256').update(`${hostname()}\n${dataFolder}`).digest('hex').slice(0, 12);
  return `${place}-${functionName}`;
}
