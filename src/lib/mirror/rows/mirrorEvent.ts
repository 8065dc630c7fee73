/** What an event of a hub tells the mirror, in whichever form it came. */

import type { IdentityKey, MirroredTwin, TwinSections } from './row.ts';

/** Where an event stood. */
export interface EventPlace {
  /** Name of the source's connection setting. */
  readonly source: string;
  readonly partition: string;
  readonly sequence: number;
  readonly offset: string;
  /** ISO UTC. */
  readonly enqueuedAt: string;
}

interface EventOfIdentity extends IdentityKey {
  /** Alias of the hub. */
  readonly hub: string;
  /** `operationTimestamp`, ISO UTC with seven digits. */
  readonly at: string;
  readonly place: EventPlace;
}

/** A whole event shows all of a twin. */
export interface WholeEvent extends EventOfIdentity {
  readonly kind: 'created' | 'replaced';
  readonly twin: MirroredTwin;
}

export interface DeletedEvent extends EventOfIdentity {
  readonly kind: 'deleted';
}

/** A partial event shows what has changed; null: it was removed. Sections that it does not name have not changed. */
export interface UpdatedEvent extends EventOfIdentity {
  readonly kind: 'updated';
  readonly version: number;
  readonly patch: Partial<TwinSections>;
}

/** An event of the identity that cannot be used: nobody knows what it told, so the registry is asked. */
export interface DoubtedEvent extends EventOfIdentity {
  readonly kind: 'doubted';
}

export type MirrorEvent = WholeEvent | DeletedEvent | UpdatedEvent | DoubtedEvent;
