/** Device and module identities. */

import { defined } from '../defined.ts';
import { etagIn } from './etag.ts';
import { asBoolean, asInstant, asNumber, asObject, asOneOf, asStrings, asText, type JsonObject } from './reader.ts';
import { getRequest, operationsOn, readList, type WriteOptions } from './requests.ts';
import type { CallOptions, Transport } from './transport.ts';

const AUTHENTICATION_TYPES = ['sas', 'selfSigned', 'certificateAuthority', 'none'] as const;
export type AuthenticationType = (typeof AUTHENTICATION_TYPES)[number];

/** How a device or module proves who it is. Keys are base64, thumbprints hexadecimal. Holds secrets. */
export interface Authentication {
  readonly type: AuthenticationType;
  readonly symmetricKey?: { readonly primaryKey: string; readonly secondaryKey: string };
  readonly x509Thumbprint?: { readonly primaryThumbprint?: string; readonly secondaryThumbprint?: string };
}

/** What can be written of a device identity. */
export interface DeviceInput {
  readonly deviceId: string;
  /** Compared with by `onlyIfUnchanged`; never written. */
  readonly etag?: string;
  /** Absent: the hub makes new keys, on update too. */
  readonly authentication?: Authentication;
  readonly status?: 'enabled' | 'disabled';
  readonly statusReason?: string;
  readonly capabilities?: { readonly iotEdge: boolean };
  /** Of an edge device: its own scope, made by the hub and to be given back on update. Of others: their parent's. */
  readonly deviceScope?: string;
  readonly parentScopes?: readonly string[];
}

/** What a hub notes of each identity. Instants are as the hub writes them; absent when it never happened. */
interface IdentityState {
  readonly etag: string;
  /** Changes when a device is deleted and created again. */
  readonly generationId?: string;
  readonly connectionState?: string;
  readonly connectionStateUpdatedTime?: string;
  readonly lastActivityTime?: string;
  readonly cloudToDeviceMessageCount?: number;
}

export interface Device extends DeviceInput, IdentityState {
  readonly etag: string;
  readonly status: 'enabled' | 'disabled';
  readonly statusUpdatedTime?: string;
}

export interface ModuleInput {
  readonly deviceId: string;
  readonly moduleId: string;
  readonly etag?: string;
  readonly authentication?: Authentication;
  /** `iotEdge` for the modules of an edge device. A module update replaces all: absent clears it. */
  readonly managedBy?: string;
}

export interface Module extends ModuleInput, IdentityState {
  readonly etag: string;
}

/** What a delete names: the ids, and the ETag for `onlyIfUnchanged`. */
export type DeviceToDelete = Pick<DeviceInput, 'deviceId' | 'etag'>;
export type ModuleToDelete = Pick<ModuleInput, 'deviceId' | 'moduleId' | 'etag'>;

export interface IdentityOperations {
  /** The device, or undefined when there is none. */
  getDevice(deviceId: string, options?: CallOptions): Promise<Device | undefined>;
  /** Fails with kind `conflict` when the id is taken. */
  createDevice(device: DeviceInput, options?: CallOptions): Promise<Device>;
  /** Replaces the identity. Kinds `notFound`, and `preconditionFailed` with `onlyIfUnchanged`. */
  updateDevice(device: DeviceInput, options?: WriteOptions): Promise<Device>;
  /** With its modules and twins. */
  deleteDevice(device: DeviceToDelete, options?: WriteOptions): Promise<void>;
  /** The first `top` (1–1000) devices, in no given order; the hub has no paging here: use `query` for more. */
  listDevices(options?: CallOptions & { readonly top?: number }): Promise<readonly Device[]>;

  getModule(deviceId: string, moduleId: string, options?: CallOptions): Promise<Module | undefined>;
  createModule(module: ModuleInput, options?: CallOptions): Promise<Module>;
  updateModule(module: ModuleInput, options?: WriteOptions): Promise<Module>;
  deleteModule(module: ModuleToDelete, options?: WriteOptions): Promise<void>;
  listModules(deviceId: string, options?: CallOptions): Promise<readonly Module[]>;
}

