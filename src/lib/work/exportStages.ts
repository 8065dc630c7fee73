/**
 * The stages by which a run has its hub export its whole registry, and takes the export over as a snapshot: start the job
 * once, watch it, read what it wrote line by line.
 */

import type { ContainerClient } from '@azure/storage-blob';

import { defined } from '../defined.ts';
import { HubKeeperError } from '../errors.ts';
import { exportPlan } from '../hubJobs/exportPlan.ts';
import { cancelHubJob, isOverdue, readHubJob, workJobBlob } from '../hubJobs/hubJob.ts';
import { isTerminalStatus } from '../hubJobs/jobStatus.ts';
import { startHubJob } from '../hubJobs/startHubJob.ts';
import { HubError } from '../registry/index.ts';
import { adoptExport, type ExportRequest } from '../registryLines/adoptExport.ts';
import type { Snapshot, SnapshotKeys } from '../registryLines/snapshot.ts';
import { snapshotPlace } from '../runs/runContainer.ts';
import { isSuspended, type RunError, type RunJob } from '../runs/runRecord.ts';
import { waitingFor } from '../runs/waiting.ts';
import { copyBlob } from '../storage/copyBlob.ts';
import { startDelaySeconds, watchDelaySeconds } from '../turns/delays.ts';
import type { Stage, StageReply } from './stage.ts';
import { workError } from './workErrors.ts';
import { enterPhase } from './workNotes.ts';
import type { WorkContext, WorkJob, WorkRun } from './workRun.ts';

export interface ExportStagesOptions {
  readonly job?: WorkJob;
  keys(record: WorkRun, context: WorkContext): SnapshotKeys;
  /** Where the snapshot is kept: it is copied there, and verified there. Default: where the hub has written it. */
  keptAt?(context: WorkContext, record: WorkRun): Promise<KeptBlob>;
  /** Also `configurations.txt`, into the container of the run. Default: false. */
  readonly configurations?: boolean;
  /** Called with the turn, before the job is started. */
  before?(context: WorkContext, record: WorkRun): Promise<void>;
  /** The stage that follows, once the snapshot is in the record. The turn is given up before. */
  readonly next: string;
  /** The stage that follows when there is no snapshot to be had, as of a `Stage`. Default: the run fails. */
  readonly failed?: string;
}

export interface KeptBlob {
  readonly container: ContainerClient;
  readonly blobName: string;
}

/** Name of what the export writes into the container of the run. */
export function exportBlobs(job: WorkJob = 'export'): { readonly lines: string; readonly configurations: string } {
  return { lines: `${job}-devices.txt`, configurations: `${job}-configurations.txt` };
}

/** @throws Error when the snapshot has not been taken */
export function snapshotIn(record: WorkRun, job: WorkJob = 'export'): Snapshot {
  const snapshot = record.snapshots?.[job];
  if (snapshot === undefined) throw new Error(`The run ${record.runId} has no snapshot of its hub.`);
  return snapshot;
}

