import { containerUriWithSas } from '../storage/containerSas.ts';
import type { ProvisioningContext } from './context.ts';
import { assertDropUnchanged } from './drop.ts';
import type { HubJobPlan } from './hubJob.ts';
import { exportBlobName } from './preImage.ts';
import type { PreImageRound } from './preImageRound.ts';
import type { Verification } from './rounds.ts';
import type { RunRecord } from './runRecord.ts';
import {
  type CheckResult,
  ERROR_LOG_BLOB,
  exportJobBlob,
  IMPORT_JOB_BLOB,
  PARENTS_JOB_BLOB,
  RETRY_JOB_BLOB,
  stagingOf,
  verifyJobBlob,
} from './staging.ts';
import { verifyBlobName } from './verification.ts';

/** What follows the import can be given up, and nothing is lost but certainty: it does not hold up the hub for days. */
const LONGEST_LATER_EXPORT_MS = 6 * 60 * 60_000;

/**
 * The import of the staged lines: `inputBlobName` lies in the container of the run, and the error log goes there.
 *
 * @param input what the job reads, and by which pre-image that was filled
 */
export function importPlan(
  context: ProvisioningContext,
  record: RunRecord,
  check: CheckResult,
  input: {
    readonly blobName: string;
    readonly round: PreImageRound | undefined;
    readonly configurationsBlobName: string | undefined;
  },
): HubJobPlan {
  const { blobName: inputBlobName, round, configurationsBlobName } = input;
  return {
    ...importOf(context, record, { blobName: inputBlobName, lines: check.accepted, configurationsBlobName }),
    ...(round === undefined ? {} : { round }),
    stateBlob: IMPORT_JOB_BLOB,
    beforeCreate: () => assertDropUnchanged(context, record),
  };
}

/** The second import, of lines that failed for a passing reason. The drop has been taken: it may be gone by now. */
export function retryPlan(
  context: ProvisioningContext,
  record: RunRecord,
  input: { readonly blobName: string; readonly lines: number },
): HubJobPlan {
  return { ...importOf(context, record, input), stateBlob: RETRY_JOB_BLOB };
}

function importOf(
  context: ProvisioningContext,
  record: RunRecord,
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
export function preImagePlan(
  context: ProvisioningContext,
  record: RunRecord,
  check: CheckResult,
  round: PreImageRound,
): HubJobPlan {
  const outputBlobName = exportBlobName(check, round);
  return {
    ...exportOf(context, record, check, outputBlobName),
    stateBlob: exportJobBlob(round),
    beforeCreate: () => assertDropUnchanged(context, record),
  };
}

/** The export by which lines are read back. */
export function verifyPlan(
  context: ProvisioningContext,
  record: RunRecord,
  check: CheckResult,
  verification: Verification,
): HubJobPlan {
  return {
    ...exportOf(context, record, check, verifyBlobName(verification)),
    longestMs: LONGEST_LATER_EXPORT_MS,
    stateBlob: verifyJobBlob(verification.exportTry ?? 1),
  };
}

/** The export by which devices are linked to their parents. */
export function parentsPlan(
  context: ProvisioningContext,
  record: RunRecord,
  check: CheckResult,
  outputBlobName: string,
): HubJobPlan {
  return {
    ...exportOf(context, record, check, outputBlobName),
    stateBlob: PARENTS_JOB_BLOB,
    longestMs: LONGEST_LATER_EXPORT_MS,
  };
}

function exportOf(
  context: ProvisioningContext,
  record: RunRecord,
  check: CheckResult,
  outputBlobName: string,
): Omit<HubJobPlan, 'stateBlob'> {
  return {
    type: 'export',
    proofBlob: outputBlobName,
    echoedName: outputBlobName,
    // The registry may be larger than the file; what it holds is not known without asking.
    lines: Math.max(check.accepted, 1_000_000),
    async prepare(expiresOn) {
      const job = {
        outputBlobContainerUri: await containerUri(context, record, 'rwd', expiresOn),
        outputBlobName,
        // A dry run puts nothing back: it needs no keys.
        excludeKeys: record.options?.dryRun === true,
        ...storageAuthentication(context),
      };
      return (hub) => hub.createExportJob(job);
    },
  };
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
  record: RunRecord,
  permissions: string,
  expiresOn: Date,
): Promise<string> {
  const container = stagingOf(context, record.runId);
  if (context.settings.storageAuth === 'identity') return container.url;
  return containerUriWithSas(context.storage, container, { permissions, now: context.now(), expiresOn });
}
