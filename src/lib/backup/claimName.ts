import { ensureContainer } from '../storage/ensureContainer.ts';
import { keepFirst } from '../storage/jsonBlob.ts';
import { BACKUPS_CONTAINER, type Storage } from '../storage/storage.ts';
import { type BackupName, backupPrefix, formatBackupName, nextBackupName } from './backupName.ts';

/** The first blob of a backup: from then on it is listed, as unfinished, and its name is taken. */
export const STARTED_FILE = 'started.json';

export interface BackupStarted {
  readonly runId: string;
  /** ISO UTC. */
  readonly startedAt: string;
}

/**
 * Takes the name of a backup for a run: of the second in which it starts, or of the next that no other run has. The same
 * run gets the same name again if it gives the same start.
 */
export async function claimBackupName(storage: Storage, hub: string, started: BackupStarted): Promise<string> {
  const container = storage.container(BACKUPS_CONTAINER);
  await ensureContainer(container);
  let wanted: BackupName = { hub, at: new Date(started.startedAt) };
  for (;;) {
    const name = formatBackupName(wanted);
    const blob = container.getBlockBlobClient(`${backupPrefix(name)}${STARTED_FILE}`);
    if ((await keepFirst(blob, started)).runId === started.runId) return name;
    wanted = nextBackupName(wanted);
  }
}
