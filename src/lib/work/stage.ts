/**
 * Work as a sequence of stages: each stage looks at the record, does a piece of work that may be done again, and says what
 * follows. What every kind of work shares (the export of a hub, the run that applies lines) are stages that it takes over.
 */

import type { RunError, RunState } from '../runs/runRecord.ts';
import type { WorkContext, WorkRun } from './workRun.ts';

/** What a stage is called with. It stays in the durable history: ids and numbers only. */
export interface StageInput {
  readonly runId: string;
  readonly stage: string;
  /** Which start of the run this is, from 1. */
  readonly attempt: number;
  /** How often it has asked to be called again without having done anything. */
  readonly tries?: number;
  /** Registry operations that the budget of the hub has granted, and over how many ms they are to be spread. */
  readonly granted?: number;
  readonly spreadMs?: number;
  /** It was held back while its run was suspended: its turn is asked for anew. */
  readonly wasSuspended?: true;
  /** When the hub was asked to start what is watched, and when it is to be asked next, ms since the epoch. */
  readonly since?: number;
  readonly lookAt?: number;
}

export type StageReply =
  /** Go on at once; by default with the next stage's own beginning. */
  | { readonly go: string; readonly leaveTurn?: true }
  /** Come back to this stage (or go on with another) after so many seconds. */
  | { readonly wait: number; readonly go?: string; readonly with?: Partial<StageInput> }
  /** Come back once the budget has granted registry operations. */
  | { readonly take: number; readonly itemsPerMinute: number }
  /** The run has come to its end. */
  | {
      readonly end: RunState;
      readonly error?: RunError;
      readonly fields?: Partial<WorkRun>;
      /** An attempt that comes late does not end a run that is past it. */
      readonly unless?: (record: WorkRun) => boolean;
    };

export interface Stage {
  work(context: WorkContext, record: WorkRun, input: StageInput): Promise<StageReply>;
  /** The turn of the hub is waited for before, and kept. */
  readonly turn?: true;
  /** It goes on while the run is suspended, and sees to it itself. */
  readonly whileSuspended?: true;
  /** It is called although the run was cancelled, and sees to it itself. */
  readonly whenCancelled?: true;
  /** The stage that follows once it has failed for good, with the error in the notes as `failure`. Default: the run fails. */
  readonly failed?: string;
}

export interface KindOfWork {
  readonly stages: Readonly<Record<string, Stage>>;
  readonly first: string;
}
