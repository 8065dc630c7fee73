import { defined } from '../../defined.ts';
import type { Logger } from '../../logger.ts';
import type { Storage } from '../../storage/storage.ts';
import type { EventSource } from '../mirrorSettings.ts';
import type { MirrorStore } from '../store/mirrorStore.ts';
import type { HubOfName } from './hubNames.ts';
import type { PositionNotes } from './notePosition.ts';
import type { EventOrigin } from './readEvent.ts';
import type { StoreTrouble } from './storeTrouble.ts';

/** What the mirror takes events in with. */
export interface MirrorContext {
  readonly store: MirrorStore;
  readonly storage: Pick<Storage, 'container'>;
  readonly sources: readonly Pick<EventSource, 'connectionName' | 'hub'>[];
  /** Aliases of the configured hubs. */
  readonly hubs: readonly string[];
  readonly hubOfName: HubOfName;
  /** Shared by all invocations of the process. */
  readonly positions: PositionNotes;
  /** Shared by all invocations of the process. */
  readonly trouble: StoreTrouble;
  readonly now: () => Date;
  readonly sleep: (ms: number) => Promise<void>;
  readonly log: Logger;
}

/** Alias of the hub of all events of a source; undefined: each event tells its own. */
export function hubOfSource({ sources }: Pick<MirrorContext, 'sources'>, source: string): string | undefined {
  return sources.find(({ connectionName }) => connectionName === source)?.hub;
}

export function originOf(context: Pick<MirrorContext, 'sources' | 'hubOfName'>, source: string): EventOrigin {
  return { hubOfName: context.hubOfName, ...defined({ hub: hubOfSource(context, source) }) };
}
