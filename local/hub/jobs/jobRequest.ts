import { HubError } from '../http/hubError.ts';
import { createMemberReader, readBoolean, readEnum, readString } from '../wire/jsonNet.ts';
import { JOB_TYPES, type JobRow, type JobType } from './jobStore.ts';

/** An import or export job as it was asked for (JobProperties of the data-plane swagger). */
export interface JobRequest {
  readonly type: JobType;
  readonly inputBlobContainerUri?: string;
  readonly inputBlobName: string;
  readonly outputBlobContainerUri: string;
  readonly outputBlobName: string;
  readonly excludeKeysInExport: boolean;
  readonly storageAuthenticationType: 'keyBased' | 'identityBased';
  readonly includeConfigurations: boolean;
  readonly configurationsBlobName: string;
  /** Whether the caller named the configurations blob: an export then writes it in any case. */
  readonly configurationsBlobNamed: boolean;
}

/** Job types of the hub that are not import or export; none of them is simulated. */
const OTHER_TYPES = [
  'unknown',
  'backup',
  'readDeviceProperties',
  'writeDeviceProperties',
  'updateDeviceConfiguration',
  'rebootDevice',
  'factoryResetDevice',
  'firmwareUpdate',
  'scheduleDeviceMethod',
  'scheduleUpdateTwin',
  'restoreFromBackup',
  'failoverDataCopy',
] as const;

const readMembers = createMemberReader('Microsoft.Azure.Devices.JobProperties', [
  'type',
  'inputBlobContainerUri',
  'inputBlobName',
  'outputBlobContainerUri',
  'outputBlobName',
  'excludeKeysInExport',
  'storageAuthenticationType',
  'includeConfigurations',
  'configurationsBlobName',
]);

/** Reads the body of `POST /jobs/create`. Throws ConversionError or HubError. */
export function readJobRequest(body: unknown): JobRequest {
  const members = readMembers(body, '');
  if (members === undefined) throw new HubError('ArgumentNull', 'The request has no body.');
  const type = readEnum(members.type, [...OTHER_TYPES, ...JOB_TYPES], 'Microsoft.Azure.Devices.JobType', 'type');
  if (type !== 'import' && type !== 'export') {
    throw new HubError('ArgumentInvalid', `A job of type '${type ?? 'unknown'}' cannot be created here.`);
  }
  const inputBlobContainerUri = readString(members.inputBlobContainerUri, 'inputBlobContainerUri');
  const outputBlobContainerUri = readString(members.outputBlobContainerUri, 'outputBlobContainerUri');
  if (type === 'import' && !inputBlobContainerUri) {
    throw new HubError('ArgumentInvalid', 'An import job needs inputBlobContainerUri.');
  }
  if (!outputBlobContainerUri) throw new HubError('ArgumentInvalid', `An ${type} job needs outputBlobContainerUri.`);
  const text = (member: unknown, name: string) => readString(member, name) || undefined;
  const configurationsBlobName = text(members.configurationsBlobName, 'configurationsBlobName');
  return {
    type,
    ...(inputBlobContainerUri && { inputBlobContainerUri }),
    inputBlobName: text(members.inputBlobName, 'inputBlobName') ?? 'devices.txt',
    outputBlobContainerUri,
    outputBlobName: text(members.outputBlobName, 'outputBlobName') ?? 'devices.txt',
    excludeKeysInExport: readBoolean(members.excludeKeysInExport, 'excludeKeysInExport') ?? false,
    storageAuthenticationType:
      readEnum(
        members.storageAuthenticationType,
        ['keyBased', 'identityBased'],
        'Microsoft.Azure.Devices.StorageAuthenticationType',
        'storageAuthenticationType',
      ) ?? 'keyBased',
    includeConfigurations: readBoolean(members.includeConfigurations, 'includeConfigurations') ?? false,
    configurationsBlobName: configurationsBlobName ?? 'configurations.txt',
    configurationsBlobNamed: configurationsBlobName !== undefined,
  };
}

/**
 * A job as the hub shows it. Live hubs echo neither container URIs (they are there, and empty) nor blob names nor the
 * authentication; `echo` shows them all.
 */
export function jobDocument(row: JobRow, echo: boolean) {
  const times = {
    ...(row.startedMs !== null && { startTimeUtc: new Date(row.startedMs).toISOString() }),
    ...(row.endedMs !== null && { endTimeUtc: new Date(row.endedMs).toISOString() }),
  };
  const base = { jobId: row.jobId, ...times, type: row.type, status: row.status, progress: row.progress };
  if (echo) {
    const { configurationsBlobNamed, ...request } = JSON.parse(row.request) as Partial<JobRequest>;
    return { ...base, ...request, failureReason: row.failureReason };
  }
  return {
    ...base,
    ...(row.type === 'import' && { inputBlobContainerUri: '' }),
    outputBlobContainerUri: '',
    failureReason: row.failureReason,
  };
}
