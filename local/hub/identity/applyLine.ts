import { unquote } from '../http/etag.ts';
import { HubError } from '../http/hubError.ts';
import { type IdentityRow, identityEtag, twinEtag } from '../registry/identityRow.ts';
import { patchTwinParts, replaceTwinParts, type TwinParts } from '../twin/twinColumns.ts';
import type { RegistryLine } from '../wire/registryLine.ts';
import {
  createDevice,
  createModule,
  type RegistryContext,
  removeDevice,
  removeModule,
  replaceDevice,
  replaceModule,
  type TwinWrite,
} from './identityRules.ts';
import { demandId, isSystemModule } from './ids.ts';

export interface LineOptions {
  /** Whether `properties.reported` of a line is taken; unknown of live hubs. */
  readonly importReported: boolean;
  /**
   * What becomes of a section (tags, desired) that a line gives and an existing twin has; unknown of live hubs. One that a
   * line leaves out stays either way.
   */
  readonly importTwin: 'replace' | 'merge';
}

/**
 * Applies one line of an import job, or one element of a bulk request, by its mode
 * (https://learn.microsoft.com/azure/iot-hub/iot-hub-bulk-identity-mgmt#import-behavior). Throws HubError.
 */
export function applyLine(context: RegistryContext, line: RegistryLine, options: LineOptions): void {
  demandId('deviceId', line.deviceId);
  if (line.moduleId !== '') {
    demandId('moduleId', line.moduleId);
    // Exports contain the system modules of edge devices, imports refuse them (Azure/azure-iot-sdk-csharp#1146).
    if (isSystemModule(line.moduleId)) {
      throw new HubError('ArgumentInvalid', `The module '${line.moduleId}' belongs to the hub and cannot be imported.`);
    }
  }
  const row = context.store.find(line.deviceId, line.moduleId);
  switch (line.importMode) {
    case 'create':
      create(context, line, options);
      break;
    case 'createOrUpdate':
      if (row) update(context, row, line, options);
      else create(context, line, options);
      break;
    case 'createOrUpdateIfMatchETag':
      if (row) updateIfMatch(context, row, line, options);
      else create(context, line, options);
      break;
    case 'update':
      update(context, demandRow(row, line), line, options);
      break;
    case 'updateIfMatchETag':
      updateIfMatch(context, demandRow(row, line), line, options);
      break;
    case 'updateTwin':
      updateTwin(context, demandRow(row, line), line, options);
      break;
    case 'updateTwinIfMatchETag':
      demandEtag('twinETag', line.twinETag, twinEtag(demandRow(row, line)));
      updateTwin(context, demandRow(row, line), line, options);
      break;
    case 'delete':
      remove(context, demandRow(row, line));
      break;
    case 'deleteIfMatchETag':
      demandEtag('eTag', line.eTag, identityEtag(demandRow(row, line)));
      remove(context, demandRow(row, line));
      break;
    default: {
      const never: never = line.importMode;
      throw new Error(`Unknown import mode ${String(never)}`);
    }
  }
}

function create(context: RegistryContext, line: RegistryLine, options: LineOptions): void {
  const twin = twinParts(line, options);
  if (line.moduleId === '') {
    createDevice(context, line, twin);
    return;
  }
  const device = context.store.find(line.deviceId);
  if (device === undefined) throw deviceNotFound(line.deviceId);
  createModule(context, device, { ...line, moduleId: line.moduleId, managedBy: null }, twin);
}

/** The identity is replaced as a whole; of the twin only the parts that the line has. */
function update(context: RegistryContext, row: IdentityRow, line: RegistryLine, options: LineOptions): void {
  const twin = twinParts(line, options);
  replaceIdentity(context, row, line, hasParts(twin) ? writeTwinParts(context, row, twin, options) : undefined);
}

/** The etags of identity and twin are judged one by one: what matches is applied, a mismatch is an error all the same. */
function updateIfMatch(context: RegistryContext, row: IdentityRow, line: RegistryLine, options: LineOptions): void {
  const identityMatches = matches(line.eTag, identityEtag(row));
  const twin = twinParts(line, options);
  const twinMatches = !hasParts(twin) || line.twinETag === undefined || matches(line.twinETag, twinEtag(row));
  const write = hasParts(twin) && twinMatches ? writeTwinParts(context, row, twin, options) : undefined;
  if (identityMatches) replaceIdentity(context, row, line, write);
  else if (write) context.store.update(row, { ...row, ...write.columns }, write.how);
  if (!identityMatches) throw etagMismatch('eTag');
  if (!twinMatches) throw etagMismatch('twinETag');
}

function replaceIdentity(
  context: RegistryContext,
  row: IdentityRow,
  line: RegistryLine,
  twin: TwinWrite | undefined,
): void {
  if (row.moduleId === '') replaceDevice(context, row, line, twin);
  else replaceModule(context, row, { ...line, moduleId: row.moduleId, managedBy: row.managedBy }, twin);
}

function updateTwin(context: RegistryContext, row: IdentityRow, line: RegistryLine, options: LineOptions): void {
  const { columns, how } = writeTwinParts(context, row, twinParts(line, options), options);
  context.store.update(row, { ...row, ...columns }, how);
}

function writeTwinParts(
  { nowMs }: RegistryContext,
  row: IdentityRow,
  parts: TwinParts,
  { importTwin }: LineOptions,
): TwinWrite {
  const replaced = { kind: 'twinReplaced' } as const;
  if (importTwin === 'replace') return { columns: replaceTwinParts(row, parts, nowMs), how: replaced };
  const { reported, ...patch } = parts;
  const merged = patchTwinParts(row, patch, nowMs);
  if (reported === undefined) return { columns: merged, how: { kind: 'twinPatched', patch } };
  const withReported = replaceTwinParts({ ...row, ...merged }, { reported }, nowMs);
  return { columns: { ...withReported, twinEtag: merged.twinEtag }, how: replaced };
}

function remove(context: RegistryContext, row: IdentityRow): void {
  if (row.moduleId === '') removeDevice(context, row);
  else removeModule(context, row);
}

function twinParts(line: RegistryLine, options: LineOptions): TwinParts {
  if (options.importReported || line.twin.reported === undefined) return line.twin;
  const { reported, ...parts } = line.twin;
  return parts;
}

function hasParts(twin: TwinParts): boolean {
  return twin.tags !== undefined || twin.desired !== undefined || twin.reported !== undefined;
}

function demandRow(row: IdentityRow | undefined, line: RegistryLine): IdentityRow {
  if (row !== undefined) return row;
  if (line.moduleId === '') throw deviceNotFound(line.deviceId);
  throw new HubError('ModuleNotFound', `Module '${line.moduleId}' of device '${line.deviceId}' is not registered.`);
}

function deviceNotFound(deviceId: string): HubError {
  return new HubError('DeviceNotFound', `Device '${deviceId}' is not registered.`);
}

function matches(given: string | undefined, current: string): boolean {
  if (given === undefined) return false;
  const bare = unquote(given);
  return bare === '*' || bare === current;
}

function demandEtag(name: 'eTag' | 'twinETag', given: string | undefined, current: string): void {
  if (!matches(given, current)) throw etagMismatch(name);
}

function etagMismatch(name: 'eTag' | 'twinETag'): HubError {
  return new HubError('PreconditionFailed', `PreconditionFailed, ${name} may be invalid.`);
}
