/** Records of all work but provisioning: backups, plans, restores, … They share one form, and differ by what was asked for and found. */

import type { Snapshot } from '../registryLines/snapshot.ts';
import type { ApplyFile } from '../runs/applyFile.ts';
import type { RunContext } from '../runs/runContext.ts';
import type { ReadEffects } from '../runs/runEffects.ts';
import type { RunBase, RunJob, RunKind } from '../runs/runRecord.ts';

export type WorkKind = Exclude<RunKind, 'provision'>;

/** Which export of the registry: the first one, or that which shows what came of the work. */
export const WORK_JOBS = ['export', 'exportAfter'] as const;
export type WorkJob = (typeof WORK_JOBS)[number];

export interface WorkRun extends RunBase {
  readonly kind: WorkKind;
  readonly version: 1;
  readonly phase?: WorkPhase;
  /** What was asked for, in the words of the kind: ids, names and numbers; never a secret. */
  readonly request: Readonly<Record<string, unknown>>;
  readonly jobs: Readonly<Partial<Record<WorkJob, RunJob>>>;
  /** What the hub held, by the job that showed it. */
  readonly snapshots?: Readonly<Partial<Record<WorkJob, Snapshot>>>;
  /** What the kind notes between its stages. */
  readonly notes?: Readonly<Record<string, unknown>>;
  /** What scripts read of its result. */
  readonly result?: Readonly<Record<string, unknown>>;
}

/** Words for where such a run is; each kind uses some of them. */
export const WORK_PHASES = [
  'begin',
  'turn',
  'export',
  'verify',
  'extras',
  'write',
  'compare',
  'apply',
  'rest',
  'check',
  'report',
] as const;
export type WorkPhase = (typeof WORK_PHASES)[number];

export interface WorkToStart {
  readonly kind: WorkKind;
  /** Alias; absent for work that touches no hub. */
  readonly hub?: string;
  /** What is asked for. */
  readonly request: Readonly<Record<string, unknown>>;
  /** Asked for with the same words again, it is the same run. Default: each time another. */
  readonly once?: string;
  /** Runs whose containers it reads. */
  readonly reads?: readonly string[];
}

/** What the stages of work do with. */
export interface WorkContext extends RunContext<WorkRun> {
  /** Begins other work that this one waits for. */
  start(work: WorkToStart): Promise<WorkRun>;
  /** The one door by which lines are applied to a hub. */
  readonly applyFile: ApplyFile;
  /** What a run did to its hub, so that it can be undone. */
  readonly readEffects: ReadEffects;
}