export function createIdentityOperations(transport: Transport): IdentityOperations {
  const devices = operationsOn<Pick<DeviceInput, 'deviceId'>, DeviceInput, Device>(transport, {
    kind: 'device',
    nameOf: ({ deviceId }) => `"${deviceId}"`,
    pathOf: ({ deviceId }) => ['devices', deviceId],
    bodyOf: deviceBody,
    parse: parseDevice,
    codesOfAbsence: ['DeviceNotFound'],
  });
  const modules = operationsOn<Pick<ModuleInput, 'deviceId' | 'moduleId'>, ModuleInput, Module>(transport, {
    kind: 'module',
    nameOf: moduleName,
    pathOf: ({ deviceId, moduleId }) => ['devices', deviceId, 'modules', moduleId],
    bodyOf: moduleBody,
    parse: parseModule,
    codesOfAbsence: ['ModuleNotFound', 'DeviceNotFound'],
  });
  return {
    getDevice: (deviceId, options) => devices.get({ deviceId }, options),
    createDevice: devices.create,
    updateDevice: devices.update,
    deleteDevice: devices.delete,
    async listDevices(options = {}) {
      const request = { ...getRequest('list devices', ['devices'], options), query: { top: options.top } };
      return readList(transport, request, parseDevice);
    },

    getModule: (deviceId, moduleId, options) => modules.get({ deviceId, moduleId }, options),
    createModule: modules.create,
    updateModule: modules.update,
    deleteModule: modules.delete,
    async listModules(deviceId, options = {}) {
      const request = getRequest(`list the modules of "${deviceId}"`, ['devices', deviceId, 'modules'], options);
      return readList(transport, request, parseModule);
    },
  };
}

// Mapping -----------------------------------------------------------------------------------------------------------------

/** What can be written of a device; one that was read has more. */
function deviceBody(device: DeviceInput): DeviceInput {
  const { deviceId, status, statusReason, authentication, capabilities, deviceScope, parentScopes, etag } = device;
  const optional = { status, statusReason, authentication, capabilities, deviceScope, parentScopes, etag };
  return { deviceId, ...defined(optional) };
}

function moduleBody({ deviceId, moduleId, managedBy, authentication, etag }: ModuleInput): ModuleInput {
  return { deviceId, moduleId, ...defined({ managedBy, authentication, etag }) };
}

function parseDevice(value: unknown): Device | undefined {
  const body = asObject(value);
  const deviceId = asText(body?.deviceId);
  const status = asOneOf(body?.status, ['enabled', 'disabled']);
  if (body === undefined || deviceId === undefined || status === undefined) return undefined;
  const edge = asBoolean(asObject(body.capabilities)?.iotEdge);
  return {
    deviceId,
    etag: etagIn(body),
    status,
    ...defined({
      statusReason: asText(body.statusReason),
      authentication: parseAuthentication(body.authentication),
      capabilities: edge === undefined ? undefined : { iotEdge: edge },
      deviceScope: asText(body.deviceScope),
      parentScopes: asStrings(body.parentScopes),
      // The swagger says statusUpdatedTime, the identity registry page statusUpdateTime.
      statusUpdatedTime: asInstant(body.statusUpdatedTime ?? body.statusUpdateTime),
    }),
    ...connectionFields(body),
  };
}

function parseModule(value: unknown): Module | undefined {
  const body = asObject(value);
  const deviceId = asText(body?.deviceId);
  const moduleId = asText(body?.moduleId);
  if (body === undefined || deviceId === undefined || moduleId === undefined) return undefined;
  return {
    deviceId,
    moduleId,
    etag: etagIn(body),
    ...defined({ managedBy: asText(body.managedBy), authentication: parseAuthentication(body.authentication) }),
    ...connectionFields(body),
  };
}

function connectionFields(body: JsonObject) {
  return defined({
    generationId: asText(body.generationId),
    connectionState: asText(body.connectionState),
    connectionStateUpdatedTime: asInstant(body.connectionStateUpdatedTime),
    lastActivityTime: asInstant(body.lastActivityTime),
    cloudToDeviceMessageCount: asNumber(body.cloudToDeviceMessageCount),
  });
}

function parseAuthentication(value: unknown): Authentication | undefined {
  const body = asObject(value);
  const type = asOneOf(body?.type, AUTHENTICATION_TYPES);
  if (body === undefined || type === undefined) return undefined;
  const keys = asObject(body.symmetricKey);
  const primaryKey = asText(keys?.primaryKey);
  const secondaryKey = asText(keys?.secondaryKey);
  // Hubs print the pair of the other kind as nulls: sent back, those nulls would be values.
  const thumbprints = asObject(body.x509Thumbprint);
  const x509Thumbprint = defined({
    primaryThumbprint: asText(thumbprints?.primaryThumbprint),
    secondaryThumbprint: asText(thumbprints?.secondaryThumbprint),
  });
  return {
    type,
    ...(primaryKey === undefined || secondaryKey === undefined ? {} : { symmetricKey: { primaryKey, secondaryKey } }),
    ...(Object.keys(x509Thumbprint).length === 0 ? {} : { x509Thumbprint }),
  };
}

export function moduleName(ids: { readonly deviceId: string; readonly moduleId: string }): string {
  return `"${ids.deviceId}/${ids.moduleId}"`;
}
