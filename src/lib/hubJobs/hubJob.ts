/**
 * The jobs that a run has the hub do: started once, found again after a crash, watched and cancelled.
 *
 * A create whose reply was lost must not become a second job. Before each create, a state blob in the container of the
 * run notes the jobs that the hub lists (the intent); after a crash, a job that is not among them may be ours. Hubs do
 * not echo which container a job works in, so what proves it ours is the blob that only our job writes there.
 */

import { randomUUID } from 'node:crypto';

import type { BlobLeaseClient } from '@azure/storage-blob';
import { MOST_EXPORT_TRIES } from '../provisioning/again/rounds.ts';
import { closeImport, importSent } from '../provisioning/job/importNotes.ts';
import {
  exportJobBlob,
  IMPORT_JOB_BLOB,
  PARENTS_JOB_BLOB,
  RETRY_JOB_BLOB,
  verifyJobBlob,
} from '../provisioning/job/jobBlobs.ts';
import { type Epoch, isEarlierEpoch } from '../provisioning/preImage/epoch.ts';
import { HubError, type ImportExportJob, type RegistryClient } from '../registry/index.ts';
import { openStaging, stagingOf } from '../runs/runContainer.ts';
import type { ProvisioningContext } from '../runs/runContext.ts';
import { hubOf, type RunJob, type RunRecord } from '../runs/runRecord.ts';
import { StagingLost } from '../runs/stagingLost.ts';
import { readJson, writeJson } from '../storage/jsonBlob.ts';
import { isConditionFailed } from '../storage/storageErrors.ts';
import { isTerminalStatus } from './jobStatus.ts';

export { isTerminalStatus } from './jobStatus.ts';

const MINUTE_MS = 60_000;
const LEAST_DEADLINE_MS = 120 * MINUTE_MS;
/** A user delegation key lasts 7 days at most, and so does everything signed with it. */
const MOST_DEADLINE_MS = 7 * 24 * 60 * MINUTE_MS;
/**
 * One attempt at a time works on the job; a dead one is passed over after this long. Renewed right before the create,
 * which takes at most half of it.
 */
const LEASE_SECONDS = 60;
const LEASE_TRIES = 10;

/** Stands for a job of which nobody knows whether it was started. */
export const UNKNOWN_JOB = 'unknown';

export interface StartedJob {
  readonly jobId: string;
  /** One of several jobs that could be ours: what it ended as proves little. */
  readonly ambiguous?: true;
  /** It never ended, and nothing tells whose it is: it is not cancelled. */
  readonly mayBeForeign?: true;
  readonly createdAt: string;
  readonly deadline: string;
}

export type StartJobResult =
  | { readonly status: 'started'; readonly job: StartedJob }
  /** Not now: ask again after `seconds`. */
  | { readonly status: 'wait'; readonly reason: string; readonly seconds: number }
  /** The run was closed: no job is started for it any more. */
  | { readonly status: 'closed' }
  /** The pre-image is being taken anew: what this job would read is old. */
  | { readonly status: 'outdated' };

/** One job of a run: what tells it from others, and how it is created. */
export interface HubJobPlan {
  readonly type: 'import' | 'export';
  /** Name of the blob that keeps the state of this job. */
  readonly stateBlob: string;
  /** Of an import that was filled from a pre-image: from which. */
  readonly epoch?: Epoch;
  /** Name of the blob that nobody but this job writes into the container of the run. */
  readonly proofBlob: string;
  /** Blob name that a hub with echo shows for this job and for no other. */
  readonly echoedName: string;
  /** How many lines it works on; decides how long it may take. */
  readonly lines: number;
  /** It is given up after this long, whatever it works on. */
  readonly longestMs?: number;
  /** Whether the record of the run says that the job was sent before, or may have been. */
  wasSent?(): Promise<boolean>;
  /** Notes in the record that the job is about to be sent. False: the run is being ended, and nothing may be sent. */
  noteSending?(at: string): Promise<boolean>;
  /** Takes that back: the hub has refused it for certain. */
  noteRefused?(at: string): Promise<void>;
  /** The last look before a create; throws what forbids it. */
  beforeCreate?(): Promise<void>;
  /** Makes everything that the create needs, so that the create itself is one call to the hub. */
  prepare(expiresOn: Date): Promise<(hub: RegistryClient) => Promise<ImportExportJob>>;
}

