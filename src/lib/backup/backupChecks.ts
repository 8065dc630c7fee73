/** How the backups of all hubs stand, for whoever asks often. */

import type { Logger } from '../logger.ts';
import { ensureContainer } from '../storage/ensureContainer.ts';
import { readJson, writeJson } from '../storage/jsonBlob.ts';
import { BACKUPS_CONTAINER, type Storage } from '../storage/storage.ts';
import { isArchived, isImmutable } from '../storage/storageErrors.ts';
import { measure } from '../telemetry/telemetry.ts';
import { type BackupHealth, backupHealth } from './backupHealth.ts';
import { listBackups } from './catalogue.ts';
import { parseSchedule } from './schedule.ts';

export interface BackupChecks {
  /** Of each hub. Logs one warning an hour of each that is overdue. */
  check(log: Pick<Logger, 'log'>): Promise<readonly BackupHealth[]>;
}

export interface BackupChecksOptions {
  readonly storage: Storage;
  /** Aliases. */
  readonly hubs: readonly string[];
  /** Six-field NCRONTAB; undefined: backups are made on demand only. */
  readonly schedule: string | undefined;
  readonly now: () => Date;
}

/** Since when a hub has had its schedule, in the folder of its backups. */
interface Since {
  readonly schedule: string;
  /** ISO UTC. */
  readonly at: string;
}

const SINCE_FILE = 'schedule.json';
/** To find out costs requests for each backup there is. */
const KNOWN_MS = 10_000;
const WARN_MS = 60 * 60_000;

export function createBackupChecks({ storage, hubs, schedule, now }: BackupChecksOptions): BackupChecks {
  const warnedAt = new Map<string, number>();
  let known: { readonly at: number; readonly found: Promise<readonly BackupHealth[]> } | undefined;
  const parsed = schedule === undefined ? undefined : parseSchedule(schedule);
  const find = async (): Promise<readonly BackupHealth[]> => {
    const backups = await listBackups(storage);
    return Promise.all(
      hubs.map(async (hub) => {
        const since = await sinceWhen(storage, hub, schedule, now());
        const health = backupHealth({
          hub,
          backups,
          schedule: parsed !== undefined && 'schedule' in parsed ? parsed.schedule : undefined,
          now: now(),
          since,
        });
        // Where there is no good one: for how long there could have been.
        const waited = schedule === undefined ? undefined : (now().getTime() - since.getTime()) / 1000;
        const age = health.ageSeconds ?? waited;
        if (age !== undefined) measure('hubkeeper.backup.age', age, { hub });
        return health;
      }),
    );
  };
  return {
    async check(log) {
      const at = now().getTime();
      if (known === undefined || at - known.at >= KNOWN_MS) known = { at, found: find() };
      const asked = known;
      const found = await asked.found.catch((error: unknown) => {
        // The next question is asked anew.
        if (known === asked) known = undefined;
        throw error;
      });
      for (const { hub, problem } of found) {
        if (problem === undefined || at - (warnedAt.get(hub) ?? Number.NEGATIVE_INFINITY) < WARN_MS) continue;
        warnedAt.set(hub, at);
        log.log('warn', problem);
      }
      return found;
    },
  };
}

/** A backup cannot be overdue by a schedule that was not there yet; one that was changed begins anew. */
async function sinceWhen(storage: Storage, hub: string, schedule: string | undefined, now: Date): Promise<Date> {
  if (schedule === undefined) return now;
  const container = storage.container(BACKUPS_CONTAINER);
  const blob = container.getBlockBlobClient(`${hub}/${SINCE_FILE}`);
  const before = await readJson<Since>(blob).catch(async (error: unknown) => {
    if (!isArchived(error)) throw error;
    // It lies there, untouched, since it was written.
    return (await blob.getProperties()).lastModified ?? now;
  });
  if (before instanceof Date) return before;
  const at = before?.value.schedule === schedule ? Date.parse(before.value.at) : Number.NaN;
  if (!Number.isNaN(at)) return new Date(at);
  await ensureContainer(container);
  const since: Since = { schedule, at: now.toISOString() };
  try {
    await writeJson(blob, since, before === undefined ? { ifAbsent: true } : { ifMatch: before.etag });
  } catch (error) {
    // A container that keeps what it has keeps the first schedule: that was there no later.
    if (!isImmutable(error)) throw error;
    const first = before === undefined ? Number.NaN : Date.parse(before.value.at);
    return Number.isNaN(first) ? now : new Date(first);
  }
  return now;
}
