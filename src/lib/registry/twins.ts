/** Device and module twins: tags, desired and reported properties. */

import { defined } from '../defined.ts';
import { isObjectText, memberMap } from '../textFile/jsonMembers.ts';
import { bareEtag, etagIn, ifMatchFor } from './etag.ts';
import { moduleName } from './identities.ts';
import { asInstant, asNumber, asObject, asStrings, asText, type JsonObject } from './reader.ts';
import { getRequest, readIfThere, readReply, type WriteOptions, writeRequest } from './requests.ts';
import type { CallOptions, HubReply, HubRequest, Transport } from './transport.ts';

/** Which twin: of a device, or of one of its modules. */
export interface TwinId {
  readonly deviceId: string;
  readonly moduleId?: string;
}

export interface Twin extends TwinId {
  /** Of tags and desired properties; `deviceEtag` is the identity's. */
  readonly etag: string;
  readonly deviceEtag?: string;
  readonly version?: number;
  readonly tags: JsonObject;
  /** With `$metadata` and `$version` as the hub gives them. */
  readonly properties: { readonly desired: JsonObject; readonly reported: JsonObject };
  readonly status?: string;
  readonly statusReason?: string;
  readonly statusUpdateTime?: string;
  readonly connectionState?: string;
  readonly lastActivityTime?: string;
  readonly authenticationType?: string;
  readonly capabilities?: JsonObject;
  readonly deviceScope?: string;
  readonly parentScopes?: readonly string[];
  readonly modelId?: string;
}

/** A twin, and its sections as the hub wrote them: JSON.parse changes numbers (`1.0`) and the order of keys. */
export interface WrittenTwin extends Twin {
  readonly written: { readonly tags?: string; readonly desired?: string };
}

/** What can be written of a twin. In a patch, null removes. */
export interface TwinUpdate extends TwinId {
  /** Compared with by `onlyIfUnchanged`. */
  readonly etag?: string;
  readonly tags?: JsonObject;
  readonly desired?: JsonObject;
}

export interface TwinOperations {
  /** The twin, or undefined when its device or module does not exist. */
  getTwin(id: TwinId, options?: CallOptions): Promise<WrittenTwin | undefined>;
  /** Merges into tags and desired properties; null removes a key. */
  updateTwin(update: TwinUpdate, options?: WriteOptions): Promise<Twin>;
  /**
   * The same with a patch that is JSON already (`{"tags":…,"properties":{"desired":…}}`), which is sent as it is written.
   * Safe to repeat.
   */
  patchTwin(id: TwinId, patch: string, options?: CallOptions): Promise<Twin>;
  /** Replaces tags and desired properties: what is not given is removed. */
  replaceTwin(update: TwinUpdate, options?: WriteOptions): Promise<Twin>;
}

export function createTwinOperations(transport: Transport): TwinOperations {
  const write = (request: HubRequest): Promise<Twin> => readReply(transport, request, parseTwin, 'twin');
  const writeUpdate = async (
    verb: string,
    method: 'PATCH' | 'PUT',
    update: TwinUpdate,
    options: WriteOptions,
  ): Promise<Twin> => {
    const ifMatch = ifMatchFor(`The twin of ${twinName(update)}`, update.etag, options);
    const body = method === 'PUT' ? fullBody(update) : patchBody(update);
    const how = { method, path: twinPath(update), body, ifMatch, options };
    return write(writeRequest(`${verb} the twin of ${twinName(update)}`, how));
  };
  return {
    async getTwin(id, options = {}) {
      const request = getRequest(`read the twin of ${twinName(id)}`, twinPath(id), options);
      // A missing module is reported as a missing device here.
      return readIfThere(transport, request, parseWrittenTwin, 'twin', ['DeviceNotFound', 'ModuleNotFound']);
    },
    async patchTwin(id, patch, options = {}) {
      return write({
        operation: `update the twin of ${twinName(id)}`,
        method: 'PATCH',
        path: twinPath(id),
        bodyText: () => patch,
        writes: true,
        retry: 'always',
        options,
      });
    },
    updateTwin: (update, options = {}) => writeUpdate('update', 'PATCH', update, options),
    replaceTwin: (update, options = {}) => writeUpdate('replace', 'PUT', update, options),
  };
}

function parseWrittenTwin(body: unknown, { bodyText }: HubReply): WrittenTwin | undefined {
  const twin = parseTwin(body);
  return twin && { ...twin, written: writtenSections(bodyText) };
}

function writtenSections(text: string): WrittenTwin['written'] {
  const members = memberMap(text);
  const properties = members.get('properties');
  const desired =
    properties !== undefined && isObjectText(properties) ? memberMap(properties).get('desired') : undefined;
  return defined({ tags: members.get('tags'), desired });
}

/** Reads a twin, as single reads and `SELECT * FROM devices` give it; undefined if it is none. */
export function parseTwin(value: unknown): Twin | undefined {
  const body = asObject(value);
  const deviceId = asText(body?.deviceId);
  if (body === undefined || deviceId === undefined) return undefined;
  const properties = asObject(body.properties);
  return {
    deviceId,
    etag: etagIn(body),
    tags: asObject(body.tags) ?? {},
    properties: { desired: asObject(properties?.desired) ?? {}, reported: asObject(properties?.reported) ?? {} },
    ...defined({
      moduleId: asText(body.moduleId),
      deviceEtag: asText(body.deviceEtag) && bareEtag(String(body.deviceEtag)),
      version: asNumber(body.version),
      status: asText(body.status),
      statusReason: asText(body.statusReason),
      statusUpdateTime: asInstant(body.statusUpdateTime ?? body.statusUpdatedTime),
      connectionState: asText(body.connectionState),
      lastActivityTime: asInstant(body.lastActivityTime),
      authenticationType: asText(body.authenticationType),
      capabilities: asObject(body.capabilities),
      deviceScope: asText(body.deviceScope),
      parentScopes: asStrings(body.parentScopes),
      modelId: asText(body.modelId),
    }),
  };
}

function patchBody({ tags, desired }: TwinUpdate) {
  return defined({ tags, properties: desired && { desired } });
}

/** What is not given is removed. */
function fullBody({ deviceId, moduleId, tags = {}, desired = {} }: TwinUpdate) {
  return { deviceId, ...defined({ moduleId }), tags, properties: { desired } };
}

function twinPath(id: TwinId): readonly string[] {
  return id.moduleId === undefined ? ['twins', id.deviceId] : ['twins', id.deviceId, 'modules', id.moduleId];
}

function twinName(id: TwinId): string {
  return id.moduleId === undefined ? `"${id.deviceId}"` : moduleName({ deviceId: id.deviceId, moduleId: id.moduleId });
}
