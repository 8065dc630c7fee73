import type { JobKind } from '../../runs/runRecord.ts';
import type { Epoch } from '../preImage/epoch.ts';

export interface Step {
  readonly runId: string;
}

/** A step of one round of the pre-image; the work of a round that is over goes no further. */
export interface RoundStep extends Step {
  readonly round: Epoch;
}

export interface JobStep extends Step {
  readonly kind: JobKind;
  /** Of the pre-image that the export takes, or that the import was filled from. Default: the latest. */
  readonly round?: Epoch;
}
