/**
 * Every error that a registry operation of an IoT hub can give, explained for a person.
 *
 * Names are those of `DeviceRegistryOperationError.errorCode` (REST reference, Bulk Registry – Update Registry,
 * api-version 2021-04-12). Numbers appear in `importErrors.log` and in module errors; they are those of the .NET service
 * SDK (`Common/Exceptions/ErrorCode.cs`) and of the IoT Hub error documentation. Names of the same enumeration that
 * belong to device connections, message routing, the provisioning service or digital twin models are left out: no
 * registry operation gives them, and an unknown name still gets a sentence.
 */

import { defined } from '../defined.ts';
import { CALL_TEXTS } from './callTexts.ts';

/**
 * What a retry can change: `transient` passes by itself; `quota` means that the hub is full, and only devices that
 * make room or a larger hub help; `permanent` stays until the request or the hub's settings change.
 */
export type HubErrorClass = 'transient' | 'quota' | 'permanent';

export interface HubErrorExplanation {
  /** Absent where no number is known. */
  readonly code?: number;
  /** The hub's name of the error, e.g. `DeviceAlreadyExists`. */
  readonly name: string;
  readonly class: HubErrorClass;
  /** What happened, in one sentence. */
  readonly sentence: string;
  /** What to do about it. */
  readonly action: string;
}

/** `code` where a number is known. */
type Row = readonly [name: string, sentence: string, action: string, code?: number];

const WAIT = 'It passes by itself: retry a little later. If it lasts, check the health of the hub in the Azure portal.';
const SLOW_DOWN = 'Retry a little later, and more slowly. More units or a higher tier raise the limit.';
const FIX_REQUEST = 'Correct the line and provision it again.';
const REPORT = 'If it comes back, open an Azure support request with the tracking id.';

