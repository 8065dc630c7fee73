import { applyConfigurationContent } from './applyConfigurationContent.ts';
import { bulkRegistry } from './bulk.ts';
import { configurationOperations } from './configurations.ts';
import { deleteDevice, getDevice, listDevices, putDevice } from './devices.ts';
import { jobOperations } from './jobs.ts';
import { deleteModule, getModule, listModules, putModule } from './modules.ts';
import type { Operation } from './operation.ts';
import { purgeCommands } from './purgeCommands.ts';
import { queryDevices } from './queryDevices.ts';
import { deviceStatistics, serviceStatistics } from './statistics.ts';
import { twinOperations } from './twins.ts';
import { unservedOperations } from './unserved.ts';

/** Every operation of the hub. More specific paths come first (`/jobs/v2/…` and `/devices/query` before `:id`). */
export const OPERATIONS: readonly Operation[] = [
  ...unservedOperations,
  queryDevices,
  listDevices,
  bulkRegistry,
  getDevice,
  putDevice,
  deleteDevice,
  listModules,
  getModule,
  putModule,
  deleteModule,
  applyConfigurationContent,
  purgeCommands,
  ...twinOperations,
  ...configurationOperations,
  deviceStatistics,
  serviceStatistics,
  ...jobOperations,
];

export const OPERATION_NAMES: ReadonlySet<string> = new Set(OPERATIONS.map(({ name }) => name));