export interface JobState {
  /** Set before a create is sent; jobs that were known then cannot be ours. */
  readonly intent?: { readonly at: string; readonly knownJobIds: readonly string[] };
  readonly job?: StartedJob;
  /** Of the import: the latest epoch of the pre-image; an import that was filled from an earlier one is not started. */
  readonly round?: Epoch;
  /** The run ended without this job: whoever comes late must not start it. */
  readonly closed?: true;
}

/** How long the job may take, ms: 2 minutes per 100 lines (twice what the documentation names), at least 2 hours. */
export function jobDeadlineMs(lines: number): number {
  return Math.min(MOST_DEADLINE_MS, Math.max(LEAST_DEADLINE_MS, Math.ceil(lines / 100) * 2 * MINUTE_MS));
}

/** How long the job of this plan may take. */
export function planTimeMs({ lines, longestMs }: HubJobPlan): number {
  return Math.min(jobDeadlineMs(lines), longestMs ?? Number.POSITIVE_INFINITY);
}

/**
 * Starts a job, or finds the one that an earlier attempt started. One call does at most one create.
 *
 * @throws DropChanged, HubError (what cannot be waited for)
 */
export async function startHubJob(
  context: ProvisioningContext,
  record: RunRecord,
  plan: HubJobPlan,
): Promise<StartJobResult> {
  const started = await underLease(context, record, plan.stateBlob, (held) =>
    startUnderLease(context, record, plan, held),
  );
  if (started !== undefined) return started;
  return { status: 'wait', reason: 'an earlier attempt to start the job may still be under way', seconds: 5 };
}

/**
 * Closes a run to its import, so that it can end without one: nobody starts the job any more, however late. `sent` when a
 * job was started, or may have been (a create whose reply was lost): then nothing may be called not sent.
 */
export async function closeHubJob(
  context: ProvisioningContext,
  record: RunRecord,
  stateBlob: string,
): Promise<'closed' | 'sent' | 'busy'> {
  const closed = await underLease(context, record, stateBlob, async (held) => {
    const state = await held.read();
    if (state.job !== undefined || state.intent !== undefined) return 'sent' as const;
    // The blob may have been lost, and be one that was just made: the record decides, and keeps whoever comes late out.
    if (stateBlob === IMPORT_JOB_BLOB && !(await closeImport(context, record.runId))) return 'sent' as const;
    await held.save({ closed: true });
    return 'closed' as const;
  });
  return closed ?? 'busy';
}

/**
 * Begins an epoch of the pre-image: from now on no import is started that was filled from an earlier one.
 *
 * @returns `sent` when the import was started, or may have been: then it goes by the pre-image that it had. `outdated`
 *   when a later epoch has begun. `busy`: ask again
 */
export async function openEpoch(
  context: ProvisioningContext,
  record: RunRecord,
  epoch: Epoch,
): Promise<'open' | 'sent' | 'outdated' | 'busy'> {
  const opened = await underLease(context, record, IMPORT_JOB_BLOB, async (held) => {
    const state = await held.read();
    if (isEarlierEpoch(epoch, state.round)) return 'outdated' as const;
    if (state.job !== undefined || state.intent !== undefined) return 'sent' as const;
    if (await importSent(context, record.runId)) return 'sent' as const;
    if (state.round !== epoch) await held.save({ ...state, round: epoch });
    return 'open' as const;
  });
  return opened ?? 'busy';
}

/** The state of a job while this attempt alone may change it. */
interface HeldState {
  read(): Promise<JobState>;
  save(next: JobState): Promise<void>;
  /** The lease holds for its whole time from now on. */
  renew(): Promise<void>;
}

/** Runs `work` while no other attempt works on the same job; undefined when another one does and does not end soon. */
async function underLease<Result>(
  context: ProvisioningContext,
  record: RunRecord,
  stateBlob: string,
  work: (held: HeldState) => Promise<Result>,
): Promise<Result | undefined> {
  const container = await openStaging(context, record.runId);
  const blob = container.getBlockBlobClient(stateBlob);
  await writeJson(blob, {}, { ifAbsent: true });
  const lease = blob.getBlobLeaseClient(randomUUID());
  for (let tries = 1; !(await acquired(lease)); tries++) {
    // Another attempt at this very step is under way, or died a moment ago.
    if (tries === LEASE_TRIES) return undefined;
    await context.sleep(500);
  }
  try {
    return await work({
      read: async () => (await readJson<JobState>(blob))?.value ?? {},
      async save(next) {
        if (await writeJson(blob, next, { leaseId: lease.leaseId })) return;
        throw new Error('The lease on the job of this run was lost.');
      },
      async renew() {
        await lease.renewLease();
      },
    });
  } finally {
    // A lease that cannot be released runs out by itself.
    await lease.releaseLease().catch(() => undefined);
  }
}

