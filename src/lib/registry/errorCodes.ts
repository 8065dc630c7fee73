/**
 * Every error that a registry operation of an IoT hub can give, explained for a person.
 *
 * Names are those of `DeviceRegistryOperationError.errorCode` (REST reference, Bulk Registry – Update Registry,
 * api-version 2021-04-12). Numbers appear in `importErrors.log` and in module errors; they are those of the .NET service
 * SDK (`Common/Exceptions/ErrorCode.cs`) and of the IoT Hub error documentation. Names of the same enumeration that
 * belong to device connections, message routing, the provisioning service or digital twin models are left out: no
 * registry operation gives them, and an unknown name still gets a sentence.
 */

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

type Row = readonly [code: number | undefined, name: string, sentence: string, action: string];

const WAIT = 'It passes by itself: retry a little later. If it lasts, check the health of the hub in the Azure portal.';
const SLOW_DOWN = 'Retry a little later, and more slowly. More units or a higher tier raise the limit.';
const FIX_REQUEST = 'Correct the line and provision it again.';
const REPORT = 'If it comes back, open an Azure support request with the tracking id.';

const TRANSIENT: readonly Row[] = [
  [
    403003,
    'JobQuotaExceeded',
    'The hub is busy with another import or export job; it runs one at a time.',
    'Nothing to do: the turn is waited for. `az iot hub job list` shows whose job it is.',
  ],
  [undefined, 'LinkCreationConflict', "Two connections to the hub got in each other's way.", WAIT],
  [429000, 'GenericTooManyRequests', 'The hub had more requests than it allows.', SLOW_DOWN],
  [429001, 'ThrottlingException', 'The hub had more requests than its tier allows.', SLOW_DOWN],
  [429002, 'ThrottleBacklogLimitExceeded', 'The hub had more requests waiting than its tier allows.', SLOW_DOWN],
  [429003, 'ThrottlingBacklogTimeout', 'The request waited too long in the queue of a busy hub.', SLOW_DOWN],
  [
    429004,
    'ThrottlingMaxActiveJobCountExceeded',
    'The hub runs as many scheduled jobs as its tier allows.',
    'Wait for a scheduled job to end, or cancel one.',
  ],
  [
    429005,
    'DeviceThrottlingLimitExceeded',
    'There were more operations on this device than the hub allows.',
    SLOW_DOWN,
  ],
  [500001, 'ServerError', 'The hub failed inside.', WAIT],
  [503001, 'ServiceUnavailable', 'The hub is not available at the moment.', WAIT],
  [503005, 'ServerBusy', 'The hub is too busy at the moment.', WAIT],
  [
    undefined,
    'ApplyConfigurationAlreadyInProgressOnDevice',
    'Another configuration is being applied to this device.',
    WAIT,
  ],
  [undefined, 'AzureStorageTimeout', 'The storage account did not answer the hub in time.', WAIT],
  [undefined, 'AzureTableStoreError', 'The hub could not reach its own store.', WAIT],
  [undefined, 'BackupTimedOut', 'The hub did not finish an internal backup in time.', WAIT],
  [undefined, 'ClientClosedRequest', 'The connection was closed before the hub had answered.', WAIT],
  [undefined, 'ConfigReadFailed', 'The hub could not read its own settings.', WAIT],
  [undefined, 'ConfigurationNotAvailable', 'The configuration cannot be read at the moment.', WAIT],
  [undefined, 'ConnectionForcefullyClosed', 'The hub closed the connection.', WAIT],
  [undefined, 'ConnectionUnavailable', 'A connection inside the hub was not available.', WAIT],
  [undefined, 'DeviceLocked', 'Another operation on this device is under way.', WAIT],
  [undefined, 'DeviceUnavailable', 'The device cannot be reached inside the hub at the moment.', WAIT],
  [undefined, 'DocumentDbInvalidReturnValue', 'The hub could not read its own store.', WAIT],
  [undefined, 'GatewayTimeout', 'The hub did not answer its gateway in time.', WAIT],
  [undefined, 'GenericBadGateway', 'The gateway got no proper answer from the hub.', WAIT],
  [undefined, 'GenericGatewayTimeout', 'The hub did not answer its gateway in time.', WAIT],
  [undefined, 'GenericServerError', 'The hub failed inside.', WAIT],
  [undefined, 'GenericServiceUnavailable', 'The hub is not available at the moment.', WAIT],
  [undefined, 'GenericTimeout', 'The hub did not finish in time.', WAIT],
  [undefined, 'HostingServiceNotAvailable', 'A service inside the hub is not available at the moment.', WAIT],
  [undefined, 'InvalidResponseWhileProxying', 'A service inside the hub gave a wrong answer to another.', WAIT],
  [undefined, 'IotHubActivationFailed', 'The hub could not be activated.', WAIT],
  [undefined, 'IotHubFailingOver', 'The hub is failing over to another region.', WAIT],
  [undefined, 'IotHubRestoring', 'The hub is being restored.', WAIT],
  [undefined, 'OrchestrationOperationFailed', 'An operation inside the hub failed.', WAIT],
  [undefined, 'QueryStoreClusterNotFound', "The hub's query index is not available at the moment.", WAIT],
  [undefined, 'ReliableBlobStoreError', 'The hub could not reach its own store.', WAIT],
  [undefined, 'ReliableBlobStoreTimeoutError', "The hub's own store did not answer in time.", WAIT],
  [undefined, 'ReliableDocDbStoreStoreError', 'The hub could not reach its own store.', WAIT],
  [undefined, 'RequestCanceled', 'The hub gave the request up before it was done.', WAIT],
  [undefined, 'RequestTimedOut', 'The hub did not finish the request in time.', WAIT],
  [undefined, 'ResolutionError', 'The hub could not find one of its own services.', WAIT],
  [undefined, 'RestoreTimedOut', 'The hub did not finish an internal restore in time.', WAIT],
  [undefined, 'RetryAttemptsExhausted', 'The hub tried several times inside and gave up.', WAIT],
  [undefined, 'StatisticsRetrievalError', 'The hub could not count its devices.', WAIT],
  [undefined, 'StreamReservationFailure', 'The hub could not reserve what the operation needs.', WAIT],
  [undefined, 'UnableToFetchCredentials', 'The hub could not fetch credentials inside.', WAIT],
  [undefined, 'UnableToFetchTenantInfo', "The hub could not fetch its own tenant's data.", WAIT],
  [undefined, 'UnsupportedOperationOnReplica', 'The request reached a copy of the hub that only reads.', WAIT],
];

