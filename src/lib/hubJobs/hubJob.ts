/** The jobs that a run has had the hub start: looked at, and cancelled. */

import { HubError, type ImportExportJob } from '../registry/index.ts';
import type { RunContext } from '../runs/runContext.ts';
import { hubOf, type RunBase, type RunJob } from '../runs/runRecord.ts';
import { readJobState } from './jobState.ts';
import { isTerminalStatus } from './jobStatus.ts';

/** Stands for a job of which nobody knows whether it was started. */
export const UNKNOWN_JOB = 'unknown';

/**
 * Whether one of these jobs of a run is under way, as far as its record, its staging and the hub tell. The record alone
 * does not: nobody keeps that of a dead run up to date.
 *
 * @param jobs as the record has them, and the blobs that keep their states
 */
export async function isAnyUnderWay(
  context: RunContext,
  record: RunBase,
  jobs: readonly { readonly noted: RunJob | undefined; readonly stateBlob: string | undefined }[],
): Promise<boolean> {
  for (const { noted, stateBlob } of jobs) {
    if (noted !== undefined && isTerminalStatus(noted.status)) continue;
    const state = stateBlob === undefined ? undefined : await readJobState(context, record, stateBlob);
    const jobId = noted?.jobId ?? state?.job?.jobId;
    const job = jobId === undefined ? undefined : await readHubJob(context, record, jobId);
    if (job !== undefined && !isTerminalStatus(job.status)) return true;
  }
  return false;
}

/** Name of the blob that keeps the state of a job of a run that is not provisioning's. */
export function workJobBlob(name: string): string {
  return `job-${name}.json`;
}

/** As `isAnyUnderWay`, of a run whose jobs keep their states in blobs of their names. */
export async function isIdleWork(context: RunContext, record: RunBase, names: readonly string[]): Promise<boolean> {
  if (record.hub === undefined) return true;
  const jobs = names.map((name) => ({ noted: record.jobs[name], stateBlob: workJobBlob(name) }));
  try {
    return !(await isAnyUnderWay(context, record, jobs));
  } catch (error) {
    if (error instanceof HubError) return false;
    throw error;
  }
}

export function isOverdue(context: RunContext, job: { readonly deadline: string }): boolean {
  return context.now().getTime() > Date.parse(job.deadline);
}

/** Whether the job is over: ended by the hub's word, forgotten by it, or past its deadline. */
export async function hasEnded(context: RunContext, record: RunBase, job: RunJob): Promise<boolean> {
  if (isTerminalStatus(job.status) || isOverdue(context, job)) return true;
  const now = await readHubJob(context, record, job.jobId);
  return now === undefined;
}

/** As `hasEnded`; a hub that does not say is asked again by whoever watches the job. */
export async function isOver(context: RunContext, record: RunBase, job: RunJob): Promise<boolean> {
  try {
    return await hasEnded(context, record, job);
  } catch (error) {
    if (error instanceof HubError) return false;
    throw error;
  }
}

/** The job as the hub now shows it; undefined when the hub no longer knows it. */
export async function readHubJob(
  context: RunContext,
  record: RunBase,
  jobId: string,
): Promise<ImportExportJob | undefined> {
  return jobId === UNKNOWN_JOB ? undefined : context.hub(hubOf(record)).getJob(jobId);
}

/**
 * Asks the hub to cancel the job, unless it has ended: a hub may answer 500 to the cancel of an ended one.
 *
 * @returns whether a cancel was asked for
 */
export async function cancelHubJob(context: RunContext, record: RunBase, jobId: string): Promise<boolean> {
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
