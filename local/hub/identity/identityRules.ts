import { randomInt } from 'node:crypto';
import { HubError } from '../http/hubError.ts';
import type { HubSettings } from '../hubOptions.ts';
import type { IdentityRow } from '../registry/identityRow.ts';
import type { IdentityStore, WriteHow } from '../registry/identityStore.ts';
import { dotnetTime, ticks } from '../times.ts';
import { newTwin, type TwinColumns, type TwinParts } from '../twin/twinColumns.ts';
import { type AuthenticationInput, resolveAuthentication } from './authentication.ts';
import { changedScopes, newScopes } from './edgeScopes.ts';
import { demandId, isSystemModule } from './ids.ts';

/** What the rules need: they check first and write last, so a throw leaves the registry as it was. */
export interface RegistryContext {
  readonly store: IdentityStore;
  readonly settings: Pick<HubSettings, 'maxDevices' | 'quotaMargin' | 'maxModulesPerDevice'>;
  readonly nowMs: number;
  /** Creations by an import job fail near the quota already; those by a bulk call may name a scope that nobody owns. */
  readonly caller: 'single' | 'bulk' | 'job';
}

export interface DeviceInput {
  readonly deviceId: string;
  readonly status: 'enabled' | 'disabled';
  readonly statusReason: string | null;
  readonly authentication: AuthenticationInput | undefined;
  readonly iotEdge: boolean;
  readonly deviceScope: string | undefined;
  readonly parentScopes: readonly string[];
}

export interface ModuleInput {
  readonly deviceId: string;
  readonly moduleId: string;
  readonly managedBy: string | null;
  readonly authentication: AuthenticationInput | undefined;
}

/** Twin columns that are written along with an identity, and how they came about. */
export interface TwinWrite {
  readonly columns: TwinColumns;
  readonly how: WriteHow;
}

const MAX_STATUS_REASON = 128;

export function createDevice(context: RegistryContext, input: DeviceInput, twin: TwinParts): IdentityRow {
  const { store, nowMs } = context;
  demandId('deviceId', input.deviceId);
  if (store.find(input.deviceId)) {
    throw new HubError('DeviceAlreadyExists', `A device with ID '${input.deviceId}' is already registered.`);
  }
  demandRoom(context);
  demandStatusReason(input.statusReason);
  const generationId = ticks(nowMs, randomInt(10_000));
  const row = {
    deviceId: input.deviceId,
    moduleId: '',
    etag: newEtag(),
    generationId,
    status: input.status,
    statusReason: input.statusReason,
    statusUpdatedTime: dotnetTime(nowMs),
    ...resolveAuthentication(input.authentication, 'device'),
    iotEdge: input.iotEdge ? (1 as const) : (0 as const),
    ...newScopes(store, input, generationId, context.caller === 'bulk'),
    managedBy: null,
    configurations: null,
    ...newTwin(twin, nowMs),
  };
  const created = store.insert(row);
  if (input.iotEdge) createSystemModules(context, created);
  return created;
}

/** Replaces the identity of a device as a whole; its twin stays, unless new twin columns come along. */
export function replaceDevice(
  context: RegistryContext,
  row: IdentityRow,
  input: DeviceInput,
  twin?: TwinWrite,
): IdentityRow {
  demandStatusReason(input.statusReason);
  const replaced: IdentityRow = {
    ...row,
    etag: row.etag + 1,
    status: input.status,
    statusReason: input.statusReason,
    statusUpdatedTime: input.status === row.status ? row.statusUpdatedTime : dotnetTime(context.nowMs),
    ...resolveAuthentication(input.authentication, 'device'),
    ...changedScopes(context.store, input, row),
    iotEdge: input.iotEdge ? 1 : 0,
    ...twin?.columns,
  };
  context.store.update(row, replaced, twin?.how);
  if (input.iotEdge && row.iotEdge === 0) createSystemModules(context, replaced);
  if (!input.iotEdge && row.iotEdge === 1) removeSystemModules(context, replaced);
  return replaced;
}

/** Removes a device with its modules and all their twins. */
export function removeDevice(context: RegistryContext, row: IdentityRow): void {
  for (const module of context.store.modulesOf(row.deviceId)) context.store.remove(module, { kind: 'withDevice' });
  context.store.remove(row);
}

