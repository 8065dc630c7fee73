import { safeError } from '../redact.ts';
import type { DamagedRun } from '../runs/runStore.ts';
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

/**
 * What became of a backup that no rule keeps; `immutable`: storage keeps it; `failed`: see the log; `mayBeHeld`: a run that
 * has not ended may read it, for its record cannot be read.
 */
export type PruneOutcome = 'removed' | 'immutable' | 'failed' | 'wouldBeRemoved' | 'mayBeHeld';

export interface Pruned extends Pick<Retention, 'keep'> {
  readonly remove: readonly {
    readonly backup: string;
    readonly reason: RemoveReason;
    readonly outcome: PruneOutcome;
  }[];
  /** Runs that have not ended and whose records cannot be read. Nothing is removed as long as there is one. */
  readonly damagedRuns?: readonly DamagedRun[];
}

type PruneContext = Pick<WorkContext, 'storage' | 'settings' | 'runs' | 'now' | 'log'>;

/** Removes what `BACKUP_KEEP` does not keep and no run reads. What cannot be removed does not hold up the others. */
export async function pruneBackups(context: PruneContext, { hub, dryRun = false }: PruneOptions): Promise<Pruned> {
  const { storage, settings, now, log } = context;
  const backups = await listBackups(storage, hub);
  // After the listing: a run that has named a backup by then is seen.
  const { records, damaged } = await unfinishedRuns(context.runs);
  const { keep, remove } = applyRetention(backups, settings.backups.keep, now(), records.flatMap(namesIn));
  if (damaged.length > 0) return leaveAll(context, { keep, remove }, damaged);
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

function leaveAll(
  { log }: Pick<PruneContext, 'log'>,
  { keep, remove }: Retention,
  damagedRuns: readonly DamagedRun[],
): Pruned {
  for (const { damaged } of damagedRuns) {
    log.log(
      'warn',
      `no backup is removed, for a run that has not ended may read it. ${damaged.message} ${damaged.action}`,
    );
  }
  return { keep, remove: remove.map((each) => ({ ...each, outcome: 'mayBeHeld' })), damagedRuns };
}

/** Names of backups in what was asked of a run, and in what it notes. */
function namesIn({ request, notes }: Partial<WorkRun>): string[] {
  return [request, notes]
    .flatMap((words) => Object.values(words ?? {}))
    .flat()
    .filter((value): value is string => typeof value === 'string' && parseBackupName(value) !== undefined);
}
