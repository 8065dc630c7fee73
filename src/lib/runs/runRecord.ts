/**
 * The run record: `hubkeeper-runs/<runId>.json`, the truth about one run and its progress.
 *
 * It outlives durable history (which is purged) and decides alone whether a drop has already been run. It never holds a
 * key, a signature or a whole line of the input.
 */

import type { MissingField } from '../devicesFile/checkLine.ts';
import type { CheckSummary } from '../devicesFile/checkTypes.ts';
import type { ProvisionOptions } from '../provisioning/drop/options.ts';
import type { RunPlan } from '../provisioning/outcome/runPlan.ts';
import type { Epoch } from '../provisioning/preImage/epoch.ts';

/** What became of one input line. Every line of a drop ends in exactly one of these. */
export const OUTCOMES = [
  'succeeded',
  'succeededWithWarning',
  'unchanged',
  'failed',
  'rejected',
  'skipped',
  'unconfirmed',
] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** Whether somebody has to look at a line with this outcome. */
export function needsPerson(outcome: Outcome): boolean {
  return outcome === 'failed' || outcome === 'rejected' || outcome === 'unconfirmed';
}

/** States a run passes through; the last six are final. */
export const RUN_STATES = [
  'accepted',
  'running',
  'completed',
  'completedWithFailures',
  'refused',
  'cancelled',
  'failed',
  'stale',
] as const;
export type RunState = (typeof RUN_STATES)[number];

export function isFinal(state: RunState): boolean {
  return state !== 'accepted' && state !== 'running';
}

/** Whether a person has cancelled the run after it began to read lines back: then that is what has to end. */
export function endsReadingBack({ cancelRequestedAt, verifyJob }: RunRecord): boolean {
  return cancelRequestedAt !== undefined && verifyJob !== undefined && cancelRequestedAt > verifyJob.createdAt;
}

/** Whether the import of a run was sent to the hub, or may have been. */
export function isSent({ job, importSentAt }: RunRecord): boolean {
  return job !== undefined || importSentAt !== undefined;
}

/** Whether the run goes by the registry alone: what it had noted of its lines is lost. */
export function isLostAfterSend({ stagingLost }: RunRecord): boolean {
  return stagingLost?.isSent === true;
}

export const RUN_PHASES = [
  'options',
  'check',
  'turn',
  'preImage',
  'job',
  'retry',
  'verify',
  'parents',
  'settle',
  'report',
] as const;
export type RunPhase = (typeof RUN_PHASES)[number];

export interface DropIdentity {
  readonly account: string;
  readonly container: string;
  readonly blobName: string;
  readonly etag: string;
}

/** The configurations of a run: how many lines, and what became of them once it has ended. */
export interface RunConfigurations {
  readonly lines: number;
  readonly accepted: number;
  readonly rejected: number;
  readonly outcomes?: Readonly<Record<Outcome, number>>;
}

/** What the check counted. */
export type CheckCounts = Omit<CheckSummary, 'sha256'>;

/**
 * Which job of a run: the export that takes the pre-image, the import, the second import of lines that failed for a
 * passing reason, the export by which lines are read back, or the one by which devices are linked to their parents.
 */
export type JobKind = 'export' | 'import' | 'retry' | 'verify' | 'parents';

/** The fields of a record that hold its jobs. */
export const JOB_FIELDS = ['exportJob', 'job', 'retryJob', 'verifyJob', 'parentsJob'] as const;

export interface RunJob {
  readonly jobId: string;
  /** As the hub spells it: enqueued, running, completed, failed, cancelled, … */
  readonly status: string;
  readonly progress: number;
  readonly createdAt: string;
  /** One of several jobs that could be this run's: what it ended as proves little. */
  readonly ambiguous?: true;
  /** It never ended, and nothing tells whose it is: it is not cancelled. */
  readonly mayBeForeign?: true;
  /** The hub's own words for a job that failed, redacted. */
  readonly failureReason?: string;
  /** After this instant the job is no longer waited for. */
  readonly deadline: string;
  /** Of the export: the round of the pre-image that it is for. */
  readonly round?: Epoch;
}

