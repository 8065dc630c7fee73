import type { Logger } from '../../logger.ts';
import type { RegistryClient } from '../../registry/index.ts';
import type { ReadEffects } from '../../runs/runEffects.ts';
import type { RunBase } from '../../runs/runRecord.ts';
import type { RunStore } from '../../runs/runStore.ts';
import type { Settings } from '../../settings.ts';
import type { Storage } from '../../storage/storage.ts';
import type { MirrorStore } from '../store/mirrorStore.ts';
import type { DamageLog } from './damageLog.ts';

/** What a refresh of the mirror works with. */
export interface RefreshContext {
  readonly settings: Pick<Settings, 'hubs' | 'hubSizes'>;
  readonly store: MirrorStore;
  readonly storage: Storage;
  readonly runs: Pick<RunStore<RunBase>, 'read' | 'ids'>;
  readonly readEffects: ReadEffects;
  /** Shared by all invocations of the process. */
  readonly damage: DamageLog;
  /** The client of a configured hub. */
  hub(alias: string): RegistryClient;
  readonly now: () => Date;
  readonly sleep: (ms: number) => Promise<void>;
  readonly log: Logger;
}
