/** What is wrong with a backup, or with what was asked of backups. */

import { type CodeText, type Filling, speakerOf } from '../codeText.ts';
import { HubKeeperError } from '../errors.ts';

const OTHER = 'Take another one: hubkeeper backups lists them.' as const;

export const BACKUP_TEXTS = {
  backupUnknown: {
    says: 'There is no backup {name}.',
    action: 'hubkeeper backups lists those there are; HUB/latest is the newest good one.',
  },
  'backupUnknown:name': {
    says: 'That is no name of a backup.',
    action: 'Give one such as HUB/2026/11/20T020000Z, or HUB/latest; hubkeeper backups lists those there are.',
  },
  'backupUnknown:none': {
    says: 'There is no good backup of the hub {hub}.',
    action: 'Make one: hubkeeper backup --hub {hub}.',
  },
  'backupUnknown:others': {
    says: 'There is no good backup of the hub {hub}.',
    action: 'Make one: hubkeeper backup --hub {hub}; or name one of another hub if that is what you mean: {others}.',
  },
  'backupUnknown:hub': {
    says: 'The app has several hubs and no default one, and the backup does not say which of them is meant.',
    action: 'Name it. Good backups: {others}.',
    doc: { action: 'Name it: HUB/latest.' },
  },
  backupUnfinished: {
    says: 'The backup {name} is not finished: it is being written, or was given up.',
    action: 'Wait until hubkeeper backups shows it as good, or take another one.',
  },
  backupDamaged: {
    says: 'The backup {name} is damaged: {what}.',
    action: OTHER,
    doc: {
      says: 'The backup NAME is damaged: a file in it is missing, has another size or content than its manifest says, or its manifest cannot be read.',
    },
  },
  backupArchived: {
    says: 'The backup {name} is in the archive tier of the storage account: {file} cannot be read there.',
    action:
      'Rehydrate all blobs in its folder first (az storage blob set-tier --tier Hot), which takes some hours, then try again; or take another one.',
  },
  backupCountMismatch: {
    says: 'The backup {name} has {found} devices, and the registry had {least} to {most} when it was taken.',
    action:
      'Take another one; or name it in full and accept the mismatch (--accept-count-mismatch) if that is what you want.',
  },
  backupNewer: {
    says: 'The backup {name} was written by a newer version of HubKeeper (its manifest has version {version}).',
    action: 'Update HubKeeper, then try again.',
  },
  backupOfOther: {
    says: 'The manifest in {name} is not of this backup: it is of {other}.',
    action: `It was copied or moved there. ${OTHER}`,
    doc: { says: 'The manifest in NAME is not of this backup: it is of another one.' },
  },
} as const satisfies Record<string, CodeText>;

type Key = keyof typeof BACKUP_TEXTS;

export type BackupErrorCode = ReturnType<typeof sayBackup>['code'];

/** The sentences of an error of backups, without raising it. */
export const sayBackup = speakerOf(BACKUP_TEXTS);

/** A backup cannot be used as it was asked for; nothing was changed. */
export class BackupError extends HubKeeperError {
  override readonly name = 'BackupError';
}

export function backupError<Name extends Key>(
  key: Name,
  ...filling: Filling<(typeof BACKUP_TEXTS)[Name]>
): BackupError {
  return new BackupError(sayBackup(key, ...filling));
}
