import { setTimeout as sleep } from 'node:timers/promises';

import { readPositions } from '../../src/lib/mirror/notes/position.ts';
import { createStorage, type Storage } from '../../src/lib/storage/storage.ts';
import type { TestStack } from '../helpers/stack.ts';

/** How far the mirror of a stack is with the events of its hub: by the hub itself, and by the notes of the app. */
export interface EventFlow {
  look(): Promise<Stand>;
  /** Waits for long, looking a few times a second. */
  until(what: string, holds: (stand: Stand) => boolean): Promise<Stand>;
}

export interface Stand {
  /** Events that there are, and how many of them were taken in. */
  readonly made: number;
  readonly taken: number;
  /** Partitions that somebody reads. */
  readonly read: number;
  /** The Event-Hubs-compatible name. */
  readonly eventHub: string;
}

interface EventState {
  readonly name: string;
  readonly partitions: readonly { readonly last: number }[];
  readonly receivers: readonly unknown[];
}

export const LONGEST_MS = 3_000_000;
const LOOK_MS = 250;
const TELL_MS = 10_000;

/** @param tell told now and then how it stands */
export function eventFlow(stack: TestStack, tell: (text: string) => void = () => undefined): EventFlow {
  const storage = storageOf(stack);
  let told = 0;
  const look = async (): Promise<Stand> => {
    const state = (await (await fetch(`${stack.hubAdminUrl}/state`)).json()) as { readonly events: EventState };
    const { name: eventHub, partitions, receivers } = state.events;
    const positions = (await readPositions(storage, 'MIRROR_EVENTS')).filter((one) => one.eventHub === eventHub);
    const stand = {
      made: partitions.reduce((sum, { last }) => sum + last + 1, 0),
      taken: positions.reduce((sum, { sequence }) => sum + sequence + 1, 0),
      read: receivers.length,
      eventHub,
    };
    if (Date.now() - told > TELL_MS) {
      told = Date.now();
      tell(`${stand.made} events, ${stand.taken} taken in`);
    }
    return stand;
  };
  return {
    look,
    async until(what, holds) {
      const end = Date.now() + LONGEST_MS;
      for (;;) {
        const stand = await look();
        if (holds(stand)) return stand;
        if (Date.now() > end) throw new Error(`Waited in vain for ${what}.`);
        await sleep(LOOK_MS);
      }
    },
  };
}

/** The storage of a stack, past all proxies. */
export function storageOf({ storageConnectionString: connectionString }: TestStack): Storage {
  return createStorage({ kind: 'connectionString', connectionString }, () => {
    throw new Error('no identity in this test');
  });
}
