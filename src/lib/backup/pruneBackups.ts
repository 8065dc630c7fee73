import { safeError } from '../redact.ts';
import { unfinishedRuns } from '../runs/unfinishedRuns.ts';
import type { WorkContext, WorkRun } from '../work/workRun.ts';
import { parseBackupName } from './backupName.ts';
import { listBackups } from './catalogue.ts';
import { removeBackup } from './removeBackup.ts';
import { applyRetention, type RemoveReason, type Retention } from './retention.ts';

export interface PruneOptions {
  /** Alias; absent: those of all hubs. */
  readonly hub?: string | undefined;
  /** Nothing is removed. Default: false. */
  readonly dryRun?: boolean;
}

/** What became of a backup that no rule keeps; `immutable`: storage keeps it; `failed`: see the log. */
export type PruneOutcome = 'removed' | 'immutable' | 'failed' | 'wouldBeRemoved';

export interface Pruned extends Pick<Retention, 'keep'> {
  readonly remove: readonly {
    readonly backup: string;
    readonly reason: RemoveReason;
    readonly outcome: PruneOutcome;
  }[];
}

type PruneContext = Pick<WorkContext, 'storage' | 'settings' | 'runs' | 'now' | 'log'>;

/** Removes what `BACKUP_KEEP` does not keep and no run reads. What cannot be removed does not hold up the others. */
export async function pruneBackups(context: PruneContext, { hub, dryRun = false }: PruneOptions): Promise<Pruned> {
  const { storage, settings, now, log } = context;
  const backups = await listBackups(storage, hub);
  // After the listing: a run that has named a backup by then is seen.
  const held = await heldBackups(context);
  const { keep, remove } = applyRetention(backups, settings.backups.keep, now(), held);
  const outcomes: { backup: string; reason: RemoveReason; outcome: PruneOutcome }[] = [];
  for (const { backup, reason } of remove) {
    const outcome = dryRun ? 'wouldBeRemoved' : await removeOne(context, backup);
    if (outcome === 'removed') log.log('info', `backup ${backup} was removed (${reason})`);
    outcomes.push({ backup, reason, outcome });
  }
  return { keep, remove: outcomes };
}

async function removeOne({ storage, log }: PruneContext, backup: string): Promise<PruneOutcome> {
  try {
    const removal = await removeBackup(storage, backup);
    if (removal === 'immutable') log.log('info', `backup ${backup} is immutable in storage: it stays`);
    return removal;
  } catch (error) {
    log.log('warn', `backup ${backup} was not removed: ${safeError(error).message}`);
    return 'failed';
  }
}

/** Names of backups in what was asked of runs that have not ended, and in what they note. */
async function heldBackups({ runs }: PruneContext): Promise<string[]> {
  return (await unfinishedRuns(runs)).flatMap(namesIn);
}

function namesIn({ request, notes }: Partial<WorkRun>): string[] {
  return [request, notes]
    .flatMap((words) => Object.values(words ?? {}))
    .flat()
    .filter((value): value is string => typeof value === 'string' && parseBackupName(value) !== undefined);
}