export function createModule(
  context: RegistryContext,
  device: IdentityRow,
  input: ModuleInput,
  twin: TwinParts,
): IdentityRow {
  const { store, nowMs } = context;
  demandId('moduleId', input.moduleId);
  demandUserModule(input.moduleId);
  if (store.find(device.deviceId, input.moduleId)) {
    throw new HubError(
      'ModuleAlreadyExistsOnDevice',
      `A module with ID '${input.moduleId}' is already registered on device '${device.deviceId}'.`,
    );
  }
  demandModuleRoom(context, device, 1);
  return store.insert({
    ...moduleBase(device, input.moduleId, nowMs),
    ...resolveAuthentication(input.authentication, 'module'),
    managedBy: input.managedBy,
    ...newTwin(twin, nowMs),
  });
}

/** Replaces a module identity as a whole; its twin stays, unless new twin columns come along. */
export function replaceModule(
  context: RegistryContext,
  row: IdentityRow,
  input: ModuleInput,
  twin?: TwinWrite,
): IdentityRow {
  demandUserModule(input.moduleId);
  const replaced: IdentityRow = {
    ...row,
    etag: row.etag + 1,
    ...resolveAuthentication(input.authentication, 'module'),
    managedBy: input.managedBy,
    ...twin?.columns,
  };
  context.store.update(row, replaced, twin?.how);
  return replaced;
}

export function removeModule(context: RegistryContext, row: IdentityRow): void {
  demandUserModule(row.moduleId);
  context.store.remove(row);
}

function demandUserModule(moduleId: string): void {
  if (isSystemModule(moduleId)) {
    throw new HubError('ArgumentInvalid', `The module '${moduleId}' belongs to the hub and cannot be written.`);
  }
}

/** An identity etag is a decimal counter that starts anywhere: deleting and creating again never repeats one by habit. */
function newEtag(): number {
  return randomInt(100_000_000, 999_999_999);
}

function demandRoom({ store, settings, caller }: RegistryContext, identities = 1): void {
  const { devices, modules } = store.counts();
  // https://learn.microsoft.com/azure/iot-hub/iot-hub-bulk-identity-mgmt#troubleshoot-import-jobs: near the limit an
  // import job fails creations that would still fit, while single ones succeed.
  const limit = settings.maxDevices - (caller === 'job' ? settings.quotaMargin : 0);
  if (devices + modules + identities > limit) {
    throw new HubError('IotHubQuotaExceeded', 'Total number of devices on IotHub exceeded the allocated quota.');
  }
}

function demandStatusReason(reason: string | null): void {
  if (reason !== null && reason.length > MAX_STATUS_REASON) {
    throw new HubError(
      'ArgumentInvalid',
      `statusReason has ${reason.length} characters, and may have ${MAX_STATUS_REASON}.`,
    );
  }
}

function moduleBase(device: IdentityRow, moduleId: string, nowMs: number) {
  return {
    deviceId: device.deviceId,
    moduleId,
    etag: newEtag(),
    generationId: ticks(nowMs, randomInt(10_000)),
    status: 'enabled' as const,
    statusReason: null,
    statusUpdatedTime: dotnetTime(nowMs),
    iotEdge: 0 as const,
    deviceScope: null,
    parentScopes: null,
    configurations: null,
  };
}

/** Fails unless a device may have this many modules more. */
export function demandModuleRoom(context: RegistryContext, device: IdentityRow, more: number): void {
  const { maxModulesPerDevice } = context.settings;
  if (context.store.countModulesOf(device.deviceId) + more > maxModulesPerDevice) {
    throw new HubError('TooManyModulesOnDevice', `A device may have ${maxModulesPerDevice} modules.`);
  }
  demandRoom(context, more);
}

/** Every edge device has these two, made and owned by the hub. */
function createSystemModules(context: RegistryContext, device: IdentityRow): void {
  for (const moduleId of ['$edgeAgent', '$edgeHub']) createEdgeModule(context, device, moduleId);
}

/** A module that the hub makes for the edge runtime; whether there is room is the caller's to check. */
export function createEdgeModule(context: RegistryContext, device: IdentityRow, moduleId: string): IdentityRow {
  return context.store.insert({
    ...moduleBase(device, moduleId, context.nowMs),
    authenticationType: 'none',
    primaryKey: null,
    secondaryKey: null,
    primaryThumbprint: null,
    secondaryThumbprint: null,
    managedBy: 'iotEdge',
    ...newTwin({}, context.nowMs),
  });
}

function removeSystemModules(context: RegistryContext, device: IdentityRow): void {
  for (const module of context.store.modulesOf(device.deviceId)) {
    if (isSystemModule(module.moduleId)) context.store.remove(module);
  }
}
