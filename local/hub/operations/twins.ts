import { demandMatch, parseIfMatch, quoted } from '../http/etag.ts';
import { HubError } from '../http/hubError.ts';
import type { Hub } from '../hub.ts';
import { demandId } from '../identity/ids.ts';
import { type IdentityRow, twinEtag } from '../registry/identityRow.ts';
import { patchTwinParts, replaceTwinParts, type TwinParts } from '../twin/twinColumns.ts';
import { demandNoNulls } from '../twin/twinLimits.ts';
import { twinDocument } from '../wire/identityDocuments.ts';
import { createMemberReader, readObject } from '../wire/jsonNet.ts';
import { readBody } from './context.ts';
import { type Operation, type OperationRequest, param, type Reply } from './operation.ts';

const readTwin = createMemberReader('Microsoft.Azure.Devices.Shared.Twin', ['tags', 'properties']);
const readProperties = createMemberReader('Microsoft.Azure.Devices.Shared.TwinProperties', ['desired']);

/** Reported properties belong to the device: a service that sends them along is not refused, and nothing is changed. */
function readTwinBody(body: unknown): TwinParts {
  const members = readTwin(body, '');
  if (members === undefined) throw new HubError('ArgumentNull', 'The request has no body.');
  const tags = readObject(members.tags, 'tags');
  const desired = readObject(readProperties(members.properties, 'properties')?.desired, 'properties.desired');
  return { ...(tags && { tags }), ...(desired && { desired }) };
}

function getTwin(hub: Hub, request: OperationRequest): Reply {
  const row = demandTwin(hub, request);
  if (!hub.consistency.isReadable(row)) throw twinNotFound();
  return twinReply(row);
}

function patchTwin(hub: Hub, request: OperationRequest): Reply {
  const row = demandTwin(hub, request);
  demandMatch(parseIfMatch(request.headers['if-match']), twinEtag(row));
  const patch = readBody(() => readTwinBody(request.body));
  const patched = { ...row, ...patchTwinParts(row, patch, hub.now()) };
  hub.store.update(row, patched, { kind: 'twinPatched', patch });
  return twinReply(patched);
}

/** PUT replaces tags and desired properties: what the body lacks is empty afterwards. */
function putTwin(hub: Hub, request: OperationRequest): Reply {
  const row = demandTwin(hub, request);
  demandMatch(parseIfMatch(request.headers['if-match']), twinEtag(row));
  const parts = { tags: {}, desired: {}, ...readBody(() => readTwinBody(request.body)) };
  demandNoNulls(parts.tags, 'tags');
  demandNoNulls(parts.desired, 'properties.desired');
  const replaced = { ...row, ...replaceTwinParts(row, parts, hub.now()) };
  hub.store.update(row, replaced, { kind: 'twinReplaced' });
  return twinReply(replaced);
}

/** A missing module twin answers DeviceNotFound too, as on the live hub. */
function demandTwin(hub: Hub, request: OperationRequest): IdentityRow {
  const deviceId = param(request, 'deviceId');
  const moduleId = request.params.moduleId ?? '';
  demandId('deviceId', deviceId);
  if (moduleId !== '') demandId('moduleId', moduleId);
  const row = hub.store.find(deviceId, moduleId);
  if (row === undefined) throw twinNotFound();
  return row;
}

function twinNotFound(): HubError {
  return new HubError('DeviceNotFound', 'No twin is registered under this id.');
}

function twinReply(row: IdentityRow): Reply {
  return { status: 200, headers: { ETag: quoted(twinEtag(row)) }, body: twinDocument(row) };
}

const read = { right: 'ServiceConnect', throttle: { kind: 'twinReads' } } as const;
const write = { right: 'ServiceConnect', throttle: { kind: 'twinUpdates' }, readsTwins: true } as const;
const device = '/twins/:deviceId';
const module = '/twins/:deviceId/modules/:moduleId';

export const twinOperations: readonly Operation[] = [
  { ...read, name: 'getTwin', method: 'GET', path: device, handle: getTwin },
  { ...write, name: 'patchTwin', method: 'PATCH', path: device, handle: patchTwin },
  { ...write, name: 'putTwin', method: 'PUT', path: device, handle: putTwin },
  { ...read, name: 'getModuleTwin', method: 'GET', path: module, handle: getTwin },
  { ...write, name: 'patchModuleTwin', method: 'PATCH', path: module, handle: patchTwin },
  { ...write, name: 'putModuleTwin', method: 'PUT', path: module, handle: putTwin },
];
