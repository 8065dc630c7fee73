import type { AuthenticationInput } from '../identity/authentication.ts';
import { type IdentityRow, identityEtag, twinEtag } from '../registry/identityRow.ts';
import type { TwinParts } from '../twin/twinColumns.ts';
import { authenticationDocument, readAuthentication } from './authenticationWire.ts';
import {
  ConversionError,
  createMemberReader,
  readBoolean,
  readEnum,
  readObject,
  readString,
  readStrings,
} from './jsonNet.ts';

/** In the order of the C# enum `ImportMode`. */
export const IMPORT_MODES = [
  'create',
  'update',
  'updateIfMatchETag',
  'delete',
  'deleteIfMatchETag',
  'updateTwin',
  'updateTwinIfMatchETag',
  'createOrUpdate',
  'createOrUpdateIfMatchETag',
] as const;
export type ImportMode = (typeof IMPORT_MODES)[number];

/** One ExportImportDevice: a line of devices.txt, or an element of a bulk request. */
export interface RegistryLine {
  readonly deviceId: string;
  /** '' for a device. */
  readonly moduleId: string;
  readonly importMode: ImportMode;
  readonly eTag: string | undefined;
  readonly twinETag: string | undefined;
  readonly status: 'enabled' | 'disabled';
  readonly statusReason: string | null;
  readonly authentication: AuthenticationInput | undefined;
  readonly twin: TwinParts;
  readonly iotEdge: boolean;
  readonly deviceScope: string | undefined;
  readonly parentScopes: readonly string[];
}

const readLineMembers = createMemberReader('Microsoft.Azure.Devices.ExportImportDevice', [
  'id',
  'moduleId',
  'eTag',
  'importMode',
  'status',
  'statusReason',
  'authentication',
  'twinETag',
  'tags',
  'properties',
  'capabilities',
  'deviceScope',
  'parentScopes',
]);
const readProperties = createMemberReader('Microsoft.Azure.Devices.PropertyContainer', ['desired', 'reported']);
const readCapabilities = createMemberReader('Microsoft.Azure.Devices.DeviceCapabilities', ['iotEdge']);

/**
 * Reads one ExportImportDevice. In a job `id` and `status` are required in every mode, deletes and twin updates too; a
 * bulk call deletes by id alone. Throws ConversionError.
 */
export function readRegistryLine(value: unknown, origin: 'job' | 'bulk' = 'job'): RegistryLine {
  const members = readLineMembers(value, '');
  if (members === undefined) throw new ConversionError('The line holds no JSON object.', '', value);
  const deviceId = readString(members.id, 'id');
  if (deviceId === undefined) throw missing('id');
  const status = readEnum(members.status, ['enabled', 'disabled'], 'Microsoft.Azure.Devices.DeviceStatus', 'status');
  const importMode =
    readEnum(members.importMode, IMPORT_MODES, 'Microsoft.Azure.Devices.ImportMode', 'importMode') ?? 'createOrUpdate';
  const deletesById = origin === 'bulk' && (importMode === 'delete' || importMode === 'deleteIfMatchETag');
  if (status === undefined && !deletesById) throw missing('status');
  const properties = readProperties(members.properties, 'properties');
  const tags = readObject(members.tags, 'tags');
  const desired = readObject(properties?.desired, 'properties.desired');
  const reported = readObject(properties?.reported, 'properties.reported');
  const capabilities = readCapabilities(members.capabilities, 'capabilities');
  return {
    deviceId,
    moduleId: readString(members.moduleId, 'moduleId') ?? '',
    importMode,
    eTag: readString(members.eTag, 'eTag'),
    twinETag: readString(members.twinETag, 'twinETag'),
    status: status ?? 'enabled',
    statusReason: readString(members.statusReason, 'statusReason') ?? null,
    authentication: readAuthentication(members.authentication, 'authentication'),
    twin: { ...(tags && { tags }), ...(desired && { desired }), ...(reported && { reported }) },
    iotEdge: readBoolean(capabilities?.iotEdge, 'capabilities.iotEdge') ?? false,
    deviceScope: readString(members.deviceScope, 'deviceScope'),
    parentScopes: readStrings(members.parentScopes, 'parentScopes') ?? [],
  };
}

function missing(name: string): ConversionError {
  return new ConversionError(`Required property '${name}' not found in JSON.`, '');
}

/** One identity as an export job writes it, without the line end. Keys are in the hub's order. */
export function exportLine(row: IdentityRow, excludeKeys: boolean): string {
  const text = JSON.stringify;
  const isModule = row.moduleId !== '';
  const authentication = excludeKeys ? null : authenticationDocument(row);
  return [
    `{"id":${text(row.deviceId)}`,
    isModule ? `"moduleId":${text(row.moduleId)}` : '',
    `"eTag":"${identityEtag(row)}"`,
    `"status":"${row.status}"`,
    isModule ? '' : `"statusReason":${text(row.statusReason ?? '')}`,
    `"authentication":${text(authentication)}`,
    `"twinETag":"${twinEtag(row)}"`,
    `"tags":${row.tags}`,
    `"properties":{"desired":${row.desired},"reported":${row.reported}}`,
    `"capabilities":{"iotEdge":${row.iotEdge === 1}}`,
    row.deviceScope === null ? '' : `"deviceScope":${text(row.deviceScope)}`,
    row.parentScopes === null ? '' : `"parentScopes":${row.parentScopes}`,
  ]
    .filter((part) => part !== '')
    .join(',')
    .concat('}');
}
