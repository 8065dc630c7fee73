import type { Device, Module, RegistryClient, Twin } from '../registry/index.ts';

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
  const { id: deviceId, moduleId } = entry;
  if (moduleId !== undefined) {
    // To a SAS token a hub answers 401 for modules of a device that is missing or disabled (seen on a live hub).
    const device = await hub.getDevice(deviceId);
    if (device === undefined) return undefined;
    if (device.status === 'disabled') return UNREADABLE;
    const [module, twin] = await Promise.all([hub.getModule(deviceId, moduleId), hub.getTwin({ deviceId, moduleId })]);
    return module === undefined ? undefined : moduleLine(module, twin);
  }
  const [device, twin] = await Promise.all([hub.getDevice(deviceId), hub.getTwin({ deviceId })]);
  return device === undefined ? undefined : deviceLine(device, twin);
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