// biome-ignore format: a row a line, so that a search for a code shows all that is said of it.
const TRANSIENT: readonly Row[] = [
  ['JobQuotaExceeded', 'The hub is busy with another import or export job; it runs one at a time.', 'Nothing to do: the turn is waited for. `az iot hub job list` shows whose job it is.', 403003],
  ['LinkCreationConflict', "Two connections to the hub got in each other's way.", WAIT],
  ['GenericTooManyRequests', 'The hub had more requests than it allows.', SLOW_DOWN, 429000],
  ['ThrottlingException', 'The hub had more requests than its tier allows.', SLOW_DOWN, 429001],
  ['ThrottleBacklogLimitExceeded', 'The hub had more requests waiting than its tier allows.', SLOW_DOWN, 429002],
  ['ThrottlingBacklogTimeout', 'The request waited too long in the queue of a busy hub.', SLOW_DOWN, 429003],
  ['ThrottlingMaxActiveJobCountExceeded', 'The hub runs as many scheduled jobs as its tier allows.', 'Wait for a scheduled job to end, or cancel one.', 429004],
  ['DeviceThrottlingLimitExceeded', 'There were more operations on this device than the hub allows.', SLOW_DOWN, 429005],
  ['ServerError', 'The hub failed inside.', WAIT, 500001],
  ['ServiceUnavailable', 'The hub is not available at the moment.', WAIT, 503001],
  ['ServerBusy', 'The hub is too busy at the moment.', WAIT, 503005],
  ['ApplyConfigurationAlreadyInProgressOnDevice', 'Another configuration is being applied to this device.', WAIT],
  ['AzureStorageTimeout', 'The storage account did not answer the hub in time.', WAIT],
  ['AzureTableStoreError', 'The hub could not reach its own store.', WAIT],
  ['BackupTimedOut', 'The hub did not finish an internal backup in time.', WAIT],
  ['ClientClosedRequest', 'The connection was closed before the hub had answered.', WAIT],
  ['ConfigReadFailed', 'The hub could not read its own settings.', WAIT],
  ['ConfigurationNotAvailable', 'The configuration cannot be read at the moment.', WAIT],
  ['ConnectionForcefullyClosed', 'The hub closed the connection.', WAIT],
  ['ConnectionUnavailable', 'A connection inside the hub was not available.', WAIT],
  ['DeviceLocked', 'Another operation on this device is under way.', WAIT],
  ['DeviceUnavailable', 'The device cannot be reached inside the hub at the moment.', WAIT],
  ['DocumentDbInvalidReturnValue', 'The hub could not read its own store.', WAIT],
  ['GatewayTimeout', 'The hub did not answer its gateway in time.', WAIT],
  ['GenericBadGateway', 'The gateway got no proper answer from the hub.', WAIT],
  ['GenericGatewayTimeout', 'The hub did not answer its gateway in time.', WAIT],
  ['GenericServerError', 'The hub failed inside.', WAIT],
  ['GenericServiceUnavailable', 'The hub is not available at the moment.', WAIT],
  ['GenericTimeout', 'The hub did not finish in time.', WAIT],
  ['HostingServiceNotAvailable', 'A service inside the hub is not available at the moment.', WAIT],
  ['InvalidResponseWhileProxying', 'A service inside the hub gave a wrong answer to another.', WAIT],
  ['IotHubActivationFailed', 'The hub could not be activated.', WAIT],
  ['IotHubFailingOver', 'The hub is failing over to another region.', WAIT],
  ['IotHubRestoring', 'The hub is being restored.', WAIT],
  ['OrchestrationOperationFailed', 'An operation inside the hub failed.', WAIT],
  ['QueryStoreClusterNotFound', "The hub's query index is not available at the moment.", WAIT],
  ['ReliableBlobStoreError', 'The hub could not reach its own store.', WAIT],
  ['ReliableBlobStoreTimeoutError', "The hub's own store did not answer in time.", WAIT],
  ['ReliableDocDbStoreStoreError', 'The hub could not reach its own store.', WAIT],
  ['RequestCanceled', 'The hub gave the request up before it was done.', WAIT],
  ['RequestTimedOut', 'The hub did not finish the request in time.', WAIT],
  ['ResolutionError', 'The hub could not find one of its own services.', WAIT],
  ['RestoreTimedOut', 'The hub did not finish an internal restore in time.', WAIT],
  ['RetryAttemptsExhausted', 'The hub tried several times inside and gave up.', WAIT],
  ['StatisticsRetrievalError', 'The hub could not count its devices.', WAIT],
  ['StreamReservationFailure', 'The hub could not reserve what the operation needs.', WAIT],
  ['UnableToFetchCredentials', 'The hub could not fetch credentials inside.', WAIT],
  ['UnableToFetchTenantInfo', "The hub could not fetch its own tenant's data.", WAIT],
  ['UnsupportedOperationOnReplica', 'The request reached a copy of the hub that only reads.', WAIT],
];

// biome-ignore format: a row a line, so that a search for a code shows all that is said of it.
const QUOTA: readonly Row[] = [
  ['IotHubQuotaExceeded', 'The hub is full: it holds as many devices and modules, or had as many messages today, as it may.', 'Delete devices that are no longer needed, add units, or wait for the next day if messages are the reason.', 403002],
];

