/**
 * The import job of a run: started once, found again after a crash, watched and cancelled.
 *
 * A create whose reply was lost must not become a second job. Before each create, `job.json` in the container of the run
 * notes the jobs that the hub lists (the intent); after a crash, a job that is not among them may be ours. Hubs do not
 * echo which container a job works in, so what proves it ours is the error log that only our job writes there.
 */

import { randomUUID } from 'node:crypto';
import type { BlobLeaseClient, BlockBlobClient } from '@azure/storage-blob';

import { HubError, type ImportExportJob } from '../registry/index.ts';
import { containerUriWithSas } from '../storage/containerSas.ts';
import { readJson, writeJson } from '../storage/jsonBlob.ts';
import { isConditionFailed } from '../storage/storageErrors.ts';
import type { ProvisioningContext } from './context.ts';
import { assertDropUnchanged } from './drop.ts';
import type { RunRecord } from './runRecord.ts';
import { type CheckResult, checkBlobs, ERROR_LOG_BLOB, JOB_BLOB, stagingOf } from './staging.ts';

const MINUTE_MS = 60_000;
const LEAST_DEADLINE_MS = 120 * MINUTE_MS;
/** A user delegation key lasts 7 days at most, and so does everything signed with it. */
const MOST_DEADLINE_MS = 7 * 24 * 60 * MINUTE_MS;
/** One attempt at a time works on the job; a dead one is passed over after this long. Longer than any call to the hub. */
const LEASE_SECONDS = 60;
const LEASE_TRIES = 10;

export interface StartedJob {
  readonly jobId: string;
  readonly createdAt: string;
  readonly deadline: string;
}

export type StartJobResult =
  | { readonly status: 'started'; readonly job: StartedJob }
  /** Not now: ask again after `seconds`. */
  | { readonly status: 'wait'; readonly reason: string; readonly seconds: number };

export interface JobState {
  /** Set before a create is sent; jobs that were known then cannot be ours. */
  readonly intent?: { readonly at: string; readonly knownJobIds: readonly string[] };
  readonly job?: StartedJob;
}

/** How long the job may take, ms: 2 minutes per 100 lines (twice what the documentation names), at least 2 hours. */
export function jobDeadlineMs(lines: number): number {
  return Math.min(MOST_DEADLINE_MS, Math.max(LEAST_DEADLINE_MS, Math.ceil(lines / 100) * 2 * MINUTE_MS));
}

export function isTerminalStatus(status: string): boolean {
  return ['completed', 'failed', 'cancelled'].includes(status.toLowerCase());
}

/**
 * Starts the import job, or finds the one that an earlier attempt started. One call does at most one create.
 *
 * @throws DropChanged, HubError (what cannot be waited for)
 */
