/** The rules of retention once more, as they are told: slow, and with nothing of the code that is tested. */

import type { RetentionPolicy } from '../../../src/lib/backup/retentionPolicy.ts';

/** What a policy keeps of good backups of one hub, none of them of the future. */
export function keptByTheObvious(names: readonly string[], policy: RetentionPolicy): string[] {
  const newestFirst = names.toSorted().reverse();
  const kept = new Set(newestFirst.slice(0, 1));
  const periods: Record<string, (name: string) => string> = {
    last: (name) => name,
    hourly: (name) => name.slice(0, 'a/2026/11/20T02'.length),
    daily: (name) => name.slice(0, 'a/2026/11/20'.length),
    weekly: (name) => weekOf(name),
    monthly: (name) => name.slice(0, 'a/2026/11'.length),
    yearly: (name) => name.slice(0, 'a/2026'.length),
  };
  for (const [rule, periodOf] of Object.entries(periods)) {
    const most = policy[rule as 'daily'] ?? 0;
    const of = new Map<string, string>();
    for (const name of newestFirst) if (!of.has(periodOf(name))) of.set(periodOf(name), name);
    for (const newest of [...of.values()].slice(0, most)) kept.add(newest);
    const oldest = newestFirst.at(-1);
    if (of.size < most && oldest !== undefined) kept.add(oldest);
  }
  const { years = 0, months = 0, days = 0, hours = 0 } = policy.within ?? {};
  const newest = newestFirst[0];
  if (newest !== undefined && years + months + days + hours > 0) {
    const at = dateOf(newest);
    const from = Date.UTC(
      at.getUTCFullYear() - years,
      at.getUTCMonth() - months,
      at.getUTCDate() - days,
      at.getUTCHours() - hours,
      at.getUTCMinutes(),
      at.getUTCSeconds(),
    );
    for (const name of newestFirst) if (dateOf(name).getTime() > from) kept.add(name);
  }
  return [...kept];
}

const weeks = new Map<string, string>();

/** Looked up where it was told before: days of ten years come again and again. */
function weekOf(name: string): string {
  const day = name.slice(0, 'a/2026/11/20'.length);
  const week = weeks.get(day) ?? isoWeek(dateOf(name));
  weeks.set(day, week);
  return week;
}

function dateOf(name: string): Date {
  const [, year, month, day, hour, minute, second] =
    /^\w+\/(\d+)\/(\d+)\/(\d+)T(\d\d)(\d\d)(\d\d)Z$/.exec(name)?.map(Number) ?? [];
  return new Date(Date.UTC(year ?? 0, (month ?? 0) - 1, day, hour, minute, second));
}

/** The year and the number of the week by ISO 8601: the week is of the year that has its Thursday. */
function isoWeek(date: Date): string {
  const thursday = new Date(date);
  while (thursday.getUTCDay() !== 4) {
    thursday.setUTCDate(thursday.getUTCDate() + (thursday.getUTCDay() === 0 || thursday.getUTCDay() > 4 ? -1 : 1));
  }
  const year = thursday.getUTCFullYear();
  let week = 0;
  for (const day = new Date(Date.UTC(year, 0, 1)); day <= thursday; day.setUTCDate(day.getUTCDate() + 1)) {
    if (day.getUTCDay() === 4) week += 1;
  }
  return `${year}-${week}`;
}
