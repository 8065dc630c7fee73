import { BACKUPS_CONTAINER, type Storage } from '../storage/storage.ts';
import { isImmutable, isNotFound } from '../storage/storageErrors.ts';
import { backupBlob, backupFolders } from './backupFolder.ts';
import { backupPrefix, parseBackupName } from './backupName.ts';
import { STARTED_FILE } from './claimName.ts';
import { MANIFEST_FILE } from './manifest.ts';

/** `immutable`: storage keeps it, by a policy or a legal hold; it is whole, or as much of it as is kept. */
export type Removal = 'removed' | 'immutable';

/**
 * Deletes a backup; one that is gone already was removed. Its manifest goes first, so that what is left when this ends
 * halfway is unfinished, not damaged, and is removed some other day.
 */
export async function removeBackup(storage: Storage, name: string): Promise<Removal> {
  if (parseBackupName(name) === undefined) throw new RangeError('What is no name of a backup is not removed.');
  const container = storage.container(BACKUPS_CONTAINER);
  const [folder] = await backupFolders(container, backupPrefix(name));
  for (const file of [...(folder?.blobs.keys() ?? [])].sort((a, b) => turnOf(a) - turnOf(b))) {
    try {
      await backupBlob(container, name, file).delete({ deleteSnapshots: 'include' });
    } catch (error) {
      if (isImmutable(error)) return 'immutable';
      if (!isNotFound(error)) throw error;
    }
  }
  return 'removed';
}

/** The manifest first; last what says that the name is taken. */
function turnOf(file: string): number {
  return file === MANIFEST_FILE ? 0 : file === STARTED_FILE ? 2 : 1;
}
