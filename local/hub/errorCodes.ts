/**
 * Error names of the hub and their numbers (Azure/azure-iot-sdk-csharp `ErrorCode.cs`). The HTTP status is the first
 * three digits of the number. Names without a known number appear in the data-plane swagger only: they travel by name.
 */
export const ERROR_NUMBERS = {
  GenericBadRequest: 400000,
  InvalidOperation: 400003,
  ArgumentInvalid: 400004,
  ArgumentNull: 400005,
  IotHubFormatError: 400006,
  BlobContainerValidationError: 400008,
  ImportWarningExistsError: 400009,
  DeviceDefinedMultipleTimes: 400011,
  DeserializationError: 400012,
  BulkRegistryOperationFailure: 400013,
  EtagDoesNotMatch: 400023,
  InvalidDeviceScope: 400028,
  InvalidConfigurationTargetCondition: 400401,
  InvalidConfigurationContent: 400402,
  CannotModifyImmutableConfigurationContent: 400403,
  IotHubUnauthorizedAccess: 401002,
  IotHubUnauthorized: 401003,
  SystemModuleModifyUnauthorizedAccess: 401100,
  IotHubQuotaExceeded: 403002,
  JobQuotaExceeded: 403003,
  DeviceMaximumQueueDepthExceeded: 403004,
  OperationNotAvailableInCurrentTier: 403010,
  DeviceNotFound: 404001,
  JobNotFound: 404002,
  ModuleNotFound: 404010,
  DeviceNotOnline: 404103,
  ConfigurationNotFound: 404301,
  DeviceAlreadyExists: 409001,
  JobAlreadyExists: 409104,
  ModuleAlreadyExistsOnDevice: 409301,
  ConfigurationAlreadyExists: 409401,
  PreconditionFailed: 412001,
  MessageTooLarge: 413001,
  TooManyDevices: 413002,
  TooManyModulesOnDevice: 413003,
  ConfigurationCountLimitExceeded: 413101,
  GenericTooManyRequests: 429000,
  ThrottlingException: 429001,
  ThrottleBacklogLimitExceeded: 429002,
  ThrottlingBacklogTimeout: 429003,
  ThrottlingMaxActiveJobCountExceeded: 429004,
  DeviceThrottlingLimitExceeded: 429005,
  ServerError: 500001,
  ServiceUnavailable: 503001,
  ServerBusy: 503005,
} as const;

export type ErrorName = keyof typeof ERROR_NUMBERS;

/** The name of a numeric code, or undefined where the simulator knows none. */
export function errorNameOf(number: number): ErrorName | undefined {
  for (const [name, value] of Object.entries(ERROR_NUMBERS)) {
    if (value === number) return name as ErrorName;
  }
  return undefined;
}
