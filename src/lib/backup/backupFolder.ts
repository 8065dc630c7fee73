/** What lies in the container of backups, a folder a backup, as a listing shows it. */

import type { BlockBlobClient, ContainerClient } from '@azure/storage-blob';

import { defined } from '../defined.ts';
import { readText } from '../storage/readText.ts';
import { isArchived, isNotFound } from '../storage/storageErrors.ts';
import { type BackupError, backupError } from './backupErrors.ts';
import { backupPrefix, parseBackupBlob, parseBackupName } from './backupName.ts';
import { BACKUP_FILES, type BackupFileName, type BackupManifest } from './manifest.ts';

export interface BackupFolder {
  readonly name: string;
  /** By the name of the file in it. */
  readonly blobs: ReadonlyMap<string, ListedBlob>;
}

export interface ListedBlob {
  readonly bytes: number;
  readonly etag: string;
  /** It is in the archive tier, also while it is on its way out of it. */
  readonly archived: boolean;
}

/** Newest first; folders whose name is none of a backup are not ours. */
export async function backupFolders(container: ContainerClient, prefix: string | undefined): Promise<BackupFolder[]> {
  const folders = new Map<string, Map<string, ListedBlob>>();
  try {
    for await (const { name: blobName, properties } of container.listBlobsFlat(defined({ prefix }))) {
      const of = parseBackupBlob(blobName);
      if (of === undefined) continue;
      const blobs = folders.get(of.name) ?? new Map();
      folders.set(of.name, blobs);
      blobs.set(of.file, {
        bytes: properties.contentLength ?? 0,
        etag: properties.etag,
        archived: properties.accessTier === 'Archive',
      });
    }
  } catch (error) {
    // No backup was ever made.
    if (!isNotFound(error)) throw error;
  }
  const instant = (name: string) => parseBackupName(name)?.at.getTime() ?? 0;
  return Array.from(folders, ([name, blobs]) => ({ name, blobs })).sort(
    (a, b) => instant(b.name) - instant(a.name) || (a.name < b.name ? -1 : 1),
  );
}

export function backupBlob(container: ContainerClient, name: string, file: string): BlockBlobClient {
  return container.getBlockBlobClient(`${backupPrefix(name)}${file}`);
}

/**
 * The text of a small file of a backup; undefined when it is not there.
 *
 * @throws BackupError when it is in the archive tier
 */
export async function backupText(
  container: ContainerClient,
  { name, blobs }: BackupFolder,
  file: string,
): Promise<string | undefined> {
  const listed = blobs.get(file);
  if (listed === undefined) return undefined;
  if (listed.archived) throw backupError('backupArchived', { name, file });
  try {
    return (await readText(backupBlob(container, name, file))).text;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw isArchived(error) ? backupError('backupArchived', { name, file }) : error;
  }
}

/** The error of a backup of which a file is in the archive tier. */
export function archivedFault({ name, blobs }: BackupFolder): BackupError | undefined {
  const file = BACKUP_FILES.find((each) => blobs.get(each)?.archived);
  return file === undefined ? undefined : backupError('backupArchived', { name, file });
}

/** What a listing alone tells of damage: files that are not there, or have another size. */
export function sizeFault({ files }: BackupManifest, { blobs }: BackupFolder): string | undefined {
  for (const file of BACKUP_FILES) {
    const fault = fileSizeFault(file, files[file].bytes, blobs.get(file)?.bytes);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

export function fileSizeFault(file: BackupFileName, written: number, found: number | undefined): string | undefined {
  if (found === undefined) return `${file} is missing`;
  return found === written ? undefined : `${file} has ${found} bytes, and had ${written} when it was written`;
}