async function acquired(lease: BlobLeaseClient): Promise<boolean> {
  try {
    await lease.acquireLease(LEASE_SECONDS);
    return true;
  } catch (error) {
    if (isConditionFailed(error)) return false;
    throw error;
  }
}

async function startUnderLease(
  context: ProvisioningContext,
  record: RunRecord,
  plan: HubJobPlan,
  held: HeldState,
): Promise<StartJobResult> {
  const state = await held.read();
  if (state.closed) return { status: 'closed' };
  if (state.job !== undefined) return { status: 'started', job: state.job };
  if (state.intent === undefined && (await plan.wasSent?.()) === true) {
    throw new StagingLost(record.runId, plan.stateBlob);
  }
  if (state.round !== plan.epoch) return { status: 'outdated' };

  const hub = context.hub(hubOf(record));
  const keep = async (
    jobId: string,
    createdAt: string,
    doubts: Pick<StartedJob, 'ambiguous' | 'mayBeForeign'> = {},
  ): Promise<StartJobResult> => {
    const deadline = new Date(Date.parse(createdAt) + planTimeMs(plan)).toISOString();
    const job: StartedJob = { jobId, createdAt, deadline, ...doubts };
    await held.save({ ...state, job });
    return { status: 'started', job };
  };

  const jobs = await hub.listJobs();
  if (state.intent !== undefined) {
    const { at, knownJobIds } = state.intent;
    const known = new Set(knownJobIds);
    const candidates = jobs.filter((job) => typeOf(job) === plan.type && !known.has(job.jobId));
    const echoed = candidates.find((job) => echoedNameOf(job) === plan.echoedName);
    if (echoed !== undefined) return keep(echoed.jobId, at);
    const silent = candidates.filter((job) => !echoes(job));
    const running = silent.find((job) => !isTerminalStatus(job.status));
    if (running !== undefined) {
      // One that never ends is not waited for longer than ours would be; whose it is stays open.
      if (context.now().getTime() > Date.parse(at) + planTimeMs(plan))
        return keep(running.jobId, at, { ambiguous: true, mayBeForeign: true });
      return { status: 'wait', reason: 'a job runs that may be the one this run started', seconds: 10 };
    }
    if (silent[0] !== undefined && (await proofExists(context, record, plan))) {
      // The blob proves that one of them was ours. Which one does not matter when all ended alike and well.
      const isSure = silent.every((job) => job.status.toLowerCase() === 'completed');
      return keep(silent[0].jobId, at, isSure ? {} : { ambiguous: true });
    }
  }

  if (jobs.some((job) => isTransfer(job) && !isTerminalStatus(job.status))) return hubBusy();

  await plan.beforeCreate?.();
  const now = context.now();
  const create = await plan.prepare(new Date(now.getTime() + planTimeMs(plan)));
  // An earlier intent stands as long as it is not resolved: its job may still come to light.
  const intent = state.intent ?? { at: now.toISOString(), knownJobIds: jobs.map((job) => job.jobId) };
  // In this order: what the record says and the blob does not was lost, and was not cut off in between.
  await held.save({ ...state, intent });
  if ((await plan.noteSending?.(intent.at)) === false) {
    await held.save({ ...state, closed: true });
    return { status: 'closed' };
  }
  await held.renew();
  try {
    const job = await create(hub);
    // Created once more after an unclear end, there may be two: what one of them says is not the whole truth.
    return await keep(job.jobId, now.toISOString(), state.intent === undefined ? {} : { ambiguous: true });
  } catch (error) {
    if (!(error instanceof HubError)) throw error;
    // Refused for certain: nothing was sent. After an earlier unclear attempt that cannot be said.
    if (!error.outcomeUnknown && state.intent === undefined) {
      await plan.noteRefused?.(intent.at);
      await held.save(state);
    }
    // 403 also means a lack of rights: only the code tells a busy hub from a forbidden one.
    if (error.code === 'JobQuotaExceeded') return hubBusy();
    throw error;
  }
}

function hubBusy(): StartJobResult {
  return {
    status: 'wait',
    reason: 'the hub is busy with another import or export job (a hub runs one at a time)',
    seconds: 5,
  };
}

function typeOf(job: ImportExportJob): string {
  return job.type.toLowerCase();
}

function isTransfer(job: ImportExportJob): boolean {
  return typeOf(job) === 'import' || typeOf(job) === 'export';
}