// biome-ignore format: a row a line, so that a search for a code shows all that is said of it.
const PERMANENT: readonly Row[] = [
  ['GenericBadRequest', 'The hub could not make sense of the request.', FIX_REQUEST, 400000],
  ['InvalidProtocolVersion', 'The hub does not know the API version of the request.', 'Check that the connection string names an IoT hub of a region that supports API version 2021-04-12.', 400001],
  ['DeviceInvalidResultCount', 'The hub found several devices where there should be one.', REPORT, 400002],
  ['InvalidOperation', 'The hub does not allow this operation on this identity.', FIX_REQUEST, 400003],
  ['ArgumentInvalid', 'The hub refused a value: often a character or a size that it does not allow.', FIX_REQUEST, 400004],
  ['ArgumentNull', 'A value that the hub requires is missing.', FIX_REQUEST, 400005],
  ['IotHubFormatError', 'The line or request has not the form that the hub expects.', FIX_REQUEST, 400006],
  ['DeviceStorageEntitySerializationError', 'The hub could not store the identity in this form.', FIX_REQUEST, 400007],
  ['BlobContainerValidationError', 'The hub could not use the storage container: it may be missing, its signature may lack a right or have expired, a firewall may keep the hub out, or the input file may be empty.', "Check that the hub can reach the storage account; with identity storage, that the hub's identity has the role Storage Blob Data Contributor.", 400008],
  ['ImportWarningExistsError', 'The identity was imported with a warning.', 'Read the device back and compare it with the file.', 400009],
  ['InvalidSchemaVersion', 'The hub does not know the schema version.', FIX_REQUEST, 400010],
  ['DeviceDefinedMultipleTimes', 'The same device was named more than once in one request.', 'Keep one line for each device.', 400011],
  ['DeserializationError', 'The hub could not read the line: a field has a type or a value that it does not know.', 'Correct the named field and provision the line again.', 400012],
  ['BulkRegistryOperationFailure', 'Some devices of a bulk request failed.', 'Read the error of each device.', 400013],
  ['EtagDoesNotMatch', 'The identity has changed since its ETag was read.', 'Read it again and decide anew, or use an import mode that does not compare ETags.', 400023],
  ['InvalidDeviceScope', "The device scope is not valid: the parent edge device does not exist, or the scope is another hub's.", 'Create the parent edge device first, and name it by its device id.', 400028],
  ['CannotRegisterModuleToModule', 'A module cannot belong to another module.', FIX_REQUEST, 400301],
  ['InvalidConfigurationTargetCondition', 'The target condition of the configuration is not valid.', 'Use deviceId, tags and properties.reported only.', 400401],
  ['InvalidConfigurationContent', 'The content of the configuration is not valid.', 'Content keys must start with `properties.desired`, and an edge deployment must name $edgeAgent.', 400402],
  ['CannotModifyImmutableConfigurationContent', 'The content of a configuration cannot be changed once it exists.', 'Create a configuration with another id.', 400403],
  ['IotHubNotFound', 'There is no hub of this name.', "Check the host name in the hub's connection string.", 401001],
  ['IotHubUnauthorizedAccess', 'The hub does not accept the key or token, or its policy lacks the right for this operation; for modules it may also mean that their device is missing or disabled.', 'Check the connection string, and that its policy has RegistryRead, RegistryWrite and ServiceConnect.', 401002],
  ['IotHubUnauthorized', 'The hub does not accept the key or token.', 'Check the connection string; a shared access signature may have expired.', 401003],
  ['SystemModuleModifyUnauthorizedAccess', 'The hub does not let anyone write to a system module.', 'Apply a deployment or configuration content to the edge device instead.', 401100],
  ['IotHubSuspended', 'The hub is suspended.', 'Look at the state of the hub and of the Azure subscription.', 403001],
  ['DeviceMaximumQueueDepthExceeded', 'Too many messages wait for this device.', 'Let the device fetch them, or purge its queue.', 403004],
  ['IotHubMaxCbsTokenExceeded', 'Too many tokens are in use on one connection.', REPORT, 403005],
  ['OperationNotAvailableInCurrentTier', 'The tier of the hub does not have this feature.', 'Use a standard tier: twins, modules, edge devices and configurations are not in basic tiers.', 403010],
  ['DeviceNotFound', 'There is no device with this id.', 'Check the id; create the device first, or use an import mode that creates it. If the line creates it, drop it again.', 404001],
  ['JobNotFound', 'The hub does not know this job (it forgets jobs after 30 days).', 'Check the job id.', 404002],
  ['PartitionNotFound', 'The hub has no such partition.', REPORT, 404003],
  ['ModuleNotFound', 'There is no module with this id on the device.', 'Check the id; create the module first.', 404010],
  ['DeviceNotOnline', 'The device is not connected.', 'Retry when the device is online.', 404103],
  ['ConfigurationNotFound', 'There is no configuration with this id.', 'Check the id.', 404301],
  ['DeviceAlreadyExists', 'A device with this id exists already.', 'Use an import mode that updates (createOrUpdate, update), or take the line out.', 409001],
  ['JobAlreadyExists', 'A job with this id exists already.', 'Choose another job id.', 409104],
  ['ModuleAlreadyExistsOnDevice', 'The device has a module with this id already.', 'Use an import mode that updates, or take the line out.', 409301],
  ['ConfigurationAlreadyExists', 'A configuration with this id exists already.', 'Update it, or choose another id.', 409401],
  ['PreconditionFailed', 'What the request depends on has changed, most often the ETag: somebody else wrote in between.', 'Read it again and decide anew, or use an import mode that does not compare ETags.', 412001],
  ['DeviceMessageLockLost', 'The lock on a message to the device has run out.', REPORT, 412002],
  ['MessageTooLarge', 'The request is larger than the hub accepts.', 'Make the twin or the request smaller: tags 8 KB, desired and reported properties 32 KB each.', 413001],
  ['TooManyDevices', 'A bulk request may hold 100 devices at most.', 'Split the request.', 413002],
  ['TooManyModulesOnDevice', 'The device has as many modules as it may.', 'Delete modules that are no longer needed.', 413003],
  ['ConfigurationCountLimitExceeded', 'The hub has as many configurations as it may.', 'Delete configurations that are no longer needed.', 413101],
  ['JobCancelled', 'The job was cancelled.', 'Provision the file again if that was not meant.', 500002],
  ['AsyncOperationNotFound', 'The hub does not know the operation that was asked about.', REPORT],
  ['AzureTableStoreNotFound', 'The hub did not find the entry in its own store.', REPORT],
  ['BulkAddDevicesNotSupported', 'The hub does not allow devices to be added in bulk.', 'Check the tier of the hub.'],
  ['CertificateAuthorityConflict', 'Another certificate authority is already known by this name.', 'Check the certificates of the hub.'],
  ['CertificateAuthorityNotFound', 'The hub does not know the certificate authority.', 'Upload and verify the CA certificate in the hub.'],
  ['CertificateNotFound', 'The hub does not know the certificate.', 'Upload the certificate to the hub.'],
  ['DefaultStorageEndpointNotConfigured', 'The hub has no default storage account.', "Set one in the hub's file upload settings."],
  ['DeviceDisabled', 'The device is disabled.', 'Enable the device first.'],
  ['DeviceGroupConflict', 'The device group exists already.', FIX_REQUEST],
  ['DeviceGroupNotFound', 'The device group does not exist.', FIX_REQUEST],
  ['DeviceJobAlreadyExists', 'This device is already part of such a job.', 'Wait for that job to end.'],
  ['DeviceModelMaxIndexablePropertiesExceeded', 'The device model has more indexed properties than the hub allows.', 'Use fewer properties in the model.'],
  ['DeviceModelMaxPropertiesExceeded', 'The device model has more properties than the hub allows.', 'Use fewer properties in the model.'],
  ['DeviceRecordConflict', 'A record of this device exists already.', 'Read the device and decide anew.'],
  ['DeviceRecordNotFound', 'The hub has no record of this device.', 'Check the id.'],
  ['DeviceRegistrationNotFound', 'The hub has no registration of this device.', 'Check the id.'],
  ['FeatureNotSupported', 'The hub does not support this feature.', 'Check the tier and the region of the hub.'],
  ['GenericConflict', 'The request conflicts with what the registry holds.', 'Read the identity and decide anew.'],
  ['GenericForbidden', 'The hub forbids this operation.', "Check the rights of the policy or identity, and the hub's network rules."],
  ['GenericMethodNotAllowed', 'The hub does not know this operation here.', 'Check that the host name belongs to an IoT hub.'],
  ['GenericNotFound', 'The hub did not find what the request names.', 'Check the id.'],
  ['GenericPreconditionFailed', 'What the request depends on has changed.', 'Read it again and decide anew.'],
  ['GenericRequestEntityTooLarge', 'The request is larger than the hub accepts.', 'Make the request smaller.'],
  ['GenericUnauthorized', 'The hub does not accept the key or token.', 'Check the connection string.'],
  ['GenericUnsupportedMediaType', 'The hub does not take this kind of content.', REPORT],
  ['GroupNotAvailable', 'The group is not available.', REPORT],
  ['GroupNotFound', 'The group does not exist.', REPORT],
  ['GroupRecordConflict', 'A record of this group exists already.', REPORT],
  ['GroupRecordNotFound', 'The hub has no record of this group.', REPORT],
  ['ImportDevicesNotSupported', 'The hub does not allow devices to be imported.', 'Check the tier of the hub.'],
  ['IncompatibleDataType', 'A value has a type that does not fit.', FIX_REQUEST],
  ['InvalidBlobState', 'The blob is not in a state that the hub can use.', 'Check that nobody else writes or locks the blob.'],
  ['InvalidConfigurationCustomMetricsQuery', 'A metrics query of the configuration is not valid.', 'Correct the query.'],
  ['InvalidContentEncodingOrType', 'The hub does not take this content type or encoding.', REPORT],
  ['InvalidEndpointAuthenticationType', 'The kind of authentication does not fit the storage endpoint.', 'Check `STORAGE_AUTH`.'],
  ['InvalidErrorCode', 'The hub gave an error that it has no code for.', REPORT],
  ['InvalidPnPDesiredProperties', 'The desired properties do not fit the device model.', FIX_REQUEST],
  ['InvalidPnPReportedProperties', 'The reported properties do not fit the device model.', FIX_REQUEST],
  ['InvalidPnPWritableReportedProperties', 'The writable reported properties do not fit the device model.', FIX_REQUEST],
  ['InvalidStorageEndpoint', 'The storage account is not one that the hub can use.', 'Check that the storage account exists and that the hub can reach it.'],
  ['InvalidStorageEndpointOrBlob', 'The hub could not find or use the storage container or the blob in it.', 'Check that the storage account and the container exist and that the hub can reach them.'],
  ['InvalidStorageEndpointProperty', "A setting of the hub's storage endpoint is not valid.", "Check the hub's storage settings."],
  ['InvalidStorageRootKey', "The hub's key for the storage account is not valid.", "Check the hub's storage settings."],
  ['InvalidThrottleParameter', 'A throttle setting is not valid.', REPORT],
  ['JobRunPreconditionFailed', 'The job could not start because what it depends on has changed.', 'Start it again.'],
  ['KeyEncryptionKeyRevoked', 'The customer-managed key of the hub was revoked.', 'Give the hub access to its key again.'],
  ['ManagedIdentityNotEnabled', 'The hub has no managed identity.', 'Enable one on the hub and give it the role Storage Blob Data Contributor, or set `STORAGE_AUTH=sas`.'],
  ['ModelAlreadyExists', 'The model exists already.', FIX_REQUEST],
  ['OperationNotAllowedInCurrentState', 'The state that this is in does not allow the operation (a job that has ended cannot be cancelled).', 'Look at its state first.'],
  ['QuotaMetricNotFound', 'The hub does not know the quota that was asked about.', REPORT],
  ['SerializationError', 'The hub could not write the identity in its own form.', FIX_REQUEST],
  ['SystemPropertyNotFound', 'The hub does not know the system property.', FIX_REQUEST],
  ['UnableToShareIdentity', 'The hub could not use its identity for the storage account.', 'Check the managed identity of the hub and its role on the storage account.'],
  ['UnexpectedPropertyValue', 'A property has a value that the hub does not expect.', FIX_REQUEST],
];

