import { defined } from '../defined.ts';
import type { BackupSummary } from './catalogue.ts';
import { isOverdue, nextRun, type Schedule } from './schedule.ts';
import type { Verification } from './verification.ts';

/** How the backups of a hub stand. */
export interface BackupHealth {
  readonly hub: string;
  /** Name of the newest good one. */
  readonly lastGood?: string;
  readonly ageSeconds?: number;
  /** Of the newest good one. */
  readonly lastVerification?: Verification;
  /** ISO UTC; absent: backups are made on demand only. */
  readonly nextRun?: string;
  readonly overdue: boolean;
  /** What is wrong, and what to do; absent when all is well. */
  readonly problem?: string;
}

export interface BackupHealthOf {
  readonly hub: string;
  /** Newest first; those of other hubs do not count. */
  readonly backups: readonly BackupSummary[];
  /** Undefined: on demand only; nothing is ever overdue then. */
  readonly schedule: Schedule | undefined;
  readonly now: Date;
  /** Since when there is this schedule. */
  readonly since: Date;
}

/**
 * Overdue: two backups were due since the newest good one and neither became good. One that failed is made up for by the
 * next, and nobody has to be woken; two that failed do not fail by chance.
 */
export function backupHealth({ hub, backups, schedule, now, since }: BackupHealthOf): BackupHealth {
  const ofHub = backups.filter((backup) => backup.hub === hub && Date.parse(backup.at) <= now.getTime());
  const good = ofHub.find(({ state }) => state === 'good');
  const goodAt = good === undefined ? undefined : Date.parse(good.at);
  const last = new Date(Math.max(since.getTime(), goodAt ?? 0));
  const overdue = schedule !== undefined && isOverdue(schedule, last, now);
  return {
    hub,
    ...defined({
      lastGood: good?.backup,
      ageSeconds: goodAt === undefined ? undefined : Math.floor((now.getTime() - goodAt) / 1000),
      lastVerification: good?.lastVerification,
      nextRun: schedule === undefined ? undefined : nextRun(schedule, now)?.toISOString(),
    }),
    overdue,
    ...(overdue ? { problem: problemOf(hub, good, ofHub[0]) } : {}),
  };
}

function problemOf(hub: string, good: BackupSummary | undefined, newest: BackupSummary | undefined): string {
  const has =
    good === undefined
      ? `The hub ${hub} has no good backup`
      : `The newest good backup of the hub ${hub} is ${good.backup}`;
  const since = newest?.problem === undefined || newest === good ? '' : ` ${newest.problem}`;
  return `${has}, and the last two that were due did not become good.${since} Look at hubkeeper backups and at the log of the app.`;
}
