/** A run that provisions what a dropped file asks for: what its record says beside what every run's says. */

import type { CheckSummary } from '../../devicesFile/checkTypes.ts';
import type { MissingField } from '../../devicesFile/lineVerdict.ts';
import type { Comparison } from '../../registryLines/compareLines.ts';
import type { RunContext } from '../../runs/runContext.ts';
import type { BlobIdentity } from '../../runs/runId.ts';
import type { Outcome, RunBase, RunJob, RunKind, RunProgress } from '../../runs/runRecord.ts';
import type { Epoch } from './epoch.ts';
import type { ProvisionOptions } from './options.ts';

export const PROVISION_PHASES = [
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
export type ProvisionPhase = (typeof PROVISION_PHASES)[number];

/**
 * Which job of a run: the export that takes the pre-image, the import, the second import of lines that failed
 * transiently, the export by which lines are verified, or the one by which devices are linked to their parents.
 */
export type JobKind = 'export' | 'import' | 'retry' | 'verify' | 'parents';

/** The configurations of a run: how many lines, and what became of them once it has ended. */
export interface RunConfigurations {
  readonly lines: number;
  readonly accepted: number;
  readonly rejected: number;
  readonly outcomes?: Readonly<Record<Outcome, number>>;
}

/** What the check counted. */
export type CheckCounts = Omit<CheckSummary, 'sha256'>;

/** What would happen to the lines that the check accepted. */
export type RunPlan = Pick<Comparison, 'effects' | 'disabled' | 'lackingParent'>;

export interface StagingLoss {
  /** The last time. */
  readonly at: string;
  readonly what: string;
  readonly times: number;
  /** The import had been sent by then, or may have been: nothing is sent any more, and the registry decides. */
  readonly isSent?: true;
}

export interface ProvisionRun extends RunBase {
  readonly kind: 'provision';
  readonly version: 2;
  readonly phase?: ProvisionPhase;
  readonly batch: string;
  readonly drop: BlobIdentity & { readonly size: number; readonly lastModified: string };
  /** Of a file that was not dropped, but handed in by other work: for which kind of it. */
  readonly appliedFor?: RunKind;
  readonly options?: ProvisionOptions;
  readonly check?: CheckCounts;
  /**
   * When the import was about to be sent: noted before its create, and taken back when the hub has refused it for certain.
   * So its absence proves that nothing was sent, whatever has become of the container of the run.
   */
  readonly importSentAt?: string;
  /** The run is being ended without its import, which nobody sends any more. */
  readonly importClosed?: true;
  readonly jobs: Readonly<Partial<Record<JobKind, RunJob>>>;
  /** Lines that are sent once more by calls; the part is the wave. */
  readonly progress?: RunProgress & {
    /** Devices of the hub, while it is filled up one by one. */
    readonly registryDevices?: number;
  };
  /** What the run was about to overwrite or delete, as it was: a devices file with keys. Kept `UNDO_DAYS`. */
  readonly preImage?: {
    readonly container: string;
    readonly blobName: string;
    readonly identities?: number;
    /** Which one it is: it is taken anew when the turn was lost before the import was sent. */
    readonly epoch: Epoch;
  };
  /** `rounds.json` has been there: where it is not any more, it was lost. */
  readonly wavesOpened?: true;
  /** Something in the container of the run was deleted while it ran. */
  readonly stagingLost?: StagingLoss;
  /** In how many lines a field was filled in as the device has it. */
  readonly kept?: Readonly<Partial<Record<MissingField, number>>>;
  /** Of a dry run: what would happen. */
  readonly plan?: RunPlan;
  /** Of a `configurations.txt` beside the file; its lines are none of the file's. */
  readonly configurations?: RunConfigurations;
}

/** What the steps of such a run work with. */
export type ProvisioningContext = RunContext<ProvisionRun>;

/** @throws Error before they are known */
export function optionsOf({ runId, options }: ProvisionRun): ProvisionOptions {
  if (options === undefined) throw new Error(`The run ${runId} has no options.`);
  return options;
}

/** How long transient failures are retried. */
export function retryMsOf({ options }: ProvisionRun): number {
  return (options?.retryMinutes ?? 0) * 60_000;
}

/** Whether a person has cancelled the run after it began to verify lines: then that is what has to end. */
export function endsVerifying({ cancelRequestedAt, jobs: { verify } }: ProvisionRun): boolean {
  return cancelRequestedAt !== undefined && verify !== undefined && cancelRequestedAt > verify.createdAt;
}

/** Whether the import of a run was sent to the hub, or may have been. */
export function isSent({ jobs, importSentAt }: ProvisionRun): boolean {
  return jobs.import !== undefined || importSentAt !== undefined;
}

/** Whether the run goes by the registry alone: what it had noted of its lines is lost. */
export function isLostAfterSend({ stagingLost }: ProvisionRun): boolean {
  return stagingLost?.isSent === true;
}

/** The record with another job of this kind; without one when that is undefined. */
export function withJob(record: ProvisionRun, kind: JobKind, job: RunJob | undefined): ProvisionRun {
  const { [kind]: _before, ...others } = record.jobs;
  return { ...record, jobs: job === undefined ? others : { ...others, [kind]: job } };
}