/** Stages `export`, `exportWatch` and `exportAdopt` (named after the job): to be entered by the first. */
export function exportStages(options: ExportStagesOptions): Readonly<Record<string, Stage>> {
  const { job = 'export', next: following } = options;
  const request = (context: WorkContext, record: WorkRun): ExportRequest => {
    const { lines, configurations } = exportBlobs(job);
    return {
      blobName: lines,
      keys: options.keys(record, context),
      ...(options.configurations ? { configurationsBlobName: configurations } : {}),
    };
  };
  const watchStage = `${job}Watch`;
  const adoptStage = `${job}Adopt`;

  const start: Stage['work'] = async (context, record, { tries = 0 }): Promise<StageReply> => {
    if (record.jobs[job] !== undefined) return watchFrom(context, watchStage);
    await enterPhase(context, record.runId, 'export');
    await options.before?.(context, record);
    const plan = await exportPlan(context, record, request(context, record), { stateBlob: workJobBlob(job) });
    const started = await startHubJob(context, record, plan);
    if (started.status === 'closed' || started.status === 'outdated') throw new Error('The export cannot be started.');
    if (started.status === 'wait') {
      await waitingFor(context, record.runId, { kind: 'busy', reason: started.reason });
      return { wait: startDelaySeconds(tries, started.seconds), with: { tries: tries + 1 } };
    }
    await noteJob(context, record.runId, job, { ...started.job, status: 'enqueued', progress: 0 });
    return watchFrom(context, watchStage);
  };

  // Whoever comes late, or starts anew, ends no run that has its snapshot.
  const unless = ({ snapshots }: WorkRun): boolean => snapshots?.[job] !== undefined;
  const fail = (error: RunError): StageReply => {
    if (options.failed === undefined) return { end: 'failed', error, unless };
    throw new HubKeeperError(error);
  };
  const overdue = ({ deadline }: RunJob): StageReply => fail(workError('exportOverdue', { deadline }));

  const watch: Stage['work'] = async (context, record, { since = 0, lookAt = 0 }): Promise<StageReply> => {
    const known = record.jobs[job];
    if (known === undefined) return { go: job };
    if (unless(record)) return { go: following, leaveTurn: true };
    if (isTerminalStatus(known.status)) return ended(record);
    const now = context.now().getTime();
    const isUnwanted = record.cancelRequestedAt !== undefined;
    if (!isUnwanted && now < lookAt - 500) return { wait: (lookAt - now) / 1000, with: { since, lookAt } };
    try {
      if ((isUnwanted || isOverdue(context, known)) && !known.mayBeForeign) await tryToCancel(context, record, known);
      const seen = await readHubJob(context, record, known.jobId);
      const status = seen?.status ?? 'unknown';
      const next = { ...known, status, progress: seen?.progress ?? known.progress };
      await noteJob(context, record.runId, job, { ...next, ...defined({ failureReason: seen?.failureReason }) });
      if (seen === undefined || isTerminalStatus(status)) return ended(record);
      if (isOverdue(context, known)) return overdue(known);
      return pause(now, since, seen.progress);
    } catch (error) {
      if (!(error instanceof HubError)) throw error;
      if (isOverdue(context, known)) return overdue(known);
      await waitingFor(context, record.runId, { kind: 'trouble', reason: error.message });
      return pause(now, since);
    }
  };

  const ended = (record: WorkRun): StageReply => {
    if (record.cancelRequestedAt !== undefined) {
      if (options.failed !== undefined) return { go: options.failed, leaveTurn: true };
      return { end: 'cancelled', error: workError('cancelled'), unless };
    }
    // A suspended run reads what was written once it goes on.
    return isSuspended(record) ? { wait: 1, go: adoptStage } : { go: adoptStage, leaveTurn: true };
  };

  const adopt: Stage['work'] = async (context, record): Promise<StageReply> => {
    const known = record.jobs[job];
    if (known === undefined) throw new Error(`The run ${record.runId} has no job ${job}.`);
    await enterPhase(context, record.runId, 'verify');
    const { place, request: kept } = await keep(context, record, request(context, record), options);
    const adopted = await adoptExport(place, kept, known);
    if ('fault' in adopted) {
      return fail(workError('exportNotCompleted', { why: adopted.why }));
    }
    await context.runs.update(record.runId, (current) => ({
      ...current,
      snapshots: { ...current.snapshots, [job]: adopted },
    }));
    return { go: following };
  };

  const failed = defined({ failed: options.failed });
  return {
    [job]: { work: start, turn: true, ...failed },
    [watchStage]: { work: watch, turn: true, whileSuspended: true, whenCancelled: true, ...failed },
    [adoptStage]: { work: adopt, ...failed },
  };
}

/** Where the export is read: a copy is made first, so that what is verified is what is kept. */
async function keep(
  context: WorkContext,
  record: WorkRun,
  written: ExportRequest,
  { keptAt }: Pick<ExportStagesOptions, 'keptAt'>,
) {
  const place = snapshotPlace(context, record);
  if (keptAt === undefined) return { place, request: written };
  const { container, blobName } = await keptAt(context, record);
  const from = place.container.getBlockBlobClient(written.blobName);
  await copyBlob(from, container.getBlockBlobClient(blobName), context.sleep);
  return { place: { ...place, container }, request: { ...written, blobName } };
}

function watchFrom(context: WorkContext, go: string): StageReply {
  const since = context.now().getTime();
  const seconds = watchDelaySeconds(0);
  return { wait: seconds, go, with: { since, lookAt: since + seconds * 1000 } };
}

function pause(now: number, since: number, progress?: number): StageReply {
  const seconds = watchDelaySeconds(now - since, progress);
  return { wait: seconds, with: { since, lookAt: now + seconds * 1000 } };
}

async function noteJob(context: WorkContext, runId: string, name: WorkJob, job: RunJob): Promise<void> {
  await context.runs.update(runId, ({ waiting: _waiting, ...rest }) => {
    const before = rest.jobs[name];
    // What another attempt has seen earlier is no news of a job that has ended.
    const isOld = before !== undefined && isTerminalStatus(before.status) && !isTerminalStatus(job.status);
    return isOld ? undefined : { ...rest, jobs: { ...rest.jobs, [name]: job } };
  });
}

async function tryToCancel(context: WorkContext, record: WorkRun, { jobId }: RunJob): Promise<void> {
  try {
    await cancelHubJob(context, record, jobId);
  } catch (error) {
    if (!(error instanceof HubError)) throw error;
    context.log.log('warn', `the hub does not cancel job ${jobId}: ${error.message}`);
  }
}
