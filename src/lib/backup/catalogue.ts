/** The backups there are: each a folder in the container of backups. */

import type { BlockBlobClient, ContainerClient } from '@azure/storage-blob';

import { defined } from '../defined.ts';
import { linesOf } from '../storage/ndjson.ts';
import { bytesOf } from '../storage/readText.ts';
import { BACKUPS_CONTAINER, type Storage } from '../storage/storage.ts';
import { BackupError, backupError } from './backupErrors.ts';
import { archivedFault, type BackupFolder, backupBlob, backupFolders, backupText, sizeFault } from './backupFolder.ts';
import { backupPrefix, parseBackupName } from './backupName.ts';
import {
  BACKUP_FILES,
  type BackupFileName,
  type BackupManifest,
  type CountMismatch,
  MANIFEST_FILE,
  parseManifest,
} from './manifest.ts';
import { parseVerification, VERIFICATION_FILE, type Verification } from './verification.ts';

/**
 * `newer`: of a version that this one cannot read. `damaged`: as far as a listing or the last verification tells; the
 * files themselves are read by `verifyBackup`. `archived`: it can be read once its blobs are out of the archive tier.
 */
export const BACKUP_STATES = ['good', 'unfinished', 'countMismatch', 'damaged', 'newer', 'archived'] as const;
export type BackupState = (typeof BACKUP_STATES)[number];

/** A backup as a listing shows it. */
export interface BackupSummary {
  readonly backup: string;
  /** Alias of the hub. */
  readonly hub: string;
  /** When it began, ISO UTC, as its name says. */
  readonly at: string;
  readonly state: BackupState;
  /** What is wrong with it. */
  readonly problem?: string;
  /** Of all its blobs. */
  readonly bytes: number;
  readonly finishedAt?: string;
  readonly devices?: number;
  readonly modules?: number;
  readonly configurations?: number;
  readonly keys?: BackupManifest['keys'];
  readonly extrasComplete?: boolean;
  readonly countMismatch?: CountMismatch;
  readonly lastVerification?: Verification;
  /** Until when retention leaves it, whatever its rules say. */
  readonly keepUntil?: string;
}

/** A backup that can be read: it is finished, and its files have the sizes that its manifest says. */
export interface OpenBackup {
  readonly name: string;
  readonly manifest: BackupManifest;
  readonly lastVerification?: Verification;
  /** The lines of a file, of the version that was there when the backup was opened; each call reads it once. */
  lines(file: BackupFileName): AsyncIterableIterator<string>;
  bytes(file: BackupFileName): AsyncGenerator<Uint8Array>;
  blob(file: BackupFileName): BlockBlobClient;
  /** Of that version, for readers of their own. */
  etag(file: BackupFileName): string;
}

/** What a folder holds: a backup that can be read, or why it cannot. */
type Looked =
  | { readonly open: OpenBackup; readonly error?: undefined }
  | { readonly error: BackupError; readonly manifest?: BackupManifest; readonly lastVerification?: Verification };

const READS_AT_ONCE = 8;

const STATE_OF: Readonly<Record<string, BackupState>> = {
  backupUnfinished: 'unfinished',
  backupNewer: 'newer',
  backupArchived: 'archived',
};

/** All backups, or those of one hub; newest first. */
export async function listBackups(storage: Storage, hub?: string): Promise<BackupSummary[]> {
  const container = storage.container(BACKUPS_CONTAINER);
  const folders = await backupFolders(container, hub === undefined ? undefined : backupPrefix(hub));
  const found: BackupSummary[] = [];
  for (let at = 0; at < folders.length; at += READS_AT_ONCE) {
    const batch = folders.slice(at, at + READS_AT_ONCE);
    found.push(...(await Promise.all(batch.map(async (folder) => summaryOf(folder, await look(container, folder))))));
  }
  return found;
}

/**
 * Opens a backup by its name. One whose counts did not match is opened like any other: `requireGood` is for whoever does
 * not take it.
 *
 * @throws BackupError: it is unknown, unfinished, damaged, archived, of a newer version, or its manifest is of another
 */
export async function openBackup(storage: Storage, name: string): Promise<OpenBackup> {
  if (parseBackupName(name) === undefined) throw backupError('backupUnknown:name');
  const container = storage.container(BACKUPS_CONTAINER);
  const [folder] = await backupFolders(container, backupPrefix(name));
  if (folder === undefined) throw backupError('backupUnknown', { name });
  const looked = await look(container, folder);
  if (looked.error !== undefined) throw looked.error;
  return looked.open;
}

