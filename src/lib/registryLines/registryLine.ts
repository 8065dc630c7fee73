import { withoutHubKeys } from '../devicesFile/lineText.ts';
import type { Device, Module, RegistryClient, Twin, WrittenTwin } from '../registry/index.ts';
import { objectText } from '../textFile/jsonMembers.ts';

/** A line of an export. Holds keys. */
export interface RegistryLine {
  readonly id: string;
  readonly moduleId?: string;
  readonly [key: string]: unknown;
}

/** The lines of an export, parsed; it may begin with a line of plain text. */
export async function* parseRegistryLines(lines: AsyncIterable<string>): AsyncGenerator<RegistryLine> {
  for await (const text of lines) {
    if (text.startsWith('{')) yield JSON.parse(text) as RegistryLine;
  }
}

/** It exists, but the hub does not show it one by one. */
export const UNREADABLE = 'unreadable';

/**
 * One identity as an export job would write it (ExportImportDevice), with keys; undefined when it does not exist.
 *
 * @throws HubError
 */
export async function readRegistryLine(
  hub: RegistryClient,
  entry: { readonly id: string; readonly moduleId?: string },
): Promise<RegistryLine | undefined | typeof UNREADABLE> {
  const found = await readIdentity(hub, entry);
  return found === undefined || found === UNREADABLE ? found : found.line;
}

/** The same as text, with tags and desired properties as the hub wrote them. */
export async function readRegistryText(
  hub: RegistryClient,
  entry: { readonly id: string; readonly moduleId?: string },
): Promise<string | undefined | typeof UNREADABLE> {
  const found = await readIdentity(hub, entry);
  if (found === undefined || found === UNREADABLE) return found;
  const { line, twin } = found;
  const members = new Map<string, string>();
  for (const [key, value] of Object.entries(line)) if (value !== undefined) members.set(key, JSON.stringify(value));
  // A client that does not tell has read it all the same.
  const { tags, desired } = twin?.written ?? {};
  if (tags !== undefined) members.set('tags', tags);
  if (desired !== undefined && twin !== undefined) {
    const reported = JSON.stringify(withoutMetadata(twin.properties.reported));
    members.set(
      'properties',
      objectText([
        ['desired', withoutHubKeys(desired)],
        ['reported', reported],
      ]),
    );
  }
  return objectText(members);
}

interface FoundIdentity {
  readonly line: RegistryLine;
  readonly twin: WrittenTwin | undefined;
}

async function readIdentity(
  hub: RegistryClient,
  entry: { readonly id: string; readonly moduleId?: string },
): Promise<FoundIdentity | undefined | typeof UNREADABLE> {
  const { id: deviceId, moduleId } = entry;
  if (moduleId !== undefined) {
    // To a SAS token a hub answers 401 for modules of a device that is missing or disabled (seen on a live hub).
    const device = await hub.getDevice(deviceId);
    if (device === undefined) return undefined;
    if (device.status === 'disabled') return UNREADABLE;
    const [module, twin] = await Promise.all([hub.getModule(deviceId, moduleId), hub.getTwin({ deviceId, moduleId })]);
    return module === undefined ? undefined : { line: moduleLine(module, twin), twin };
  }
  const [device, twin] = await Promise.all([hub.getDevice(deviceId), hub.getTwin({ deviceId })]);
  return device === undefined ? undefined : { line: deviceLine(device, twin), twin };
}

/** A device as an export job would write it, with keys. */
export function deviceLine(device: Device, twin: Twin | undefined): RegistryLine {
  const { deviceId, etag, status, statusReason, authentication, capabilities, deviceScope, parentScopes } = device;
  return {
    id: deviceId,
    eTag: etag,
    status,
    statusReason,
    authentication,
    ...twinFields(twin),
    capabilities,
    deviceScope,
    parentScopes,
  };
}

function moduleLine(module: Module, twin: Twin | undefined): RegistryLine {
  const { deviceId, moduleId, etag, authentication, managedBy } = module;
  // managedBy is no part of the format; an undo sets it by another call.
  return { id: deviceId, moduleId, eTag: etag, status: 'enabled', authentication, ...twinFields(twin), managedBy };
}

function twinFields(twin: Twin | undefined): object {
  if (twin === undefined) return {};
  const { desired, reported } = twin.properties;
  return {
    twinETag: twin.etag,
    tags: twin.tags,
    properties: { desired: withoutMetadata(desired), reported: withoutMetadata(reported) },
  };
}

function withoutMetadata(section: Readonly<Record<string, unknown>>): object {
  const { $metadata: _metadata, $version: _version, ...rest } = section;
  return rest;
}
