import { defined } from '../../defined.ts';
import { ERROR_LOG_BLOB } from '../../hubJobs/errorLog.ts';
import { containerUri, storageAuthentication } from '../../hubJobs/jobStorage.ts';
import type { HubJobPlan } from '../../hubJobs/startHubJob.ts';
import { stagingOf } from '../../runs/runContainer.ts';
import { StagingLost } from '../../runs/stagingLost.ts';
import type { CheckResult } from '../check/checkResult.ts';
import { assertDropUnchanged } from '../drop/drop.ts';
import type { Epoch } from '../run/epoch.ts';
import { importSent, noteRefused, noteSending } from '../run/importNotes.ts';
import { IMPORT_JOB_BLOB, RETRY_JOB_BLOB } from '../run/jobBlobs.ts';
import type { ProvisioningContext, ProvisionRun } from '../run/provisionRun.ts';

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
