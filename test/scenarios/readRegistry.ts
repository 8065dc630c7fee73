import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** One device or module with its twin, as the simulator's registry holds it. */
export interface RegistryIdentity {
  readonly deviceId: string;
  /** '' for a device. */
  readonly moduleId: string;
  /** As the wire shows it. */
  readonly eTag: string;
  readonly generationId: string;
  readonly status: string;
  readonly statusReason: string;
  readonly authentication: RegistryAuthentication;
  readonly iotEdge: boolean;
  readonly tags: object;
  readonly desired: object;
}

export interface RegistryAuthentication {
  readonly type: string;
  readonly primaryKey: string | null;
  readonly secondaryKey: string | null;
  readonly primaryThumbprint: string | null;
  readonly secondaryThumbprint: string | null;
}

/** By `identityKey`. */
export type RegistrySnapshot = ReadonlyMap<string, RegistryIdentity>;

export function identityKey(deviceId: string, moduleId = ''): string {
  return moduleId === '' ? deviceId : `${deviceId} / ${moduleId}`;
}

/**
 * The registry of the simulator of a stack, read from its database: at once and whole, without faults, throttles or lags,
 * and without a line of code of the app or the simulator.
 */
export function readRegistry(stackData: string): RegistrySnapshot {
  const database = new DatabaseSync(join(stackData, 'hub', 'registry.sqlite'), { readOnly: true });
  try {
    const rows = database.prepare('SELECT * FROM identities').all() as Record<string, string | number | null>[];
    return new Map(
      rows.map((row) => {
        const identity = identityOfRow(row);
        return [identityKey(identity.deviceId, identity.moduleId), identity];
      }),
    );
  } finally {
    database.close();
  }
}

function identityOfRow(row: Record<string, string | number | null>): RegistryIdentity {
  const text = (name: string) => (row[name] === null || row[name] === undefined ? null : String(row[name]));
  return {
    deviceId: text('deviceId') ?? '',
    moduleId: text('moduleId') ?? '',
    eTag: Buffer.from(text('etag') ?? '', 'latin1').toString('base64'),
    generationId: text('generationId') ?? '',
    status: text('status') ?? '',
    statusReason: text('statusReason') ?? '',
    authentication: {
      type: text('authenticationType') ?? '',
      primaryKey: text('primaryKey'),
      secondaryKey: text('secondaryKey'),
      primaryThumbprint: text('primaryThumbprint'),
      secondaryThumbprint: text('secondaryThumbprint'),
    },
    iotEdge: row['iotEdge'] === 1,
    tags: JSON.parse(text('tags') ?? '{}') as object,
    desired: JSON.parse(text('desired') ?? '{}') as object,
  };
}