export interface RunError {
  readonly code: string;
  /** What happened, without secrets. */
  readonly message: string;
  /** What a person can do about it. */
  readonly action?: string;
  /** Where a confirmation is missing: the name that has to be given. */
  readonly confirm?: string;
}

/** Blob names in `provision-results`. */
export interface RunReportFiles {
  readonly container: string;
  readonly json: string;
  /** Absent when the lines of the file could not be read. */
  readonly csv?: string;
  readonly failedDevices?: string;
  readonly rejectedLines?: string;
  /** Every line of `configurations.txt`. */
  readonly configurations?: string;
}

export interface StagingLoss {
  /** The last time. */
  readonly at: string;
  readonly what: string;
  readonly times: number;
  /** The import had been sent by then, or may have been: nothing is sent any more, and the registry decides. */
  readonly isSent?: true;
}

export interface RunRecord {
  readonly version: 1;
  readonly runId: string;
  readonly kind: 'provision';
  /** Alias of the hub; absent while it is not known or not valid. */
  readonly hub?: string;
  readonly batch: string;
  readonly drop: DropIdentity & { readonly size: number; readonly lastModified: string };
  readonly options?: ProvisionOptions;
  readonly state: RunState;
  readonly phase?: RunPhase;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly startedAt?: string;
  readonly finishedAt?: string;
  /** The latest claim to start the orchestration: only the claimer starts it; a stale claim may be taken over. */
  readonly startClaim?: { readonly at: string; readonly attempt: number };
  readonly cancelRequestedAt?: string;
  readonly check?: CheckCounts;
  /** Set while a person has suspended the run. */
  readonly suspendedAt?: string;
  /** How long it was suspended before, in all. */
  readonly suspendedMs?: number;
  /**
   * What holds the run up: a hub that does something else, trouble that may pass, or the runs that are ahead of it, of
   * which `position` says how many.
   */
  readonly waiting?: {
    readonly since: string;
    readonly kind: 'busy' | 'trouble' | 'turn';
    readonly reason: string;
    readonly position?: number;
  };
  /**
   * When the import was about to be sent: noted before its create, and taken back when the hub has refused it for certain.
   * So its absence proves that nothing was sent, whatever has become of the container of the run.
   */
  readonly importSentAt?: string;
  /** The run is being ended without its import, which nobody sends any more. */
  readonly importClosed?: true;
  readonly job?: RunJob;
  /** The export that takes the pre-image of a large file. */
  readonly exportJob?: RunJob;
  /** The second import, of lines that failed for a passing reason. */
  readonly retryJob?: RunJob;
  /** The export by which lines are read back. */
  readonly verifyJob?: RunJob;
  /** The export by which devices are linked to their parents. */
  readonly parentsJob?: RunJob;
  /** Lines that are sent once more by calls: of which round, how many, and about how many are left. */
  readonly retry?: {
    readonly round: string;
    readonly lines: number;
    readonly left: number;
    /** Devices of the hub, while it is filled up one by one. */
    readonly registryDevices?: number;
  };
  /** What the run was about to overwrite or delete, as it was: a devices file with keys. Kept `UNDO_DAYS`. */
  readonly preImage?: {
    readonly container: string;
    readonly blobName: string;
    readonly identities?: number;
    /** Which one it is: it is taken anew when the turn was lost before the import was sent. */
    readonly round: Epoch;
  };
  /** `rounds.json` has been there: where it is not any more, it was lost. */
  readonly roundsOpened?: true;
  /** Something in the container of the run was deleted while it ran. */
  readonly stagingLost?: StagingLoss;
  /** In how many lines a field was filled in as the device has it. */
  readonly kept?: Readonly<Partial<Record<MissingField, number>>>;
  /** Of a dry run: what would happen. */
  readonly plan?: RunPlan;
  readonly outcomes?: Readonly<Record<Outcome, number>>;
  /** Of a `configurations.txt` beside the file; its lines are none of the file's. */
  readonly configurations?: RunConfigurations;
  readonly error?: RunError;
  readonly report?: RunReportFiles;
}
export function hubOf(record: RunRecord): string {
  if (record.hub === undefined) throw new Error(`The run ${record.runId} names no hub.`);
  return record.hub;
}
