import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ConfigurationApplier } from '../configurations/applyConfigurations.ts';
import type { ConfigurationStore } from '../configurations/configurationStore.ts';
import { exportConfigurationLines } from '../configurations/configurationWire.ts';
import { importConfigurations } from '../configurations/importConfigurations.ts';
import { countTwins } from '../configurations/systemMetrics.ts';
import type { Faults, JobFault } from '../faults.ts';
import { HubError } from '../http/hubError.ts';
import type { HubSettings } from '../hubOptions.ts';
import type { IdentityStore } from '../registry/identityStore.ts';
import { exportDevices, writeBlob } from './exportDevices.ts';
import { importDevices } from './importDevices.ts';
import { checkContainers, openContainers, storageReason } from './jobContainers.ts';
import { JobFailure } from './jobFailure.ts';
import type { JobRequest } from './jobRequest.ts';
import type { JobRow, JobStore, JobType } from './jobStore.ts';

export interface JobManagerInput {
  readonly store: IdentityStore;
  readonly configurations: ConfigurationStore;
  readonly configurationApplier: ConfigurationApplier;
  readonly jobs: JobStore;
  readonly settings: HubSettings;
  readonly faults: Faults;
  /** Stands for the storage role of the hub's managed identity. */
  readonly identityStorage: string | undefined;
  readonly now: () => number;
}

export interface JobManager {
  /** Checks quota and containers, then starts the job. Throws HubError 403003 or 400008. */
  create(request: JobRequest): Promise<JobRow>;
  find(jobId: string): JobRow | undefined;
  /** Jobs of the last 30 days, newest first. */
  list(): JobRow[];
  /** Cancels an active job at once; false when there is none by that id. */
  cancel(jobId: string): boolean;
  /** Somebody else's job: takes the one slot for as long as given. */
  addForeign(type: JobType, durationMs: number): JobRow;
  /** Takes up the jobs that were active when the hub last stopped. */
  resume(): void;
  clear(): Promise<void>;
  /** Stops working; active jobs stay active in the database. */
  close(): Promise<void>;
}

const HISTORY_MS = 30 * 24 * 60 * 60 * 1000;
const DEVICE_LOG = 'importErrors.log';
const CONFIGURATION_LOG = 'importConfigErrors.log';

