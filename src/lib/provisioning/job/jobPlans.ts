import { defined } from '../../defined.ts';
import { ERROR_LOG_BLOB } from '../../hubJobs/errorLog.ts';
import type { HubJobPlan } from '../../hubJobs/startHubJob.ts';
import { HubError } from '../../registry/index.ts';
import type { ExportRequest } from '../../registryLines/adoptExport.ts';
import { stagingOf } from '../../runs/runContainer.ts';
import { hubOf } from '../../runs/runRecord.ts';
import { StagingLost } from '../../runs/stagingLost.ts';
import { containerUriWithSas } from '../../storage/containerSas.ts';
import type { CheckResult } from '../check/checkResult.ts';
import { assertDropUnchanged } from '../drop/drop.ts';
import type { Epoch } from '../run/epoch.ts';
import { importSent, noteRefused, noteSending } from '../run/importNotes.ts';
import { IMPORT_JOB_BLOB, RETRY_JOB_BLOB } from '../run/jobBlobs.ts';
import type { ProvisioningContext, ProvisionRun } from '../run/provisionRun.ts';

/**
 * How long an export may take follows the devices that the hub counts when it is planned, at the pace of all jobs
 * (`jobDeadlineMs`): 2 minutes per 100, at least 2 hours, and at most this, however large the registry is, for one that
 * hangs holds up the hub. Statistics lag, so the lines of the file are the least that is counted. A hub that does not
 * say is taken for a large one.
 */
const LONGEST_EXPORT_MS = 12 * 60 * 60_000;
const UNKNOWN_DEVICES = 1_000_000;

/** A run of which a job is planned. */
export interface PlannedJob {
  readonly context: ProvisioningContext;
  readonly record: ProvisionRun;
  readonly check: CheckResult;
  /** The epoch of the pre-image; undefined for a run that takes none, and for a job that follows the import. */
  readonly epoch: Epoch | undefined;
}

/**
 * The import of the staged lines: `inputBlobName` lies in the container of the run, and the error log goes there.
 *
 * @param input what the job reads
 */
export function importPlan(
  { context, record, check, epoch }: PlannedJob,
  input: { readonly blobName: string; readonly configurationsBlobName: string | undefined },
): HubJobPlan {
  const { runId } = record;
  return {
    ...importOf(context, record, { ...input, lines: check.accepted }),
    ...defined({ fence: epoch }),
    stateBlob: IMPORT_JOB_BLOB,
    wasSent: () => importSent(context, runId),
    noteSending: (at) => noteSending(context, runId, at),
    noteRefused: (at) => noteRefused(context, runId, at),
    async beforeCreate() {
      await assertDropUnchanged(context, record);
      // A hub would take the job, and fail.
      if (await stagingOf(context, runId).getBlockBlobClient(input.blobName).exists()) return;
      throw new StagingLost(runId, input.blobName);
    },
  };
}

/** The second import, of lines that failed transiently. The drop has been taken: it may be gone by now. */
export function retryPlan(
  { context, record }: PlannedJob,
  input: { readonly blobName: string; readonly lines: number },
): HubJobPlan {
  return { ...importOf(context, record, input), stateBlob: RETRY_JOB_BLOB };
}

function importOf(
  context: ProvisioningContext,
  record: ProvisionRun,
  input: { readonly blobName: string; readonly lines: number; readonly configurationsBlobName?: string | undefined },
): Omit<HubJobPlan, 'stateBlob'> {
  const { blobName: inputBlobName, lines, configurationsBlobName } = input;
  return {
    type: 'import',
    proofBlob: ERROR_LOG_BLOB,
    echoedName: inputBlobName,
    lines,
    async prepare(expiresOn) {
      const job = {
        inputBlobContainerUri: await containerUri(context, record, 'r', expiresOn),
        inputBlobName,
        // The hub removes a log that is already there before it writes its own: it needs delete besides read and write.
        outputBlobContainerUri: await containerUri(context, record, 'rwd', expiresOn),
        ...(configurationsBlobName === undefined ? {} : { includeConfigurations: true, configurationsBlobName }),
        ...storageAuthentication(context),
      };
      return (hub) => hub.createImportJob(job);
    },
  };
}

/** An export of the whole registry into the container of the run. */
export async function exportPlan(
  work: PlannedJob,
  { blobName: outputBlobName, keys }: ExportRequest,
  stateBlob: string,
): Promise<HubJobPlan> {
  const { context, record, check } = work;
  const lines = Math.max(check.accepted, await devicesOf(context, record));
  return {
    type: 'export',
    stateBlob,
    proofBlob: outputBlobName,
    echoedName: outputBlobName,
    lines,
    longestMs: LONGEST_EXPORT_MS,
    async prepare(expiresOn) {
      const job = {
        outputBlobContainerUri: await containerUri(context, record, 'rwd', expiresOn),
        outputBlobName,
        excludeKeys: keys === 'excluded',
        ...storageAuthentication(context),
      };
      return (hub) => hub.createExportJob(job);
    },
  };
}

async function devicesOf(context: ProvisioningContext, record: ProvisionRun): Promise<number> {
  try {
    return (await context.hub(hubOf(record)).getRegistryStatistics()).totalDeviceCount;
  } catch (error) {
    // Whether the hub can be reached shows when the job is started.
    if (!(error instanceof HubError)) throw error;
    return UNKNOWN_DEVICES;
  }
}

function storageAuthentication({ settings }: ProvisioningContext) {
  if (settings.storageAuth === 'sas') return { storageAuthenticationType: 'keyBased' as const };
  return {
    storageAuthenticationType: 'identityBased' as const,
    ...(settings.storageIdentity === undefined ? {} : { identity: { userAssignedIdentity: settings.storageIdentity } }),
  };
}

/** The container of the run for the hub: with a signature, or bare where the hub comes with its identity. */
async function containerUri(
  context: ProvisioningContext,
  record: ProvisionRun,
  permissions: string,
  expiresOn: Date,
): Promise<string> {
  const container = stagingOf(context, record.runId);
  if (context.settings.storageAuth === 'identity') return container.url;
  return containerUriWithSas(context.storage, container, { permissions, now: context.now(), expiresOn });
}