/** Live hubs leave the containers of a job out; one that shows them shows the names too. */
function echoes(job: ImportExportJob): boolean {
  return Boolean(job.outputBlobContainerUri || job.inputBlobContainerUri);
}

function echoedNameOf(job: ImportExportJob): string | undefined {
  return typeOf(job) === 'import' ? job.inputBlobName : job.outputBlobName;
}

async function proofExists(context: ProvisioningContext, record: RunRecord, plan: HubJobPlan): Promise<boolean> {
  return stagingOf(context, record.runId).getBlockBlobClient(plan.proofBlob).exists();
}

/** What is known of a job of the run, whoever noted it. */
export async function readJobState(
  context: ProvisioningContext,
  record: RunRecord,
  stateBlob: string,
): Promise<JobState | undefined> {
  return (await readJson<JobState>(stagingOf(context, record.runId).getBlockBlobClient(stateBlob)))?.value;
}

/** What is known of the export that lines are read back from: of the latest try at it. */
async function lastVerifyState(context: ProvisioningContext, record: RunRecord): Promise<JobState | undefined> {
  for (let exportTry = MOST_EXPORT_TRIES; exportTry > 1; exportTry--) {
    const state = await readJobState(context, record, verifyJobBlob(exportTry));
    if (state !== undefined) return state;
  }
  return readJobState(context, record, verifyJobBlob(1));
}

/**
 * Whether no job of the run is under way, as far as its record, its staging and the hub tell. The record alone does not:
 * nobody keeps that of a dead run up to date.
 */
export async function noJobUnderWay(context: ProvisioningContext, record: RunRecord): Promise<boolean> {
  const importState = await readJobState(context, record, IMPORT_JOB_BLOB);
  const epoch = importState?.round;
  const exportState = epoch === undefined ? undefined : await readJobState(context, record, exportJobBlob(epoch));
  const jobs = [
    { noted: record.exportJob?.round === epoch ? record.exportJob : undefined, state: exportState },
    { noted: record.job, state: importState },
    { noted: record.retryJob, state: await readJobState(context, record, RETRY_JOB_BLOB) },
    { noted: record.verifyJob, state: await lastVerifyState(context, record) },
    { noted: record.parentsJob, state: await readJobState(context, record, PARENTS_JOB_BLOB) },
  ];
  for (const { noted, state } of jobs) {
    if (noted !== undefined && isTerminalStatus(noted.status)) continue;
    const jobId = noted?.jobId ?? state?.job?.jobId;
    const job = jobId === undefined ? undefined : await readHubJob(context, record, jobId);
    if (job !== undefined && !isTerminalStatus(job.status)) return false;
  }
  return true;
}

export function isOverdue(context: ProvisioningContext, job: { readonly deadline: string }): boolean {
  return context.now().getTime() > Date.parse(job.deadline);
}

/** Whether the job is over: ended by the hub's word, forgotten by it, or past its deadline. */
export async function hasEnded(context: ProvisioningContext, record: RunRecord, job: RunJob): Promise<boolean> {
  if (isTerminalStatus(job.status) || isOverdue(context, job)) return true;
  const now = await readHubJob(context, record, job.jobId);
  return now === undefined;
}

/** As `hasEnded`; a hub that does not say is asked again by whoever watches the job. */
export async function isOver(context: ProvisioningContext, record: RunRecord, job: RunJob): Promise<boolean> {
  try {
    return await hasEnded(context, record, job);
  } catch (error) {
    if (error instanceof HubError) return false;
    throw error;
  }
}

/** The job as the hub now shows it; undefined when the hub no longer knows it. */
export async function readHubJob(
  context: ProvisioningContext,
  record: RunRecord,
  jobId: string,
): Promise<ImportExportJob | undefined> {
  return jobId === UNKNOWN_JOB ? undefined : context.hub(hubOf(record)).getJob(jobId);
}

/**
 * Asks the hub to cancel the job, unless it has ended: a hub may answer 500 to the cancel of an ended one.
 *
 * @returns whether a cancel was asked for
 */
export async function cancelHubJob(context: ProvisioningContext, record: RunRecord, jobId: string): Promise<boolean> {
  const hub = context.hub(hubOf(record));
  const job = await hub.getJob(jobId);
  if (job === undefined || isTerminalStatus(job.status)) return false;
  try {
    await hub.cancelJob(jobId);
    return true;
  } catch (error) {
    // It may have ended between the look and the cancel.
    const after = await hub.getJob(jobId);
    if (after === undefined || isTerminalStatus(after.status)) return false;
    throw error;
  }
}
