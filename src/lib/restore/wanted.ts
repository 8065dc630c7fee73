/** What a hub is to come to: all lines of a registry, and what no line has. */

import { type BackupEtags, type OpenBackup, openBackup, requireSame } from '../backup/catalogue.ts';
import { identityOf } from '../devicesFile/identityTable.ts';
import { type BackedUpConfigurations, readConfigurations } from '../registryExtras/configurationChanges.ts';
import { type ExtraLine, readExtras } from '../registryExtras/extraLine.ts';
import type { FindManagedBy } from '../registryExtras/systemModules.ts';
import { createValueTable } from '../registryExtras/valueTable.ts';
import type { SnapshotKeys } from '../registryLines/snapshot.ts';
import type { Storage } from '../storage/storage.ts';

export interface WantedRegistry {
  readonly keys: SnapshotKeys;
  /** Of its lines. */
  readonly bytes: number;
  /** Lines as a hub exports them, verified. Each call reads them anew. */
  lines(): AsyncIterable<string>;
  extras(): AsyncIterable<ExtraLine>;
  configurations(): Promise<BackedUpConfigurations>;
}

/**
 * @param verified the versions of its files that were verified; absent in what earlier versions noted
 * @throws BackupError when the backup cannot be read, or is not what was verified any more
 */
export async function wantedOfBackup(
  storage: Storage,
  name: string,
  verified: BackupEtags | undefined,
): Promise<WantedRegistry> {
  const open = await openBackup(storage, name);
  if (verified !== undefined) requireSame(open, verified);
  return wantedOf(open);
}

export function wantedOf(backup: OpenBackup): WantedRegistry {
  const extras = 'extras.ndjson';
  const configurations = 'configurations.txt';
  return {
    keys: backup.manifest.keys,
    bytes: backup.manifest.files['devices.txt'].bytes,
    lines: () => backup.lines('devices.txt'),
    extras: () => readExtras(backup.lines(extras), `${backup.name}/${extras}`),
    configurations: () => readConfigurations(backup.bytes(configurations), `${backup.name}/${configurations}`),
  };
}

/** Who managed which module; modules of which that is not known, or nobody, are not in it. In flat memory. */
export async function managedByOf(wanted: Pick<WantedRegistry, 'extras'>): Promise<FindManagedBy> {
  const managers = createValueTable<string>();
  for await (const extra of wanted.extras()) {
    if (extra.kind === 'module' && extra.managedBy !== null) managers.set(identityOf(extra), extra.managedBy);
  }
  return (module) => managers.find(identityOf(module));
}
