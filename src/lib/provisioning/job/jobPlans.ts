import { defined } from '../../defined.ts';
import { ERROR_LOG_BLOB } from '../../hubJobs/errorLog.ts';
import type { HubJobPlan } from '../../hubJobs/startHubJob.ts';
import { HubError } from '../../registry/index.ts';
import type { ExportRequest } from '../../registryLines/adoptExport.ts';
import { stagingOf } from '../../runs/runContainer.ts';
import { hubOf } from '../../runs/runRecord.ts';
import { StagingLost } from '../../runs/stagingLost.ts';
import { containerUriWithSas } from '../../storage/containerSas.ts';
import type { Verification } from '../again/waves.ts';
import type { CheckResult } from '../check/checkResult.ts';
import { assertDropUnchanged } from '../drop/drop.ts';
import { preImageExport } from '../preImage/preImage.ts';
import type { Epoch } from '../run/epoch.ts';
import { importSent, noteRefused, noteSending } from '../run/importNotes.ts';
import { exportJobBlob, IMPORT_JOB_BLOB, PARENTS_JOB_BLOB, RETRY_JOB_BLOB, verifyJobBlob } from '../run/jobBlobs.ts';
import type { ProvisioningContext, ProvisionRun } from '../run/provisionRun.ts';
import { verifyExport } from '../verify/verification.ts';

/**
 * How long an export may take follows the devices that the hub counts when it is planned, at the pace of all jobs
 * (`jobDeadlineMs`): 2 minutes per 100, at least 2 hours, and at most this, however large the registry is, for one that
 * hangs holds up the hub. Statistics lag, so the lines of the file are the least that is counted. A hub that does not
 * say is taken for a large one.
 */
const LONGEST_EXPORT_MS = 12 * 60 * 60_000;
const UNKNOWN_DEVICES = 1_000_000;

/**
 * The import of the staged lines: `inputBlobName` lies in the container of the run, and the error log goes there.
 *
 * @param input what the job reads, and by which pre-image that was filled
 */
export function importPlan(
  context: ProvisioningContext,
  record: ProvisionRun,
  check: CheckResult,
  input: {
    readonly blobName: string;
    readonly epoch: Epoch | undefined;
    readonly configurationsBlobName: string | undefined;
  },
): HubJobPlan {
  const { blobName: inputBlobName, epoch, configurationsBlobName } = input;
  return {
    ...importOf(context, record, { blobName: inputBlobName, lines: check.accepted, configurationsBlobName }),
    ...defined({ fence: epoch }),
    stateBlob: IMPORT_JOB_BLOB,
    wasSent: () => importSent(context, record.runId),
    noteSending: (at) => noteSending(context, record.runId, at),
    noteRefused: (at) => noteRefused(context, record.runId, at),
    async beforeCreate() {
      await assertDropUnchanged(context, record);
      // A hub would take the job, and fail.
      const input = stagingOf(context, record.runId).getBlockBlobClient(inputBlobName);
      if (!(await input.exists())) throw new StagingLost(record.runId, inputBlobName);
    },
  };
}

/** The second import, of lines that failed transiently. The drop has been taken: it may be gone by now. */
export function retryPlan(
  context: ProvisioningContext,
  record: ProvisionRun,
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

/** The export of the whole registry, with keys, into the container of the run. */
export async function preImagePlan(
  context: ProvisioningContext,
  record: ProvisionRun,
  check: CheckResult,
  epoch: Epoch,
): Promise<HubJobPlan> {
  return {
    ...(await exportOf(context, record, check, preImageExport(record, check, epoch))),
    stateBlob: exportJobBlob(epoch),
    beforeCreate: () => assertDropUnchanged(context, record),
  };
}

/** The export by which lines are verified. */
export async function verifyPlan(
  context: ProvisioningContext,
  record: ProvisionRun,
  check: CheckResult,
  verification: Verification,
): Promise<HubJobPlan> {
  return {
    ...(await exportOf(context, record, check, verifyExport(verification))),
    stateBlob: verifyJobBlob(verification.exportTry ?? 1),
  };
}

/** The export by which devices are linked to their parents. */
export async function parentsPlan(
  context: ProvisioningContext,
  record: ProvisionRun,
  check: CheckResult,
  request: ExportRequest,
): Promise<HubJobPlan> {
  return {
    ...(await exportOf(context, record, check, request)),
    stateBlob: PARENTS_JOB_BLOB,
  };
}

async function exportOf(
  context: ProvisioningContext,
  record: ProvisionRun,
  check: CheckResult,
  { blobName: outputBlobName, keys }: ExportRequest,
): Promise<Omit<HubJobPlan, 'stateBlob'>> {
  const lines = Math.max(check.accepted, await devicesOf(context, record));
  return {
    type: 'export',
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
