/** The registry of an IoT hub: what the rest of HubKeeper may use. */

export {
  type BulkErrorCode,
  type BulkItemError,
  type BulkItemWarning,
  type BulkResult,
  MAX_BULK_ITEMS,
} from './bulk.ts';
export {
  type Configuration,
  type ConfigurationContent,
  type ConfigurationInput,
  type ConfigurationToDelete,
  configurationBody,
} from './configurations.ts';
export { type HubConnection, parseHubConnection } from './connection.ts';
export { explainHubError, HUB_ERRORS, type HubErrorClass, type HubErrorExplanation } from './errorCodes.ts';
export { type ReducedErrorStatus, reduceErrorStatus } from './errorStatus.ts';
export type { ConditionalOptions } from './etag.ts';
export { HubError, type HubErrorKind } from './hubError.ts';
export type {
  Authentication,
  AuthenticationType,
  Device,
  DeviceInput,
  DeviceToDelete,
  Module,
  ModuleInput,
  ModuleToDelete,
} from './identities.ts';
export type { ExportJobRequest, ImportExportJob, ImportJobRequest } from './jobs.ts';
export type { CallObserver } from './observer.ts';
export {
  type HubQuery,
  MAX_QUERY_LENGTH,
  type PageOptions,
  type QueryPage,
  queryLiteral,
  type RegistryStatistics,
} from './query.ts';
export { createRegistryClient, type RegistryClient, type RegistryClientOptions } from './registryClient.ts';
export type { WriteOptions } from './requests.ts';
export type { CallOptions } from './transport.ts';
export { parseTwin, type Twin, type TwinId, type TwinUpdate, type WrittenTwin } from './twins.ts';
export type { WireExportImportDevice } from './wire.ts';
