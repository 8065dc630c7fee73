import { type IdentityRow, identityEtag, twinEtag } from '../registry/identityRow.ts';
import { UNSET_TIME } from '../times.ts';
import { desiredMetadata, reportedMetadata } from '../twin/twinColumns.ts';
import { authenticationDocument } from './authenticationWire.ts';

/** A device as `GET /devices/{id}` shows it. Scopes are omitted when null. */
export function deviceDocument(row: IdentityRow) {
  return {
    deviceId: row.deviceId,
    generationId: row.generationId,
    etag: identityEtag(row),
    connectionState: 'Disconnected',
    status: row.status,
    statusReason: row.statusReason,
    connectionStateUpdatedTime: UNSET_TIME,
    statusUpdatedTime: row.statusUpdatedTime,
    lastActivityTime: UNSET_TIME,
    cloudToDeviceMessageCount: 0,
    authentication: authenticationDocument(row),
    capabilities: { iotEdge: row.iotEdge === 1 },
    ...scopes(row),
  };
}

/** A module as `GET /devices/{id}/modules/{mid}` shows it: no status, no scope. */
export function moduleDocument(row: IdentityRow) {
  return {
    moduleId: row.moduleId,
    managedBy: row.managedBy,
    deviceId: row.deviceId,
    generationId: row.generationId,
    etag: identityEtag(row),
    connectionState: 'Disconnected',
    connectionStateUpdatedTime: UNSET_TIME,
    lastActivityTime: UNSET_TIME,
    cloudToDeviceMessageCount: 0,
    authentication: authenticationDocument(row),
  };
}

/** A twin as GET and queries show it. */
export function twinDocument(row: IdentityRow) {
  const isModule = row.moduleId !== '';
  return {
    deviceId: row.deviceId,
    ...(isModule && { moduleId: row.moduleId }),
    etag: twinEtag(row),
    deviceEtag: identityEtag(row),
    version: row.twinVersion,
    status: row.status,
    statusReason: row.statusReason,
    statusUpdateTime: row.statusUpdatedTime,
    connectionState: 'Disconnected',
    lastActivityTime: UNSET_TIME,
    cloudToDeviceMessageCount: 0,
    authenticationType: row.authenticationType,
    x509Thumbprint: { primaryThumbprint: row.primaryThumbprint, secondaryThumbprint: row.secondaryThumbprint },
    modelId: '',
    ...(!isModule && { capabilities: { iotEdge: row.iotEdge === 1 }, ...scopes(row) }),
    ...(row.configurations !== null && { configurations: JSON.parse(row.configurations) }),
    tags: JSON.parse(row.tags),
    properties: {
      desired: { ...JSON.parse(row.desired), $metadata: desiredMetadata(row), $version: row.desiredVersion },
      reported: { ...JSON.parse(row.reported), $metadata: reportedMetadata(row), $version: row.reportedVersion },
    },
  };
}

function scopes(row: IdentityRow) {
  return {
    ...(row.deviceScope !== null && { deviceScope: row.deviceScope }),
    ...(row.parentScopes !== null && { parentScopes: JSON.parse(row.parentScopes) as string[] }),
  };
}
