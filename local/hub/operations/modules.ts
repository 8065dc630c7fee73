import { demandMatch, parseIfMatch, quoted } from '../http/etag.ts';
import { HubError } from '../http/hubError.ts';
import type { Hub } from '../hub.ts';
import { createModule, type ModuleInput, removeModule, replaceModule } from '../identity/identityRules.ts';
import { demandId } from '../identity/ids.ts';
import { type IdentityRow, identityEtag } from '../registry/identityRow.ts';
import { readAuthentication } from '../wire/authenticationWire.ts';
import { moduleDocument } from '../wire/identityDocuments.ts';
import { createMemberReader, readString } from '../wire/jsonNet.ts';
import { readBody, registryContext } from './context.ts';
import { type Operation, type OperationRequest, param, type Reply } from './operation.ts';

const readModule = createMemberReader('Microsoft.Azure.Devices.Module', [
  'deviceId',
  'moduleId',
  'managedBy',
  'authentication',
]);

const common = { throttle: { kind: 'registry' }, errorForm: 'coded' } as const;

export const listModules: Operation = {
  ...common,
  name: 'listModules',
  method: 'GET',
  path: '/devices/:deviceId/modules',
  right: 'RegistryRead',
  handle: (hub, request) => {
    const device = demandModuleOwner(hub, param(request, 'deviceId'));
    return { status: 200, body: hub.store.modulesOf(device.deviceId).map(moduleDocument) };
  },
};

export const getModule: Operation = {
  ...common,
  name: 'getModule',
  method: 'GET',
  path: '/devices/:deviceId/modules/:moduleId',
  right: 'RegistryRead',
  handle: (hub, request) => {
    const row = demandModule(hub, request);
    if (!hub.consistency.isReadable(row)) throw moduleNotFound(row.deviceId, row.moduleId);
    return moduleReply(row);
  },
};

export const putModule: Operation = {
  ...common,
  name: 'putModule',
  method: 'PUT',
  path: '/devices/:deviceId/modules/:moduleId',
  right: 'RegistryWrite',
  handle: (hub, request) => {
    const device = demandModuleOwner(hub, param(request, 'deviceId'));
    const input = readBody(() => readModuleBody(request, device.deviceId));
    const ifMatch = parseIfMatch(request.headers['if-match']);
    const context = registryContext(hub);
    if (ifMatch.kind === 'none') {
      return moduleReply(hub.store.transaction(() => createModule(context, device, input, {})));
    }
    const row = demandModule(hub, request);
    demandMatch(ifMatch, identityEtag(row));
    return moduleReply(replaceModule(context, row, input));
  },
};

export const deleteModule: Operation = {
  ...common,
  name: 'deleteModule',
  method: 'DELETE',
  path: '/devices/:deviceId/modules/:moduleId',
  right: 'RegistryWrite',
  handle: (hub, request) => {
    const ifMatch = parseIfMatch(request.headers['if-match']);
    if (ifMatch.kind === 'none') throw new HubError('PreconditionFailed', 'Etag missing.');
    const row = demandModule(hub, request);
    demandMatch(ifMatch, identityEtag(row));
    removeModule(registryContext(hub), row);
    return { status: 204 };
  },
};

/** Under SAS, module identities of a missing or disabled device answer 401 rather than 404, as on the live hub. */
function demandModuleOwner(hub: Hub, deviceId: string): IdentityRow {
  demandId('deviceId', deviceId);
  const device = hub.store.find(deviceId);
  if (device === undefined || device.status === 'disabled') {
    throw new HubError('IotHubUnauthorizedAccess', 'Unauthorized');
  }
  return device;
}

function demandModule(hub: Hub, request: OperationRequest): IdentityRow {
  const device = demandModuleOwner(hub, param(request, 'deviceId'));
  const moduleId = param(request, 'moduleId');
  demandId('moduleId', moduleId);
  const row = hub.store.find(device.deviceId, moduleId);
  if (row === undefined) throw moduleNotFound(device.deviceId, moduleId);
  return row;
}

function moduleNotFound(deviceId: string, moduleId: string): HubError {
  return new HubError('ModuleNotFound', `Module '${moduleId}' of device '${deviceId}' is not registered.`);
}

function readModuleBody(request: OperationRequest, deviceId: string): ModuleInput {
  const moduleId = param(request, 'moduleId');
  const members = readModule(request.body, '');
  if (members === undefined) throw new HubError('ArgumentNull', 'The request has no body.');
  if (readString(members.deviceId, 'deviceId') !== deviceId || readString(members.moduleId, 'moduleId') !== moduleId) {
    throw new HubError('ArgumentInvalid', 'deviceId and moduleId of the body are not those of the path.');
  }
  return {
    deviceId,
    moduleId,
    managedBy: readString(members.managedBy, 'managedBy') ?? null,
    authentication: readAuthentication(members.authentication, 'authentication'),
  };
}

function moduleReply(row: IdentityRow): Reply {
  return { status: 200, headers: { ETag: quoted(identityEtag(row)) }, body: moduleDocument(row) };
}