export function createJobManager(input: JobManagerInput): JobManager {
  const { jobs, settings, now } = input;
  const working = new Map<string, { readonly abort: AbortController; readonly done: Promise<void> }>();

  const demandSlot = () => {
    if (jobs.active().length > 0) {
      throw new HubError(
        'JobQuotaExceeded',
        'Error: 403 ErrorCode: JobQuotaExceeded. The hub already runs an import or export job.',
      );
    }
  };
  const newRow = (type: JobType, request: JobRequest | { durationMs: number }, foreignJob: 0 | 1): JobRow => ({
    jobId: randomUUID(),
    type,
    status: 'enqueued',
    foreignJob,
    request: JSON.stringify(request),
    createdMs: now(),
    startedMs: null,
    endedMs: null,
    failureReason: null,
    progress: 0,
    inputEtag: null,
    position: 0,
    lines: 0,
    configurationsDone: 0,
  });
  const start = (row: JobRow): JobRow => {
    const abort = new AbortController();
    const done = run(row.jobId, abort.signal).finally(() => working.delete(row.jobId));
    working.set(row.jobId, { abort, done });
    return row;
  };
  const end = (jobId: string, change: Partial<JobRow>) => {
    const row = jobs.find(jobId);
    // The URIs carry signatures: they are kept no longer than the job needs them.
    const request = row?.foreignJob === 1 || settings.jobEcho ? {} : { request: '{}' };
    jobs.change(jobId, { ...change, ...request, endedMs: now() });
  };

  async function run(jobId: string, signal: AbortSignal): Promise<void> {
    try {
      const row = await beginRunning(jobId, signal);
      const begun = performance.now();
      if (row.foreignJob === 1) await runForeign(row, signal);
      else await runOwn(row, signal);
      const left = settings.jobRunMs - (performance.now() - begun);
      if (left > 0) await sleep(left, undefined, { signal });
      signal.throwIfAborted();
      end(jobId, { status: 'completed', progress: 100 });
    } catch (error) {
      if (signal.aborted) return;
      const reason = error instanceof JobFailure ? error.message : `The job failed: ${storageReason(error)}.`;
      end(jobId, { status: 'failed', failureReason: reason });
      jobs.clearErrors(jobId);
    }
  }

  async function beginRunning(jobId: string, signal: AbortSignal): Promise<JobRow> {
    const row = demandJob(jobId);
    if (row.status === 'running') return row;
    await sleep(settings.jobEnqueueMs, undefined, { signal });
    jobs.change(jobId, { status: 'running', startedMs: now() });
    return demandJob(jobId);
  }

  async function runForeign(row: JobRow, signal: AbortSignal): Promise<void> {
    const { durationMs } = JSON.parse(row.request) as { durationMs: number };
    await sleep(Math.max(0, row.createdMs + durationMs - now()), undefined, { signal });
  }

  async function runOwn(row: JobRow, signal: AbortSignal): Promise<void> {
    const request = JSON.parse(row.request) as JobRequest;
    const fault = input.faults.forJob(row.type === 'import' ? 'importJob' : 'exportJob');
    if (row.type === 'import') await runImport(row, request, fault, signal);
    else await runExport(row, request, fault, signal);
  }

  async function runImport(row: JobRow, request: JobRequest, fault: JobFault | undefined, signal: AbortSignal) {
    const containers = openContainers(request, input.identityStorage);
    if (containers.input === undefined) throw new JobFailure('The job has no input container.');
    for (const name of [DEVICE_LOG, CONFIGURATION_LOG]) {
      await containers.output.getBlobClient(name).deleteIfExists({ abortSignal: signal });
    }
    await importDevices({
      ...input,
      job: row,
      container: containers.input,
      blobName: request.inputBlobName,
      fault,
      signal,
    });
    if (request.includeConfigurations && demandJob(row.jobId).configurationsDone === 0) {
      await importConfigurations({
        ...input,
        jobId: row.jobId,
        container: containers.input,
        blobName: request.configurationsBlobName,
        signal,
      });
      await input.configurationApplier.applyToAll();
    }
    // Both logs are always written, if need be empty: the .NET sample opens them without looking
    // (Azure/azure-iot-sdk-csharp ImportExportDevicesSample).
    if (fault?.outcome !== 'noLog') {
      await writeBlob(containers.output, CONFIGURATION_LOG, errorLines(row.jobId, 'configuration'), signal);
      await writeBlob(containers.output, DEVICE_LOG, errorLines(row.jobId, 'device'), signal);
    }
    jobs.clearErrors(row.jobId);
  }

  function* errorLines(jobId: string, kind: 'device' | 'configuration'): Generator<string> {
    for (let after = 0; ; ) {
      const { last, lines } = jobs.errors(jobId, kind, after);
      if (lines.length === 0) return;
      yield lines.map((line) => `${line}\r\n`).join('');
      after = last;
    }
  }

  async function runExport(row: JobRow, request: JobRequest, fault: JobFault | undefined, signal: AbortSignal) {
    const { output } = openContainers(request, input.identityStorage);
    await exportDevices({
      store: input.store,
      settings,
      container: output,
      blobName: request.outputBlobName,
      excludeKeys: request.excludeKeysInExport,
      fault,
      signal,
      onProgress: (progress, lines) => jobs.change(row.jobId, { progress, lines }),
    });
    if (request.includeConfigurations || request.configurationsBlobNamed) {
      const lines = request.includeConfigurations
        ? exportConfigurationLines(input.configurations.list(), countTwins(input.store))
        : [];
      await writeBlob(output, request.configurationsBlobName, lines, signal);
    }
  }

  function demandJob(jobId: string): JobRow {
    const row = jobs.find(jobId);
    if (row === undefined) throw new JobFailure('The job is gone.');
    return row;
  }

  const stopAll = async () => {
    const all = [...working.values()];
    for (const { abort } of all) abort.abort();
    await Promise.all(all.map(({ done }) => done));
  };

  return {
    create: async (request) => {
      demandSlot();
      await checkContainers(request, input.identityStorage);
      // Another job may have been accepted while storage was asked.
      demandSlot();
      const row = newRow(request.type, request, 0);
      jobs.insert(row);
      return start(row);
    },
    find: (jobId) => jobs.find(jobId),
    list: () => {
      jobs.removeOlderThan(now() - HISTORY_MS);
      return jobs.list();
    },
    cancel: (jobId) => {
      const row = jobs.find(jobId);
      if (row === undefined || (row.status !== 'enqueued' && row.status !== 'running')) return false;
      end(jobId, { status: 'cancelled' });
      jobs.clearErrors(jobId);
      working.get(jobId)?.abort.abort();
      return true;
    },
    addForeign: (type, durationMs) => {
      demandSlot();
      const row = newRow(type, { durationMs }, 1);
      jobs.insert(row);
      return start(row);
    },
    resume: () => {
      for (const row of jobs.active()) start(row);
    },
    clear: async () => {
      await stopAll();
      jobs.clear();
    },
    close: stopAll,
  };
}
