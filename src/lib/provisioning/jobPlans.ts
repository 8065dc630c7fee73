import { containerUriWithSas } from '../storage/containerSas.ts';
import type { ProvisioningContext } from './context.ts';
import type { HubJobPlan } from './hubJob.ts';
import type { RunRecord } from './runRecord.ts';
import { type CheckResult, ERROR_LOG_BLOB, EXPORT_JOB_BLOB, IMPORT_JOB_BLOB, stagingOf } from './staging.ts';

/** The import of the staged lines: `inputBlobName` lies in the container of the run, and the error log goes there. */
export function importPlan(
  context: ProvisioningContext,
  record: RunRecord,
  check: CheckResult,
  inputBlobName: string,
  configurationsBlobName?: string,
): HubJobPlan {
  return {
    type: 'import',
    stateBlob: IMPORT_JOB_BLOB,
    proofBlob: ERROR_LOG_BLOB,
    echoedName: inputBlobName,
    lines: check.accepted,
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
  outputBlobName: string,
): HubJobPlan {
  return {
    type: 'export',
    stateBlob: EXPORT_JOB_BLOB,
    proofBlob: outputBlobName,
    echoedName: outputBlobName,
    // The registry may be larger than the file; what it holds is not known without asking.
    lines: Math.max(check.accepted, 1_000_000),
    async prepare(expiresOn) {
      const job = {
        outputBlobContainerUri: await containerUri(context, record, 'rwd', expiresOn),
        outputBlobName,
        excludeKeys: false,
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
