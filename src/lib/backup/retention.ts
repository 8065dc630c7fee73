/**
 * Which backups are kept, by the rules of `restic forget`
 * (https://restic.readthedocs.io/en/stable/060_forget.html#removing-snapshots-according-to-a-policy), in UTC: what any rule
 * keeps is kept; a rule of the calendar keeps the newest of each period, and only periods that have a backup count; a rule
 * that finds too few of them keeps the oldest backup, too; `within` counts from the newest.
 *
 * Rules are for good backups alone, so that none of them gives its place to one that nobody can restore. Those in the
 * archive tier are among them: they can be restored once they are out of it.
 */

import { parseBackupName } from './backupName.ts';
import type { BackupSummary } from './catalogue.ts';
import { CALENDAR_RULES, type CalendarRule, type RetentionPolicy, type Span } from './retentionPolicy.ts';

export type RetentionCandidate = Pick<BackupSummary, 'backup' | 'state' | 'keepUntil'>;

/**
 * Why a backup is kept. `oldest`: a rule has too few. `newestGood`: whatever the policy says. `held`: somebody reads it,
 * or it is kept for a time whatever the rules say.
 * `future`: of a time that is still to come. `mayBeWritten`: unfinished, and not old enough to be given up.
 * `newer`: only a newer version of HubKeeper can tell what it is.
 */
export type KeepReason =
  | CalendarRule
  | 'within'
  | 'oldest'
  | 'newestGood'
  | 'held'
  | 'future'
  | 'mayBeWritten'
  | 'newer';

/** Why one is removed: no rule keeps it, or it was given up before it was finished. */
export type RemoveReason = 'noRule' | 'givenUp';

export interface Retention {
  /** Newest first. */
  readonly keep: readonly { readonly backup: string; readonly reasons: readonly KeepReason[] }[];
  readonly remove: readonly { readonly backup: string; readonly reason: RemoveReason }[];
}

/** No backup takes longer: the export job of the largest registries has 12 hours. */
const UNFINISHED_DAYS = 2;
const HOUR_MS = 60 * 60_000;
const DAY_MS = 24 * HOUR_MS;

interface Candidate {
  readonly backup: string;
  readonly hub: string;
  readonly state: BackupSummary['state'];
  readonly at: number;
  readonly keepUntil: string | undefined;
  readonly reasons: KeepReason[];
}

/**
 * @param backups of any number of hubs: each hub is looked at by itself
 * @param held names of those that somebody reads, such as a restore
 */
export function applyRetention(
  backups: readonly RetentionCandidate[],
  policy: RetentionPolicy,
  now: Date,
  held: readonly string[] = [],
): Retention {
  const all = backups.map(candidateOf).sort((a, b) => b.at - a.at || (a.backup < b.backup ? -1 : 1));
  for (const hub of new Set(all.map((candidate) => candidate.hub))) {
    const ofHub = all.filter((candidate) => candidate.hub === hub);
    const good = ofHub.filter(({ state }) => state === 'good' || state === 'archived');
    applyRules(good, policy, now);
    const past = good.filter(({ at }) => at <= now.getTime());
    (past.find(({ state }) => state === 'good') ?? past[0])?.reasons.push('newestGood');
    // By themselves, so that they take the place of none that is good, and still do not lie there for ever.
    applyRules(
      ofHub.filter(({ state }) => state === 'countMismatch' || state === 'damaged'),
      policy,
      now,
    );
    for (const candidate of ofHub) candidate.reasons.push(...otherReasons(candidate, now, held));
  }
  return {
    keep: all.filter(({ reasons }) => reasons.length > 0).map(({ backup, reasons }) => ({ backup, reasons })),
    remove: all
      .filter(({ reasons }) => reasons.length === 0)
      .map(({ backup, state }) => ({ backup, reason: state === 'unfinished' ? 'givenUp' : 'noRule' })),
  };
}

function candidateOf({ backup, state, keepUntil }: RetentionCandidate): Candidate {
  const named = parseBackupName(backup);
  if (named === undefined) throw new RangeError('What is no name of a backup cannot be judged.');
  return { backup, state, hub: named.hub, at: named.at.getTime(), keepUntil, reasons: [] };
}

function otherReasons({ backup, state, at, keepUntil }: Candidate, now: Date, held: readonly string[]): KeepReason[] {
  const age = now.getTime() - at;
  return [
    ...(held.includes(backup) || (keepUntil !== undefined && Date.parse(keepUntil) > now.getTime())
      ? (['held'] as const)
      : []),
    ...(age < 0 ? (['future'] as const) : []),
    ...(state === 'newer' ? (['newer'] as const) : []),
    ...(state === 'unfinished' && age <= UNFINISHED_DAYS * DAY_MS ? (['mayBeWritten'] as const) : []),
  ];
}

/** @param candidates newest first */
function applyRules(candidates: readonly Candidate[], { within, ...counts }: RetentionPolicy, now: Date): void {
  const from = within === undefined ? undefined : startOf(candidates, within, now);
  const oldest = candidates.at(-1);
  for (const candidate of candidates) if (from !== undefined && candidate.at > from) candidate.reasons.push('within');
  for (const rule of CALENDAR_RULES) {
    let left = counts[rule] ?? 0;
    let last: string | undefined;
    for (const [index, candidate] of candidates.entries()) {
      if (left === 0) break;
      const period = rule === 'last' ? String(index) : periodOf(rule, new Date(candidate.at));
      if (period !== last) candidate.reasons.push(rule);
      else if (candidate === oldest) candidate.reasons.push('oldest');
      else continue;
      last = period;
      left -= 1;
    }
  }
}

/** What `within` keeps is newer than this; it counts from the newest that is not of the future. */
function startOf(
  candidates: readonly Candidate[],
  { years, months, days, hours }: Span,
  now: Date,
): number | undefined {
  // A time of nothing is no rule.
  if (years + months + days + hours === 0) return undefined;
  const newest = candidates.find(({ at }) => at <= now.getTime());
  if (newest === undefined) return undefined;
  const start = new Date(newest.at);
  // At once, for a month that is too short goes on into the next: the 31st of March less a month is the 3rd of March.
  start.setUTCFullYear(start.getUTCFullYear() - years, start.getUTCMonth() - months, start.getUTCDate() - days);
  return start.getTime() - hours * HOUR_MS;
}

function periodOf(rule: Exclude<CalendarRule, 'last'>, at: Date): string {
  const iso = at.toISOString();
  switch (rule) {
    case 'hourly':
      return iso.slice(0, 13);
    case 'daily':
      return iso.slice(0, 10);
    case 'weekly':
      return mondayOf(at);
    case 'monthly':
      return iso.slice(0, 7);
    case 'yearly':
      return iso.slice(0, 4);
  }
}

/** Weeks begin on Monday, as those of ISO 8601. */
function mondayOf(at: Date): string {
  const sinceMonday = (at.getUTCDay() + 6) % 7;
  return new Date(at.getTime() - sinceMonday * DAY_MS).toISOString().slice(0, 10);
}
