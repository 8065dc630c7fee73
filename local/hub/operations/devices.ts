import { demandMatch, parseIfMatch, quoted } from '../http/etag.ts';
import { HubError } from '../http/hubError.ts';
import type { Hub } from '../hub.ts';
import { createDevice, type DeviceInput, removeDevice, replaceDevice } from '../identity/identityRules.ts';
import { demandId } from '../identity/ids.ts';
import { type IdentityRow, identityEtag } from '../registry/identityRow.ts';
import { readAuthentication } from '../wire/authenticationWire.ts';
import { deviceDocument } from '../wire/identityDocuments.ts';
import { createMemberReader, readBoolean, readEnum, readString, readStrings } from '../wire/jsonNet.ts';
import { readBody, registryContext } from './context.ts';
import { type Operation, type OperationRequest, param, type Reply } from './operation.ts';

const MAX_TOP = 1000;

const readDevice = createMemberReader('Microsoft.Azure.Devices.Device', [
  'deviceId',
  'status',
  'statusReason',
  'authentication',
  'capabilities',
  'deviceScope',
  'parentScopes',
]);
const readCapabilities = createMemberReader('Microsoft.Azure.Devices.DeviceCapabilities', ['iotEdge']);

export const listDevices: Operation = {
  name: 'listDevices',
  method: 'GET',
  path: '/devices',
  right: 'RegistryRead',
  throttle: { kind: 'registry' },
  handle: (hub, { query }) => {
    const top = Number(query.get('top') ?? MAX_TOP);
    if (!Number.isInteger(top) || top < 1 || top > MAX_TOP) {
      throw new HubError('ArgumentInvalid', `top must be a whole number from 1 to ${MAX_TOP}.`);
    }
    const rows = hub.store.page('devices', 0, top).filter((row) => hub.consistency.isReadable(row));
    return { status: 200, body: rows.map(deviceDocument) };
  },
};

export const getDevice: Operation = {
  name: 'getDevice',
  method: 'GET',
  path: '/devices/:deviceId',
  right: 'RegistryRead',
  throttle: { kind: 'registry' },
  handle: (hub, request) => {
    const row = demandDevice(hub, param(request, 'deviceId'));
    if (!hub.consistency.isReadable(row)) throw deviceNotFound(row.deviceId);
    return deviceReply(row);
  },
};

/** Without If-Match a PUT only creates, with it it only updates: so the live hub, whatever etag the body carries. */
export const putDevice: Operation = {
  name: 'putDevice',
  method: 'PUT',
  path: '/devices/:deviceId',
  right: 'RegistryWrite',
  throttle: { kind: 'registry' },
  handle: (hub, request) => {
    const deviceId = param(request, 'deviceId');
    const input = readBody(() => readDeviceBody(request.body, deviceId));
    const ifMatch = parseIfMatch(request.headers['if-match']);
    const context = registryContext(hub);
    return hub.store.transaction(() => {
      if (ifMatch.kind === 'none') return deviceReply(createDevice(context, input, {}));
      const row = demandDevice(hub, deviceId);
      demandMatch(ifMatch, identityEtag(row));
      return deviceReply(replaceDevice(context, row, input));
    });
  },
};

export const deleteDevice: Operation = {
  name: 'deleteDevice',
  method: 'DELETE',
  path: '/devices/:deviceId',
  right: 'RegistryWrite',
  throttle: { kind: 'registry' },
  handle: (hub, request) => {
    const ifMatch = parseIfMatch(request.headers['if-match']);
    if (ifMatch.kind === 'none') throw new HubError('PreconditionFailed', 'Etag missing.');
    const row = demandDevice(hub, param(request, 'deviceId'));
    demandMatch(ifMatch, identityEtag(row));
    hub.store.transaction(() => removeDevice(registryContext(hub), row));
    return { status: 204 };
  },
};

export function demandDevice(hub: Hub, deviceId: string): IdentityRow {
  demandId('deviceId', deviceId);
  const row = hub.store.find(deviceId);
  if (row === undefined) throw deviceNotFound(deviceId);
  return row;
}

export function deviceNotFound(deviceId: string): HubError {
  return new HubError('DeviceNotFound', `Device '${deviceId}' is not registered.`);
}

function readDeviceBody(body: OperationRequest['body'], deviceId: string): DeviceInput {
  const members = readDevice(body, '');
  if (members === undefined) throw new HubError('ArgumentNull', 'The request has no body.');
  const given = readString(members.deviceId, 'deviceId');
  if (given !== deviceId) {
    throw new HubError('ArgumentInvalid', 'The deviceId of the body is not the one of the path.');
  }
  const capabilities = readCapabilities(members.capabilities, 'capabilities');
  return {
    deviceId,
    status:
      readEnum(members.status, ['enabled', 'disabled'], 'Microsoft.Azure.Devices.DeviceStatus', 'status') ?? 'enabled',
    statusReason: readString(members.statusReason, 'statusReason') ?? null,
    authentication: readAuthentication(members.authentication, 'authentication'),
    iotEdge: readBoolean(capabilities?.iotEdge, 'capabilities.iotEdge') ?? false,
    deviceScope: readString(members.deviceScope, 'deviceScope'),
    parentScopes: readStrings(members.parentScopes, 'parentScopes') ?? [],
  };
}

function deviceReply(row: IdentityRow): Reply {
  return { status: 200, headers: { ETag: quoted(identityEtag(row)) }, body: deviceDocument(row) };
}
