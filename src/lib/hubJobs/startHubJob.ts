/**
 * Starts a job of a run once, and finds it again after a crash.
 *
 * Hubs do not echo which container a job works in, so what proves a job ours is the blob that only our job writes there.
 */

import { HubError, type ImportExportJob, type RegistryClient } from '../registry/index.ts';
import { stagingOf } from '../runs/runContainer.ts';
import type { RunContext } from '../runs/runContext.ts';
import { hubOf, type RunBase } from '../runs/runRecord.ts';
import { StagingLost } from '../runs/stagingLost.ts';
import { type HeldState, type StartedJob, underLease } from './jobState.ts';
import { isTerminalStatus } from './jobStatus.ts';

const MINUTE_MS = 60_000;
const LEAST_DEADLINE_MS = 120 * MINUTE_MS;
/** A user delegation key lasts 7 days at most, and so does everything signed with it. */
const MOST_DEADLINE_MS = 7 * 24 * 60 * MINUTE_MS;
export type StartJobResult =
  | { readonly status: 'started'; readonly job: StartedJob }
  /** Not now: ask again after `seconds`. */
  | { readonly status: 'wait'; readonly reason: string; readonly seconds: number }
  /** The run was closed: no job is started for it any more. */
  | { readonly status: 'closed' }
  /** What this job would read is old. */
  | { readonly status: 'outdated' };

/** One job of a run: what tells it from others, and how it is created. */
export interface HubJobPlan {
  readonly type: 'import' | 'export';
  /** Name of the blob that keeps the state of this job. */
  readonly stateBlob: string;
  /** What it reads is of this: it is started only while its state names the same. */
  readonly fence?: string;
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
export async function startHubJob(context: RunContext, record: RunBase, plan: HubJobPlan): Promise<StartJobResult> {
  const started = await underLease(context, record, plan.stateBlob, (held) =>
    startUnderLease(context, record, plan, held),
  );
  if (started !== undefined) return started;
  return { status: 'wait', reason: 'an earlier attempt to start the job may still be under way', seconds: 5 };
}

async function startUnderLease(
  context: RunContext,
  record: RunBase,
  plan: HubJobPlan,
  held: HeldState,
): Promise<StartJobResult> {
  const state = await held.read();
  if (state.closed) return { status: 'closed' };
  if (state.job !== undefined) return { status: 'started', job: state.job };
  if (state.intent === undefined && (await plan.wasSent?.()) === true) {
    throw new StagingLost(record.runId, plan.stateBlob);
  }
  if (state.fence !== plan.fence) return { status: 'outdated' };

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

async function proofExists(context: RunContext, record: RunBase, plan: HubJobPlan): Promise<boolean> {
  return stagingOf(context, record.runId).getBlockBlobClient(plan.proofBlob).exists();
}