/** @throws BackupError when the counts of the backup did not match */
export function requireGood({ name, manifest: { countMismatch } }: OpenBackup): void {
  if (countMismatch === undefined) return;
  const [least, most] = countMismatch.expected;
  throw backupError('backupCountMismatch', { name, found: countMismatch.found, least, most });
}

/** Of which versions of its files a backup was read. */
export type BackupEtags = Readonly<Record<BackupFileName, string>>;

export function etagsOf({ etag }: Pick<OpenBackup, 'etag'>): BackupEtags {
  return Object.fromEntries(BACKUP_FILES.map((file) => [file, etag(file)])) as Record<BackupFileName, string>;
}

/** @throws BackupError when a file of the backup was written since, be it with as many bytes */
export function requireSame(backup: Pick<OpenBackup, 'name' | 'etag'>, etags: BackupEtags): void {
  for (const file of BACKUP_FILES) {
    if (backup.etag(file) === etags[file]) continue;
    throw backupError('backupDamaged', { name: backup.name, what: `${file} was written over since it was verified` });
  }
}

async function look(container: ContainerClient, folder: BackupFolder): Promise<Looked> {
  const { name, blobs } = folder;
  const [text, verified] = await Promise.all([
    backupText(container, folder, MANIFEST_FILE).catch(asArchived),
    backupText(container, folder, VERIFICATION_FILE).catch(asArchived),
  ]);
  if (text instanceof BackupError) return { error: text };
  if (text === undefined) return { error: backupError('backupUnfinished', { name }) };
  const last = defined({ lastVerification: typeof verified === 'string' ? parseVerification(verified) : undefined });
  let manifest: BackupManifest;
  try {
    manifest = parseManifest(text, name);
  } catch (error) {
    if (!(error instanceof BackupError)) throw error;
    return { error, ...last };
  }
  const what = sizeFault(manifest, folder) ?? foundFault(last.lastVerification);
  if (what !== undefined) return { error: backupError('backupDamaged', { name, what }), manifest, ...last };
  const archived = archivedFault(folder);
  if (archived !== undefined) return { error: archived, manifest, ...last };
  const blob = (file: BackupFileName) => backupBlob(container, name, file);
  const etag = (file: BackupFileName) => blobs.get(file)?.etag ?? '';
  return {
    open: {
      name,
      manifest,
      ...last,
      blob,
      etag,
      bytes: (file) => bytesOf(blob(file), etag(file)),
      lines: (file) => linesOf(blob(file), etag(file)),
    },
  };
}

function asArchived(error: unknown): BackupError {
  if (error instanceof BackupError) return error;
  throw error;
}

function foundFault(verification: Verification | undefined): string | undefined {
  if (verification === undefined || verification.result === 'good') return undefined;
  return verification.problems[0] ?? 'its last verification found it so';
}

function summaryOf({ name, blobs }: BackupFolder, looked: Looked): BackupSummary {
  const { hub = '', at } = parseBackupName(name) ?? {};
  const of = looked.error === undefined ? looked.open : looked;
  const { manifest, lastVerification } = of;
  const { countMismatch } = manifest ?? {};
  return {
    backup: name,
    hub,
    at: at?.toISOString() ?? '',
    state: stateOf(looked.error, countMismatch),
    ...defined({ problem: looked.error?.message }),
    bytes: Array.from(blobs.values()).reduce((sum, { bytes }) => sum + bytes, 0),
    ...defined({
      finishedAt: manifest?.finishedAt,
      devices: manifest?.devices,
      modules: manifest?.modules,
      configurations: manifest?.configurations,
      keys: manifest?.keys,
      extrasComplete: manifest?.extrasComplete,
      keepUntil: manifest?.keepUntil,
      countMismatch,
      lastVerification,
    }),
  };
}

function stateOf(error: BackupError | undefined, mismatch: CountMismatch | undefined): BackupState {
  const state = error === undefined ? 'good' : (STATE_OF[error.code] ?? 'damaged');
  // Out of the archive tier it would be no better.
  if (state !== 'good' && state !== 'archived') return state;
  return mismatch === undefined ? state : 'countMismatch';
}
