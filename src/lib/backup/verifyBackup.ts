/** Reads all files of a backup again and compares them with its manifest; the result is kept beside it. */

import type { ContainerClient } from '@azure/storage-blob';

import { writeJson } from '../storage/jsonBlob.ts';
import { BACKUPS_CONTAINER, type Storage } from '../storage/storage.ts';
import { isArchived, isConditionFailed, isImmutable, isNotFound } from '../storage/storageErrors.ts';
import { BackupError, backupError } from './backupErrors.ts';
import {
  archivedFault,
  type BackupFolder,
  backupBlob,
  backupFolders,
  backupText,
  fileSizeFault,
} from './backupFolder.ts';
import { backupPrefix, parseBackupName } from './backupName.ts';
import { BACKUP_FILES, type BackupFileName, type BackupManifest, MANIFEST_FILE, parseManifest } from './manifest.ts';
import { measureFile } from './measureFile.ts';
import { VERIFICATION_FILE, type Verification } from './verification.ts';

export interface VerifyOptions {
  readonly now: () => Date;
  readonly signal?: AbortSignal;
}

export interface VerifiedBackup extends Verification {
  readonly backup: string;
  /** The result could not be kept, for the container is immutable, or an earlier one is archived: a listing goes on to show an earlier one. */
  readonly notKept?: true;
}

/**
 * @throws BackupError when there is nothing to compare: it is unknown, unfinished, archived, of a newer version, or its
 *   manifest is of another; whatever storage raises, and the reason of `signal`. Nothing is kept then.
 */
export async function verifyBackup(
  storage: Storage,
  name: string,
  { now, signal }: VerifyOptions,
): Promise<VerifiedBackup> {
  if (parseBackupName(name) === undefined) throw backupError('backupUnknown:name');
  const container = storage.container(BACKUPS_CONTAINER);
  const [folder] = await backupFolders(container, backupPrefix(name));
  if (folder === undefined) throw backupError('backupUnknown', { name });
  const text = await backupText(container, folder, MANIFEST_FILE);
  if (text === undefined) throw backupError('backupUnfinished', { name });
  const manifest = manifestOf(text, name);
  const archived = archivedFault(folder);
  if (archived !== undefined) throw archived;
  const problems =
    typeof manifest === 'string' ? [manifest] : await problemsOf({ container, folder, manifest, signal });
  const verification: Verification = {
    at: now().toISOString(),
    result: problems.length === 0 ? 'good' : 'damaged',
    problems,
  };
  const isKept = await keep(container, name, verification);
  return { backup: name, ...verification, ...(isKept ? {} : { notKept: true }) };
}

/** The manifest; or what is damaged of it. */
function manifestOf(text: string, name: string): BackupManifest | string {
  try {
    return parseManifest(text, name);
  } catch (error) {
    if (error instanceof BackupError && error.code === 'backupDamaged') return error.message;
    throw error;
  }
}

interface Compared {
  readonly container: ContainerClient;
  readonly folder: BackupFolder;
  readonly manifest: BackupManifest;
  readonly signal: AbortSignal | undefined;
}

async function problemsOf(compared: Compared): Promise<string[]> {
  const problems: string[] = [];
  for (const file of BACKUP_FILES) problems.push(...(await fileProblems(compared, file)));
  return problems;
}

async function fileProblems(
  { container, folder, manifest, signal }: Compared,
  file: BackupFileName,
): Promise<string[]> {
  const written = manifest.files[file];
  const found = folder.blobs.get(file);
  const sizeFault = fileSizeFault(file, written.bytes, found?.bytes);
  if (found === undefined) return sizeFault === undefined ? [] : [sizeFault];
  const measured = await measureFile(backupBlob(container, folder.name, file), file, {
    etag: found.etag,
    signal,
  }).catch((error: unknown) => {
    if (isNotFound(error)) return `${file} was deleted while it was read`;
    if (isArchived(error)) throw backupError('backupArchived', { name: folder.name, file });
    if (isConditionFailed(error)) return `${file} was written over while it was read`;
    throw error;
  });
  if (typeof measured === 'string') return [measured];
  const problems = sizeFault === undefined ? [] : [sizeFault];
  if (sizeFault === undefined && measured.sha256 !== written.sha256) {
    problems.push(`the content of ${file} is not what was written: its sha256 differs`);
  }
  if (measured.fault !== undefined) {
    const { line, byte } = measured.fault;
    problems.push(`line ${line} of ${file}, at byte ${byte}, is cut off or no ${WHAT[file]}`);
  }
  // What is damaged has other counts, too; that is no second problem.
  if (problems.length === 0) problems.push(...countProblems(manifest, file, measured));
  return problems;
}

const WHAT: Readonly<Record<BackupFileName, string>> = {
  'devices.txt': 'identity',
  'configurations.txt': 'configuration',
  'extras.ndjson': 'JSON object',
};

/** Of a file that is as it was written: its manifest was wrong from the beginning, or was changed. */
function countProblems(
  { files, devices, modules, configurations }: BackupManifest,
  file: BackupFileName,
  found: { readonly devices: number; readonly modules: number; readonly lines: number },
): string[] {
  const counts: (readonly [what: string, found: number, said: number])[] = [['lines', found.lines, files[file].lines]];
  if (file === 'devices.txt') counts.push(['devices', found.devices, devices], ['modules', found.modules, modules]);
  if (file === 'configurations.txt') counts.push(['configurations', found.lines, configurations]);
  return counts
    .filter(([, has, said]) => has !== said)
    .map(([what, has, said]) => `${file} has ${has} ${what}, and its manifest says ${said}`);
}

/** Over what an earlier verification found; false: that is immutable, or archived. */
async function keep(container: ContainerClient, name: string, verification: Verification): Promise<boolean> {
  try {
    await writeJson(backupBlob(container, name, VERIFICATION_FILE), verification);
    return true;
  } catch (error) {
    if (isImmutable(error) || isArchived(error)) return false;
    throw error;
  }
}