const QUOTA: readonly Row[] = [
  [
    403002,
    'IotHubQuotaExceeded',
    'The hub is full: it holds as many devices and modules, or had as many messages today, as it may.',
    'Delete devices that are no longer needed, add units, or wait for the next day if messages are the reason.',
  ],
];

const PERMANENT: readonly Row[] = [
  [400000, 'GenericBadRequest', 'The hub could not make sense of the request.', FIX_REQUEST],
  [
    400001,
    'InvalidProtocolVersion',
    'The hub does not know the API version of the request.',
    'Check that the connection string names an IoT hub of a region that supports API version 2021-04-12.',
  ],
  [400002, 'DeviceInvalidResultCount', 'The hub found several devices where there should be one.', REPORT],
  [400003, 'InvalidOperation', 'The hub does not allow this operation on this identity.', FIX_REQUEST],
  [
    400004,
    'ArgumentInvalid',
    'The hub refused a value: often a character or a size that it does not allow.',
    FIX_REQUEST,
  ],
  [400005, 'ArgumentNull', 'A value that the hub requires is missing.', FIX_REQUEST],
  [400006, 'IotHubFormatError', 'The line or request has not the form that the hub expects.', FIX_REQUEST],
  [400007, 'DeviceStorageEntitySerializationError', 'The hub could not store the identity in this form.', FIX_REQUEST],
  [
    400008,
    'BlobContainerValidationError',
    'The hub could not use the storage container: it may be missing, its signature may lack a right or have expired, a firewall may keep the hub out, or the input file may be empty.',
    "Check that the hub can reach the storage account; with identity storage, that the hub's identity has the role Storage Blob Data Contributor.",
  ],
  [
    400009,
    'ImportWarningExistsError',
    'The identity was imported with a warning.',
    'Read the device back and compare it with the file.',
  ],
  [400010, 'InvalidSchemaVersion', 'The hub does not know the schema version.', FIX_REQUEST],
  [
    400011,
    'DeviceDefinedMultipleTimes',
    'The same device was named more than once in one request.',
    'Keep one line for each device.',
  ],
  [
    400012,
    'DeserializationError',
    'The hub could not read the line: a field has a type or a value that it does not know.',
    'Correct the named field and provision the line again.',
  ],
  [400013, 'BulkRegistryOperationFailure', 'Some devices of a bulk request failed.', 'Read the error of each device.'],
  [
    400023,
    'EtagDoesNotMatch',
    'The identity has changed since its ETag was read.',
    'Read it again and decide anew, or use an import mode that does not compare ETags.',
  ],
  [
    400028,
    'InvalidDeviceScope',
    "The device scope is not valid: the parent edge device does not exist, or the scope is another hub's.",
    'Create the parent edge device first, and name it by its device id.',
  ],
  [400301, 'CannotRegisterModuleToModule', 'A module cannot belong to another module.', FIX_REQUEST],
  [
    400401,
    'InvalidConfigurationTargetCondition',
    'The target condition of the configuration is not valid.',
    'Use deviceId, tags and properties.reported only.',
  ],
  [
    400402,
    'InvalidConfigurationContent',
    'The content of the configuration is not valid.',
    'Content keys must start with `properties.desired`, and an edge deployment must name $edgeAgent.',
  ],
  [
    400403,
    'CannotModifyImmutableConfigurationContent',
    'The content of a configuration cannot be changed once it exists.',
    'Create a configuration with another id.',
  ],
  [401001, 'IotHubNotFound', 'There is no hub of this name.', "Check the host name in the hub's connection string."],
  [
    401002,
    'IotHubUnauthorizedAccess',
    'The hub does not accept the key or token, or its policy lacks the right for this operation; for modules it may also mean that their device is missing or disabled.',
    'Check the connection string, and that its policy has RegistryRead, RegistryWrite and ServiceConnect.',
  ],
  [
    401003,
    'IotHubUnauthorized',
    'The hub does not accept the key or token.',
    'Check the connection string; a shared access signature may have expired.',
  ],
  [
    401100,
    'SystemModuleModifyUnauthorizedAccess',
    'The hub does not let anyone write to a system module.',
    'Apply a deployment or configuration content to the edge device instead.',
  ],
  [403001, 'IotHubSuspended', 'The hub is suspended.', 'Look at the state of the hub and of the Azure subscription.'],
  [
    403004,
    'DeviceMaximumQueueDepthExceeded',
    'Too many messages wait for this device.',
    'Let the device fetch them, or purge its queue.',
  ],
  [403005, 'IotHubMaxCbsTokenExceeded', 'Too many tokens are in use on one connection.', REPORT],
  [
    403010,
    'OperationNotAvailableInCurrentTier',
    'The tier of the hub does not have this feature.',
    'Use a standard tier: twins, modules, edge devices and configurations are not in basic tiers.',
  ],
  [
    404001,
    'DeviceNotFound',
    'There is no device with this id.',
    'Check the id; create the device first, or use an import mode that creates it. If the line creates it, drop it again.',
  ],
  [404002, 'JobNotFound', 'The hub does not know this job (it forgets jobs after 30 days).', 'Check the job id.'],
  [404003, 'PartitionNotFound', 'The hub has no such partition.', REPORT],
  [
    404010,
    'ModuleNotFound',
    'There is no module with this id on the device.',
    'Check the id; create the module first.',
  ],
  [404103, 'DeviceNotOnline', 'The device is not connected.', 'Retry when the device is online.'],
  [404301, 'ConfigurationNotFound', 'There is no configuration with this id.', 'Check the id.'],
  [
    409001,
    'DeviceAlreadyExists',
    'A device with this id exists already.',
    'Use an import mode that updates (createOrUpdate, update), or take the line out.',
  ],
  [409104, 'JobAlreadyExists', 'A job with this id exists already.', 'Choose another job id.'],
  [
    409301,
    'ModuleAlreadyExistsOnDevice',
    'The device has a module with this id already.',
    'Use an import mode that updates, or take the line out.',
  ],
  [
    409401,
    'ConfigurationAlreadyExists',
    'A configuration with this id exists already.',
    'Update it, or choose another id.',
  ],
  [
    412001,
    'PreconditionFailed',
    'What the request depends on has changed, most often the ETag: somebody else wrote in between.',
    'Read it again and decide anew, or use an import mode that does not compare ETags.',
  ],
  [412002, 'DeviceMessageLockLost', 'The lock on a message to the device has run out.', REPORT],
  [
    413001,
    'MessageTooLarge',
    'The request is larger than the hub accepts.',
    'Make the twin or the request smaller: tags 8 KB, desired and reported properties 32 KB each.',
  ],
  [413002, 'TooManyDevices', 'A bulk request may hold 100 devices at most.', 'Split the request.'],
  [
    413003,
    'TooManyModulesOnDevice',
    'The device has as many modules as it may.',
    'Delete modules that are no longer needed.',
  ],
  [
    413101,
    'ConfigurationCountLimitExceeded',
    'The hub has as many configurations as it may.',
    'Delete configurations that are no longer needed.',
  ],
  [500002, 'JobCancelled', 'The job was cancelled.', 'Provision the file again if that was not meant.'],
  [undefined, 'AsyncOperationNotFound', 'The hub does not know the operation that was asked about.', REPORT],
  [undefined, 'AzureTableStoreNotFound', 'The hub did not find the entry in its own store.', REPORT],
  [
    undefined,
    'BulkAddDevicesNotSupported',
    'The hub does not allow devices to be added in bulk.',
    'Check the tier of the hub.',
  ],
  [
    undefined,
    'CertificateAuthorityConflict',
    'Another certificate authority is already known by this name.',
    'Check the certificates of the hub.',
  ],
  [
    undefined,
    'CertificateAuthorityNotFound',
    'The hub does not know the certificate authority.',
    'Upload and verify the CA certificate in the hub.',
  ],
  [undefined, 'CertificateNotFound', 'The hub does not know the certificate.', 'Upload the certificate to the hub.'],
  [
    undefined,
    'DefaultStorageEndpointNotConfigured',
    'The hub has no default storage account.',
    "Set one in the hub's file upload settings.",
  ],
  [undefined, 'DeviceDisabled', 'The device is disabled.', 'Enable the device first.'],
  [undefined, 'DeviceGroupConflict', 'The device group exists already.', FIX_REQUEST],
  [undefined, 'DeviceGroupNotFound', 'The device group does not exist.', FIX_REQUEST],
  [undefined, 'DeviceJobAlreadyExists', 'This device is already part of such a job.', 'Wait for that job to end.'],
  [
    undefined,
    'DeviceModelMaxIndexablePropertiesExceeded',
    'The device model has more indexed properties than the hub allows.',
    'Use fewer properties in the model.',
  ],
  [
    undefined,
    'DeviceModelMaxPropertiesExceeded',
    'The device model has more properties than the hub allows.',
    'Use fewer properties in the model.',
  ],
  [undefined, 'DeviceRecordConflict', 'A record of this device exists already.', 'Read the device and decide anew.'],
  [undefined, 'DeviceRecordNotFound', 'The hub has no record of this device.', 'Check the id.'],
  [undefined, 'DeviceRegistrationNotFound', 'The hub has no registration of this device.', 'Check the id.'],
  [
    undefined,
    'FeatureNotSupported',
    'The hub does not support this feature.',
    'Check the tier and the region of the hub.',
  ],
  [
    undefined,
    'GenericConflict',
    'The request conflicts with what the registry holds.',
    'Read the identity and decide anew.',
  ],
  [
    undefined,
    'GenericForbidden',
    'The hub forbids this operation.',
    "Check the rights of the policy or identity, and the hub's network rules.",
  ],
  [
    undefined,
    'GenericMethodNotAllowed',
    'The hub does not know this operation here.',
    'Check that the host name belongs to an IoT hub.',
  ],
  [undefined, 'GenericNotFound', 'The hub did not find what the request names.', 'Check the id.'],
  [
    undefined,
    'GenericPreconditionFailed',
    'What the request depends on has changed.',
    'Read it again and decide anew.',
  ],
  [
    undefined,
    'GenericRequestEntityTooLarge',
    'The request is larger than the hub accepts.',
    'Make the request smaller.',
  ],
  [undefined, 'GenericUnauthorized', 'The hub does not accept the key or token.', 'Check the connection string.'],
  [undefined, 'GenericUnsupportedMediaType', 'The hub does not take this kind of content.', REPORT],
  [undefined, 'GroupNotAvailable', 'The group is not available.', REPORT],
  [undefined, 'GroupNotFound', 'The group does not exist.', REPORT],
  [undefined, 'GroupRecordConflict', 'A record of this group exists already.', REPORT],
  [undefined, 'GroupRecordNotFound', 'The hub has no record of this group.', REPORT],
  [
    undefined,
    'ImportDevicesNotSupported',
    'The hub does not allow devices to be imported.',
    'Check the tier of the hub.',
  ],
  [undefined, 'IncompatibleDataType', 'A value has a type that does not fit.', FIX_REQUEST],
  [
    undefined,
    'InvalidBlobState',
    'The blob is not in a state that the hub can use.',
    'Check that nobody else writes or locks the blob.',
  ],
  [
    undefined,
    'InvalidConfigurationCustomMetricsQuery',
    'A metrics query of the configuration is not valid.',
    'Correct the query.',
  ],
  [undefined, 'InvalidContentEncodingOrType', 'The hub does not take this content type or encoding.', REPORT],
  [
    undefined,
    'InvalidEndpointAuthenticationType',
    'The kind of authentication does not fit the storage endpoint.',
    'Check `STORAGE_AUTH`.',
  ],
  [undefined, 'InvalidErrorCode', 'The hub gave an error that it has no code for.', REPORT],
  [undefined, 'InvalidPnPDesiredProperties', 'The desired properties do not fit the device model.', FIX_REQUEST],
  [undefined, 'InvalidPnPReportedProperties', 'The reported properties do not fit the device model.', FIX_REQUEST],
  [
    undefined,
    'InvalidPnPWritableReportedProperties',
    'The writable reported properties do not fit the device model.',
    FIX_REQUEST,
  ],
  [
    undefined,
    'InvalidStorageEndpoint',
    'The storage account is not one that the hub can use.',
    'Check that the storage account exists and that the hub can reach it.',
  ],
  [
    undefined,
    'InvalidStorageEndpointOrBlob',
    'The hub could not find or use the storage container or the blob in it.',
    'Check that the storage account and the container exist and that the hub can reach them.',
  ],
  [
    undefined,
    'InvalidStorageEndpointProperty',
    "A setting of the hub's storage endpoint is not valid.",
    "Check the hub's storage settings.",
  ],
  [
    undefined,
    'InvalidStorageRootKey',
    "The hub's key for the storage account is not valid.",
    "Check the hub's storage settings.",
  ],
  [undefined, 'InvalidThrottleParameter', 'A throttle setting is not valid.', REPORT],
  [
    undefined,
    'JobRunPreconditionFailed',
    'The job could not start because what it depends on has changed.',
    'Start it again.',
  ],
  [
    undefined,
    'KeyEncryptionKeyRevoked',
    'The customer-managed key of the hub was revoked.',
    'Give the hub access to its key again.',
  ],
  [
    undefined,
    'ManagedIdentityNotEnabled',
    'The hub has no managed identity.',
    'Enable one on the hub and give it the role Storage Blob Data Contributor, or set `STORAGE_AUTH=sas`.',
  ],
  [undefined, 'ModelAlreadyExists', 'The model exists already.', FIX_REQUEST],
  [
    undefined,
    'OperationNotAllowedInCurrentState',
    'The state that this is in does not allow the operation (a job that has ended cannot be cancelled).',
    'Look at its state first.',
  ],
  [undefined, 'QuotaMetricNotFound', 'The hub does not know the quota that was asked about.', REPORT],
  [undefined, 'SerializationError', 'The hub could not write the identity in its own form.', FIX_REQUEST],
  [undefined, 'SystemPropertyNotFound', 'The hub does not know the system property.', FIX_REQUEST],
  [
    undefined,
    'UnableToShareIdentity',
    'The hub could not use its identity for the storage account.',
    'Check the managed identity of the hub and its role on the storage account.',
  ],
  [undefined, 'UnexpectedPropertyValue', 'A property has a value that the hub does not expect.', FIX_REQUEST],
];

/** Not in the enumeration of errors: the only warning that a bulk request gives. */
const WARNINGS: readonly Row[] = [
  [
    undefined,
    'DeviceRegisteredWithoutTwin',
    'The device was created, but its twin (tags and desired properties) was not.',
    'Write the twin once more.',
  ],
];

/** Not of a hub: what our own code failed at. It has a place here because lines end with it. */
const FAULT = CALL_TEXTS['HubKeeperFault:line'];
const OWN: readonly Row[] = [[undefined, 'HubKeeperFault', FAULT.says, FAULT.action]];

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
  if (digits !== undefined) {
    return BY_CODE.get(Number(digits)) ?? unknownNumber(Number(digits));
  }
  return BY_NAME.get(text.toLowerCase()) ?? unknownName(text);
}

/** Whether the table has this name. */
export function isKnownHubError(name: string): boolean {
  return BY_NAME.has(name.toLowerCase());
}

function explanation([code, name, sentence, action]: Row, errorClass: HubErrorClass): HubErrorExplanation {
  return { ...(code === undefined ? {} : { code }), name, class: errorClass, sentence, action };
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
  if (status === 429) {
    return '"too many requests"';
  }
  if (status >= 500 && status < 600) {
    return '"the hub failed"';
  }
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
