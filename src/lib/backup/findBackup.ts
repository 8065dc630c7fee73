/** Which backup a person means. */

import { DEFAULT_HUB_ALIAS } from '../settings.ts';
import type { Storage } from '../storage/storage.ts';
import { backupError } from './backupErrors.ts';
import { parseBackupWanted } from './backupName.ts';
import { type BackupSummary, listBackups } from './catalogue.ts';

/**
 * The name of the backup that a person means: one that is named in full, or the newest good one. That of another hub than
 * was meant is never taken instead: whoever restores it deletes what it does not have.
 *
 * @param text a name, `HUB/latest` or `latest`, which is of `defaultHub`
 * @throws BackupError: it is no name, there is no good backup, or nothing says of which hub
 */
export async function findBackup(storage: Storage, text: string, defaultHub: string | undefined): Promise<string> {
  const wanted = parseBackupWanted(text);
  if (wanted === undefined) throw backupError('backupUnknown:name');
  if ('name' in wanted) return wanted.name;
  const hub = wanted.latestOf ?? defaultHub;
  if (hub === undefined) throw backupError('backupUnknown:hub', { others: (await latestOfAll(storage)) || 'none yet' });
  const newest = await newestGood(storage, hub);
  if (newest !== undefined) return newest.backup;
  const others = await latestOfAll(storage);
  throw others === ''
    ? backupError('backupUnknown:none', { hub })
    : backupError('backupUnknown:others', { hub, others });
}

/**
 * The hub that `latest` is of when nothing says so: the default one, or the only one. In which order the others come is
 * chance.
 */
export function hubOfLatest(hubs: ReadonlyMap<string, unknown>): string | undefined {
  if (hubs.has(DEFAULT_HUB_ALIAS)) return DEFAULT_HUB_ALIAS;
  return hubs.size === 1 ? [...hubs.keys()][0] : undefined;
}

/** The newest backup of a hub that is good. */
export async function newestGood(storage: Storage, hub: string): Promise<BackupSummary | undefined> {
  return (await listBackups(storage, hub)).find(({ state }) => state === 'good');
}

/** What may be given instead: `a/latest, b/latest`; '' where no hub has a good backup. */
async function latestOfAll(storage: Storage): Promise<string> {
  const good = (await listBackups(storage)).filter(({ state }) => state === 'good');
  return [...new Set(good.map(({ hub }) => `${hub}/latest`))].sort().join(', ');
}
