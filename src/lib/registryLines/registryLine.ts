import { defined } from '../defined.ts';
import { withoutHubKeys } from '../devicesFile/lineText.ts';
import type { Device, Module, RegistryClient, Twin, WrittenTwin } from '../registry/index.ts';
import { objectText } from '../textFile/jsonMembers.ts';

/** A line of an export. Holds keys. */
export interface RegistryLine {
  readonly id: string;
  readonly moduleId?: string;
  readonly [key: string]: unknown;
}

/** The hub does not show it one by one, or not to everybody: an export tells of it. */
export const UNREADABLE = 'unreadable';

/** One identity as an export job would write it (ExportImportDevice), with keys. */
export interface FoundIdentity {
  readonly line: RegistryLine;
  /** The same as text, with tags and desired properties as the hub wrote them. */
  readonly text: string;
}

/**
 * Reads one identity; undefined when it does not exist.
 *
 * @param options `twins` false: without its twin, which saves a call
 * @throws HubError
 */
export async function readIdentity(
  hub: RegistryClient,
  { id: deviceId, moduleId }: { readonly id: string; readonly moduleId?: string },
  { twins = true }: { readonly twins?: boolean } = {},
): Promise<FoundIdentity | undefined | typeof UNREADABLE> {
  // Both are names that a hub takes, and URLs resolve them.
  if ([deviceId, moduleId].some((name) => name === '.' || name === '..')) return UNREADABLE;
  if (moduleId !== undefined) {
    // To a SAS token a hub answers 401 for modules of a device that is missing or disabled (seen on a live hub).
    const device = await hub.getDevice(deviceId);
    if (device === undefined) return undefined;
    if (device.status === 'disabled') return UNREADABLE;
  }
  const [found, twin] = await Promise.all([
    moduleId === undefined ? hub.getDevice(deviceId) : hub.getModule(deviceId, moduleId),
    twins ? hub.getTwin({ deviceId, ...defined({ moduleId }) }) : undefined,
  ]);
  if (found === undefined) return undefined;
  const line = 'moduleId' in found ? moduleLine(found, twin) : deviceLine(found, twin);
  return { line, text: textOf(line, twin) };
}

function textOf(line: RegistryLine, twin: WrittenTwin | undefined): string {
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

function deviceLine(device: Device, twin: Twin | undefined): RegistryLine {
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
