/**
 * Names of backups: `HUB/2026/11/20T020000Z`, the alias of the hub and when the backup began, to the second in UTC. Its
 * files lie under that name in the container of backups.
 */

export interface BackupName {
  readonly hub: string;
  /** A whole second. */
  readonly at: Date;
}

/** What a person may type for a backup: its name, or the newest good one of a hub. */
export type BackupWanted = { readonly name: string } | { readonly latestOf: string | undefined };

export function formatBackupName({ hub, at }: BackupName): string {
  const [, date = '', time = ''] = /^(\d{4}-\d\d-\d\dT)(\d\d:\d\d:\d\d)/.exec(at.toISOString()) ?? [];
  return `${hub}/${date.replaceAll('-', '/')}${time.replaceAll(':', '')}Z`;
}

/** Undefined: no backup is named so. */
export function parseBackupName(name: string): BackupName | undefined {
  const match = /^([a-z0-9]+)\/(\d{4})\/(\d\d)\/(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(name);
  if (match === null) return undefined;
  const [, hub = '', year, month, day, hour, minute, second] = match;
  const at = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  if (Number.isNaN(at.getTime())) return undefined;
  const named = { hub, at };
  // There is no 30th of February, though `Date` takes it for a day of March.
  return formatBackupName(named) === name ? named : undefined;
}

/** Under what the blobs of a backup lie; of a hub alone, all of its backups. */
export function backupPrefix(name: string): string {
  return `${name}/`;
}

/** The name of a backup and of the file in it, out of that of a blob. */
export function parseBackupBlob(blobName: string): { readonly name: string; readonly file: string } | undefined {
  const [, name = '', file = ''] = /^([^/]+\/[^/]+\/[^/]+\/[^/]+)\/(.+)$/.exec(blobName) ?? [];
  return parseBackupName(name) === undefined ? undefined : { name, file };
}

/** The name that comes after one that is taken: of the next second. */
export function nextBackupName({ hub, at }: BackupName): BackupName {
  return { hub, at: new Date(at.getTime() + 1000) };
}

/** What a person typed; undefined: it is neither a name nor `latest` nor `HUB/latest`. */
export function parseBackupWanted(text: string): BackupWanted | undefined {
  const typed = text.trim().replace(/\/+$/, '');
  const [, hub] = /^(?:([a-z0-9]+)\/)?latest$/i.exec(typed) ?? [];
  if (/(?:^|\/)latest$/i.test(typed))
    return hub === undefined && typed.includes('/') ? undefined : { latestOf: hub?.toLowerCase() };
  // The alias is matched without regard to case, as in settings.
  const name = typed.replace(/^[^/]+/, (alias) => alias.toLowerCase());
  return parseBackupName(name) === undefined ? undefined : { name };
}
