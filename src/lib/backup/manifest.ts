/**
 * The manifest of a backup, `manifest.json`: what the backup holds, and how that was verified. It is written last, so that
 * a backup without one is unfinished. It holds no key.
 */

import { createHash } from 'node:crypto';

import { type Fields, holding, isInstant, isNumber, isObject, isText, oneOf, type Shape } from '../runs/recordShape.ts';
import { type BackupError, backupError } from './backupErrors.ts';
import { parseBackupName } from './backupName.ts';

export const MANIFEST_VERSION = 1;

export const MANIFEST_FILE = 'manifest.json';
/** The files of a backup that its manifest vouches for. */
export const BACKUP_FILES = ['devices.txt', 'configurations.txt', 'extras.ndjson'] as const;
export type BackupFileName = (typeof BACKUP_FILES)[number];

export interface BackupFile {
  readonly bytes: number;
  /** Hexadecimal. */
  readonly sha256: string;
  /** Of JSON: a first line of plain text in `devices.txt` does not count, nor does an empty one. */
  readonly lines: number;
  /** As it was written; a copy in another account has another one. */
  readonly etag?: string;
}

export interface BackupManifest {
  readonly version: typeof MANIFEST_VERSION;
  /** Its name: `HUB/2026/11/20T020000Z`. */
  readonly backup: string;
  /** Of the run that made it. */
  readonly runId: string;
  /** Name of the hub. */
  readonly hub: string;
  readonly hubHost: string;
  /** ISO UTC, as are all times. */
  readonly startedAt: string;
  /** When the reading of the registry began: what has changed since may be in it, or not. */
  readonly takenAt: string;
  readonly finishedAt: string;
  readonly keys: 'included' | 'excluded';
  readonly devices: number;
  readonly modules: number;
  readonly configurations: number;
  /** Devices that the registry counted. */
  readonly registry: { readonly before: number; readonly after: number };
  readonly countMismatch?: CountMismatch;
  readonly files: Readonly<Record<BackupFileName, BackupFile>>;
  readonly extrasComplete: boolean;
  /** Where the extras are not complete: why. */
  readonly extrasMissing?: string;
  /** When all files were read again and found as this says. */
  readonly verifiedAt: string;
  readonly job: { readonly jobId: string; readonly status: string };
  /** Retention leaves it until then, whatever its rules say: it was made right before something that cannot be taken back. */
  readonly keepUntil?: string;
}

export interface CountMismatch {
  /** Devices from, to. */
  readonly expected: readonly [least: number, most: number];
  readonly found: number;
}

/** Statistics of a registry lag: by this many devices, or by this part of them, whichever is more. */
const TOLERATED_DEVICES = 10;
const TOLERATED_PART = 0.001;

/**
 * Whether the devices of an export are other than the registry counted before and after it.
 *
 * @param devices lines of devices, not of modules
 */
export function countMismatch(devices: number, before: number, after: number): CountMismatch | undefined {
  const tolerated = (count: number) => Math.max(TOLERATED_DEVICES, Math.floor(count * TOLERATED_PART));
  const [low, high] = [Math.min(before, after), Math.max(before, after)];
  const [least, most] = [Math.max(0, low - tolerated(low)), high + tolerated(high)];
  return devices >= least && devices <= most ? undefined : { expected: [least, most], found: devices };
}

const isCount = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0;
const isSha256 = (value: unknown) => typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);
const isFile = holding({ bytes: isCount, sha256: isSha256, lines: isCount });
const isExpected = (value: unknown) => Array.isArray(value) && value.length === 2 && value.every(isNumber);

const REQUIRED: Shape = {
  backup: isText,
  runId: isText,
  hub: isText,
  hubHost: isText,
  startedAt: isInstant,
  takenAt: isInstant,
  finishedAt: isInstant,
  keys: oneOf(['included', 'excluded']),
  devices: isCount,
  modules: isCount,
  configurations: isCount,
  registry: holding({ before: isCount, after: isCount }),
  files: holding(Object.fromEntries(BACKUP_FILES.map((file) => [file, isFile]))),
  extrasComplete: (value) => typeof value === 'boolean',
  verifiedAt: isInstant,
  job: holding({ jobId: isText, status: isText }),
};

/** Absent, or of this form. */
const OPTIONAL: Shape = {
  countMismatch: holding({ expected: isExpected, found: isCount }),
  extrasMissing: isText,
  keepUntil: isInstant,
};

/** A manifest as it is written: with a seal, so that a byte of it that is changed does not go unnoticed. */
export function sealed(manifest: BackupManifest): BackupManifest & { readonly seal: string } {
  return { ...manifest, seal: sealOf(manifest) };
}

/** Of all that stands before it; JSON that is read comes back in the same order. */
function sealOf(fields: object): string {
  return createHash('sha256').update(JSON.stringify(fields)).digest('hex');
}

/**
 * @param name of the backup in whose folder it lies
 * @throws BackupError: it is damaged, of a newer version, or of another backup
 */
export function parseManifest(text: string, name: string): BackupManifest {
  const { seal, ...manifest } = objectOf(text, name);
  const { version, backup } = manifest;
  if (typeof version === 'number' && Number.isInteger(version) && version > MANIFEST_VERSION) {
    throw backupError('backupNewer', { name, version });
  }
  if (version !== MANIFEST_VERSION) throw damaged(name, 'its manifest has no version that is known');
  if (backup !== name && typeof backup === 'string' && parseBackupName(backup) !== undefined) {
    throw backupError('backupOfOther', { name, other: backup });
  }
  if (backup !== name) throw damaged(name, 'its manifest does not say of which backup it is');
  for (const [field, holds] of Object.entries(REQUIRED)) {
    if (manifest[field] === undefined) throw damaged(name, `its manifest lacks "${field}"`);
    if (!holds(manifest[field])) throw damaged(name, `"${field}" in its manifest is of a wrong form`);
  }
  for (const [field, holds] of Object.entries(OPTIONAL)) {
    if (manifest[field] !== undefined && !holds(manifest[field])) {
      throw damaged(name, `"${field}" in its manifest is of a wrong form`);
    }
  }
  if (seal !== sealOf(manifest)) throw damaged(name, 'its manifest is not what was written: its seal differs');
  return manifest as unknown as BackupManifest;
}

function objectOf(text: string, name: string): Fields {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw damaged(name, 'its manifest is not JSON');
  }
  if (!isObject(value)) throw damaged(name, 'its manifest is no JSON object');
  return value;
}

function damaged(name: string, what: string): BackupError {
  return backupError('backupDamaged', { name, what });
}
