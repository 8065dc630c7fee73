import type { Epoch } from '../run/epoch.ts';
import type { JobKind } from '../run/provisionRun.ts';

export interface Step {
  readonly runId: string;
}

/** A step of one epoch of the pre-image; the work of an epoch that is over goes no further. */
export interface EpochStep extends Step {
  readonly epoch: Epoch;
}

export interface JobStep extends Step {
  readonly kind: JobKind;
  /** Of the pre-image that the export takes, or that the import was filled from. Default: the latest. */
  readonly epoch?: Epoch;
}
