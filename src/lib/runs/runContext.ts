import type { Logger } from '../logger.ts';
import type { RegistryClient } from '../registry/index.ts';
import type { Settings } from '../settings.ts';
import type { Storage } from '../storage/storage.ts';
import type { RunBase } from './runRecord.ts';
import type { RunStore } from './runStore.ts';

/** What the steps of a run work with. */
export interface RunContext<Run extends RunBase = RunBase> {
  readonly settings: Settings;
  readonly storage: Storage;
  readonly runs: RunStore<Run>;
  /** The client of a configured hub. */
  hub(alias: string): RegistryClient;
  /** Whether it is known that no job of a run, of whichever kind, is under way on its hub. */
  isIdle(record: RunBase): Promise<boolean>;
  /** Told of a run that is about to get its final record; told again when that has failed half-way. Absent: nobody wants to know. */
  readonly beforeEnd?: (record: RunBase) => Promise<void>;
  readonly now: () => Date;
  readonly sleep: (ms: number) => Promise<void>;
  readonly log: Logger;
}
