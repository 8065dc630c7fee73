import type { ContainerClient } from '@azure/storage-blob';

import { propertiesIfThere } from '../storage/blobProperties.ts';
import { BACKUPS_CONTAINER, type Storage } from '../storage/storage.ts';
import { isImmutable, isNotFound } from '../storage/storageErrors.ts';
import { backupBlob, backupFolders } from './backupFolder.ts';
import { backupPrefix, parseBackupName } from './backupName.ts';
import { STARTED_FILE } from './claimName.ts';
import { MANIFEST_FILE } from './manifest.ts';
import { VERIFICATION_FILE } from './verification.ts';

/** `immutable`: storage keeps it, by a policy or a legal hold; it is whole, or as much of it as is kept. */
export type Removal = 'removed' | 'immutable';

/**
 * Deletes a backup; one that is gone already was removed. Nothing of it is deleted when storage says that it keeps a part.
 * Its manifest goes before the other files, so that what is left when this ends halfway is unfinished, not damaged, and is
 * removed some other day.
 */
export async function removeBackup(storage: Storage, name: string): Promise<Removal> {
  if (parseBackupName(name) === undefined) throw new RangeError('What is no name of a backup is not removed.');
  const container = storage.container(BACKUPS_CONTAINER);
  const [folder] = await backupFolders(container, backupPrefix(name));
  if (folder === undefined) return 'removed';
  const files = [...folder.blobs.keys()];
  const { hasLegalHold = false, hasImmutabilityPolicy = false } = await container.getProperties();
  if (hasLegalHold || (await isAnyKept(container, name, files))) return 'immutable';
  for (const file of files.sort((a, b) => turnOf(a, hasImmutabilityPolicy) - turnOf(b, hasImmutabilityPolicy))) {
    try {
      await backupBlob(container, name, file).delete({ deleteSnapshots: 'include' });
    } catch (error) {
      if (isImmutable(error)) return 'immutable';
      if (!isNotFound(error)) throw error;
    }
  }
  return 'removed';
}

/** Whether a blob has a legal hold, or a policy that is not over by the clock of storage. */
async function isAnyKept(container: ContainerClient, name: string, files: readonly string[]): Promise<boolean> {
  const all = await Promise.all(files.map((file) => propertiesIfThere(backupBlob(container, name, file))));
  return all.some((blob) => {
    if (blob?.legalHold === true) return true;
    const until = blob?.immutabilityPolicyExpiresOn;
    return until !== undefined && !(blob?.date !== undefined && until.getTime() <= blob.date.getTime());
  });
}

/**
 * The manifest first; last what says that the name is taken. A policy of the container does not tell until when it keeps
 * what, only that it keeps each blob equally long: there the blob that was written last goes first, for once it can be
 * deleted, so can the others. The result of a verification is written after the manifest, and that after the rest.
 */
function turnOf(file: string, byAge: boolean): number {
  if (file === VERIFICATION_FILE && byAge) return 0;
  return file === MANIFEST_FILE ? 1 : file === STARTED_FILE ? 3 : 2;
}
