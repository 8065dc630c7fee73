import { writeJson } from '../storage/jsonBlob.ts';
import { BACKUPS_CONTAINER, type Storage } from '../storage/storage.ts';
import { backupBlob } from './backupFolder.ts';
import { type BackupManifest, MANIFEST_FILE, sealed } from './manifest.ts';

/** Finishes a backup. False: it has a manifest already, which stays. */
export async function writeManifest(storage: Storage, manifest: BackupManifest): Promise<boolean> {
  const blob = backupBlob(storage.container(BACKUPS_CONTAINER), manifest.backup, MANIFEST_FILE);
  return (await writeJson(blob, sealed(manifest), { ifAbsent: true })) !== undefined;
}