/** Not in the enumeration of errors: the only warning that a bulk request gives. */
// biome-ignore format: a row a line, so that a search for a code shows all that is said of it.
const WARNINGS: readonly Row[] = [
  ['DeviceRegisteredWithoutTwin', 'The device was created, but its twin (tags and desired properties) was not.', 'Write the twin once more.'],
];

/** Not of a hub: what our own code failed at. It has a place here because lines end with it. */
const FAULT = CALL_TEXTS['HubKeeperFault:line'];
const OWN: readonly Row[] = [['HubKeeperFault', FAULT.says, FAULT.action]];

/** All of them, for the reference page of error codes. */
export const HUB_ERRORS: readonly HubErrorExplanation[] = [
  ...TRANSIENT.map((row) => explanation(row, 'transient')),
  ...QUOTA.map((row) => explanation(row, 'quota')),
  ...PERMANENT.map((row) => explanation(row, 'permanent')),
  ...WARNINGS.map((row) => explanation(row, 'transient')),
];

const BY_NAME = new Map(
  [...HUB_ERRORS, ...OWN.map((row) => explanation(row, 'permanent'))].map((error) => [error.name.toLowerCase(), error]),
);
const BY_CODE = new Map(HUB_ERRORS.flatMap((error) => (error.code === undefined ? [] : [[error.code, error]])));