export async function startImportJob(
  context: ProvisioningContext,
  record: RunRecord,
  check: CheckResult,
): Promise<StartJobResult> {
  const blob = stagingOf(context, record.runId).getBlockBlobClient(JOB_BLOB);
  await writeJson(blob, {}, { ifAbsent: true });
  const lease = blob.getBlobLeaseClient(randomUUID());
  for (let tries = 1; !(await acquired(lease)); tries++) {
    // Another attempt at this very step is under way, or died a moment ago.
    const { job } = (await readJson<JobState>(blob))?.value ?? {};
    if (job !== undefined) return { status: 'started', job };
    if (tries === LEASE_TRIES) {
      return { status: 'wait', reason: 'an earlier attempt to start the job may still be under way', seconds: 5 };
    }
    await context.sleep(500);
  }
  try {
    return await startUnderLease(context, record, check, blob, lease.leaseId);
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
  check: CheckResult,
  blob: BlockBlobClient,
  leaseId: string,
): Promise<StartJobResult> {
  const state = (await readJson<JobState>(blob))?.value ?? {};
  if (state.job !== undefined) return { status: 'started', job: state.job };

  const hub = context.hub(hubOf(record));
  const inputBlobName = checkBlobs(stagingOf(context, record.runId), check.attempt).devices.name;
  const save = async (next: JobState): Promise<void> => {
    if (!(await writeJson(blob, next, { leaseId }))) throw new Error('The lease on the job of this run was lost.');
  };
  const keep = async (jobId: string, createdAt: string): Promise<StartJobResult> => {
    const deadline = new Date(Date.parse(createdAt) + jobDeadlineMs(check.accepted)).toISOString();
    const job = { jobId, createdAt, deadline };
    await save({ ...state, job });
    return { status: 'started', job };
  };

  const jobs = await hub.listJobs();
  if (state.intent !== undefined) {
    const { at, knownJobIds } = state.intent;
    const known = new Set(knownJobIds);
    const candidates = jobs.filter((job) => isImport(job) && !known.has(job.jobId));
    const echoed = candidates.find((job) => job.inputBlobName === inputBlobName);
    if (echoed !== undefined) return keep(echoed.jobId, at);
    const silent = candidates.filter((job) => !job.inputBlobName || !job.inputBlobContainerUri);
    if (silent.some((job) => !isTerminalStatus(job.status))) {
      return { status: 'wait', reason: 'an import job runs that may be the one this run started', seconds: 10 };
    }
    if (silent[0] !== undefined && (await errorLogExists(context, record))) {
      // Of several silent jobs any could be ours, but the log proves that one of them was, and all of them have ended.
      return keep(silent[0].jobId, at);
    }
  }

  const busy = jobs.find((job) => isTransfer(job) && !isTerminalStatus(job.status));
  if (busy !== undefined) return hubBusy();

  await assertDropUnchanged(context, record);
  const intent = { at: context.now().toISOString(), knownJobIds: jobs.map((job) => job.jobId) };
  await save({ intent });
  try {
    const job = await hub.createImportJob(await jobRequest(context, record, check, inputBlobName));
    return await keep(job.jobId, intent.at);
  } catch (error) {
    // 403 also means a lack of rights: only the code tells a busy hub from a forbidden one.
    if (error instanceof HubError && error.code === 'JobQuotaExceeded') return hubBusy();
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

function isImport(job: ImportExportJob): boolean {
  return job.type.toLowerCase() === 'import';
}

function isTransfer(job: ImportExportJob): boolean {
  return isImport(job) || job.type.toLowerCase() === 'export';
}

async function jobRequest(context: ProvisioningContext, record: RunRecord, check: CheckResult, inputBlobName: string) {
  const container = stagingOf(context, record.runId);
  const { settings, storage } = context;
  if (settings.storageAuth === 'identity') {
    return {
      inputBlobContainerUri: container.url,
      inputBlobName,
      outputBlobContainerUri: container.url,
      storageAuthenticationType: 'identityBased' as const,
      ...(settings.storageIdentity === undefined
        ? {}
        : { identity: { userAssignedIdentity: settings.storageIdentity } }),
    };
  }
  const now = context.now();
  const expiresOn = new Date(now.getTime() + jobDeadlineMs(check.accepted));
  return {
    inputBlobContainerUri: await containerUriWithSas(storage, container, { permissions: 'r', now, expiresOn }),
    inputBlobName,
    // The hub removes a log that is already there before it writes its own: it needs delete besides read and write.
    outputBlobContainerUri: await containerUriWithSas(storage, container, { permissions: 'rwd', now, expiresOn }),
    storageAuthenticationType: 'keyBased' as const,
  };
}

/** Whether the error log, which only a job of this run writes into its container, has appeared. */
export async function errorLogExists(context: ProvisioningContext, record: RunRecord): Promise<boolean> {
  return stagingOf(context, record.runId).getBlockBlobClient(ERROR_LOG_BLOB).exists();
}

/** The job as the hub now shows it; undefined when the hub no longer knows it. */
export async function readImportJob(
  context: ProvisioningContext,
  record: RunRecord,
  jobId: string,
): Promise<ImportExportJob | undefined> {
  return context.hub(hubOf(record)).getJob(jobId);
}

/**
 * Whether no job of the run is under way, as far as its record, its staging and the hub tell. The record alone does not:
 * nobody keeps that of a dead run up to date.
 */
export async function noJobUnderWay(context: ProvisioningContext, record: RunRecord): Promise<boolean> {
  if (record.job !== undefined && isTerminalStatus(record.job.status)) return true;
  const jobId = record.job?.jobId ?? (await readJobState(context, record.runId)).job?.jobId;
  if (jobId === undefined) return true;
  const job = await readImportJob(context, record, jobId);
  return job === undefined || isTerminalStatus(job.status);
}

/** What is known of the job of a run besides its record: `job` once it is started, `intent` when it may have been. */
export async function readJobState(context: ProvisioningContext, runId: string): Promise<JobState> {
  return (await readJson<JobState>(stagingOf(context, runId).getBlockBlobClient(JOB_BLOB)))?.value ?? {};
}

/**
 * Asks the hub to cancel the job, unless it has ended: a hub may answer 500 to the cancel of an ended one.
 *
 * @returns whether a cancel was asked for
 */
export async function cancelImportJob(
  context: ProvisioningContext,
  record: RunRecord,
  jobId: string,
): Promise<boolean> {
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

export function hubOf(record: RunRecord): string {
  if (record.hub === undefined) throw new Error(`The run ${record.runId} names no hub.`);
  return record.hub;
}