/**
 * Explains an error by its number (`409001`, also as text) or its name (in any case). One that is not known is explained
 * by the HTTP status that its number starts with, or as an error the hub gave without an explanation.
 */
export function explainHubError(codeNumberOrName: number | string): HubErrorExplanation {
  const text = String(codeNumberOrName).trim();
  // `Error504999` is the name that a number gets here which nobody knows: noted, it is still that number.
  const [, digits] = /^(?:Error)?(\d{1,9})$/.exec(text) ?? [];
  if (digits !== undefined) return BY_CODE.get(Number(digits)) ?? unknownNumber(Number(digits));
  return BY_NAME.get(text.toLowerCase()) ?? unknownName(text);
}

/** Whether the table has this name. */
export function isKnownHubError(name: string): boolean {
  return BY_NAME.has(name.toLowerCase());
}

function explanation([name, sentence, action, code]: Row, errorClass: HubErrorClass): HubErrorExplanation {
  return { ...defined({ code }), name, class: errorClass, sentence, action };
}

function unknownNumber(code: number): HubErrorExplanation {
  const status = code >= 1000 ? Math.floor(code / 1000) : code;
  const transient = status === 408 || status === 429 || (status >= 500 && status < 600 && status !== 501);
  return {
    code,
    name: `Error${code}`,
    class: transient ? 'transient' : 'permanent',
    sentence: `The hub gave the error ${code}, which HubKeeper does not know; its kind is ${kindOf(status)}.`,
    action: transient ? WAIT : 'Look the number up in the IoT Hub error documentation.',
  };
}

function kindOf(status: number): string {
  if (status === 429) return '"too many requests"';
  if (status >= 500 && status < 600) return '"the hub failed"';
  return status >= 400 && status < 500 ? '"the request is refused"' : 'unknown';
}

function unknownName(text: string): HubErrorExplanation {
  // Whatever stands where a name should be may be anything: only an identifier is repeated.
  const name = /^[A-Za-z]\w{0,79}$/.test(text) ? text : 'Unknown';
  return {
    name,
    class: 'permanent',
    sentence:
      name === 'Unknown' ? CALL_TEXTS.Unknown.says : `The hub gave the error ${name}, which HubKeeper does not know.`,
    action: 'Look the name up in the IoT Hub error documentation.',
  };
}
