/**
 * Six-field NCRONTAB, seconds first, as the timers of Azure Functions read it
 * (https://learn.microsoft.com/azure/azure-functions/functions-bindings-timer#ncrontab-expressions): for settings that are
 * checked when the app is loaded, and to tell when a timer is due next. The timer itself is the host's.
 */

/** When something is due, in UTC; of the parts of an instant, those at which it may be. */
export interface Schedule {
  readonly seconds: ReadonlySet<number>;
  readonly minutes: ReadonlySet<number>;
  readonly hours: ReadonlySet<number>;
  readonly days: ReadonlySet<number>;
  /** From 1. */
  readonly months: ReadonlySet<number>;
  /** From 0, Sunday. */
  readonly weekdays: ReadonlySet<number>;
}

interface Field {
  readonly part: keyof Schedule;
  readonly name: string;
  readonly first: number;
  readonly last: number;
  /** Names of its values, from `first` on; the first three letters do. */
  readonly names?: readonly string[];
}

const MONTHS = 'january february march april may june july august september october november december'.split(' ');
const WEEKDAYS = 'sunday monday tuesday wednesday thursday friday saturday'.split(' ');

const FIELDS: readonly Field[] = [
  { part: 'seconds', name: 'second', first: 0, last: 59 },
  { part: 'minutes', name: 'minute', first: 0, last: 59 },
  { part: 'hours', name: 'hour', first: 0, last: 23 },
  { part: 'days', name: 'day of the month', first: 1, last: 31 },
  { part: 'months', name: 'month', first: 1, last: 12, names: MONTHS },
  { part: 'weekdays', name: 'day of the week', first: 0, last: 6, names: WEEKDAYS },
];

const DAY_MS = 24 * 60 * 60_000;
/** A 29th of February that is a certain day of the week comes every 28 years, and around a century without one after 40. */
const FARTHEST_DAYS = 41 * 366;

/** A schedule; or what is wrong with the text, to go on after the name of the setting, without the text itself. */
export type ParsedSchedule = { readonly schedule: Schedule } | { readonly problem: string };

export function parseSchedule(text: string): ParsedSchedule {
  const fields = text.trim().split(/\s+/);
  if (fields.length !== FIELDS.length) {
    return { problem: 'must be an NCRONTAB expression of six fields, seconds first, such as "0 0 2 * * *".' };
  }
  const parts: Partial<Record<keyof Schedule, ReadonlySet<number>>> = {};
  for (const [index, field] of FIELDS.entries()) {
    const values = numbersIn(fields[index] ?? '', field);
    if (values === undefined) {
      const names = field.names === undefined ? '' : ` or names such as ${field.names[1]?.slice(0, 3).toUpperCase()}`;
      return {
        problem:
          `must be an NCRONTAB expression: field ${index + 1}, the ${field.name}, takes *, numbers from ${field.first} ` +
          `to ${field.last}${names}, lists (1,2), ranges that rise (1-5) and steps (*/5).`,
      };
    }
    parts[field.part] = values;
  }
  const schedule = parts as Schedule;
  if (nextRun(schedule, new Date(0)) === undefined) {
    return { problem: 'must be a time that comes: its month never has its day.' };
  }
  return { schedule };
}

/** The first instant after `after` at which it is due, a whole second; undefined: it never is. */
export function nextRun(schedule: Schedule, after: Date): Date | undefined {
  const from = Math.floor(after.getTime() / 1000) * 1000 + 1000;
  const firstDay = Math.floor(from / DAY_MS) * DAY_MS;
  for (let day = 0; day < FARTHEST_DAYS; day++) {
    const midnight = firstDay + day * DAY_MS;
    if (!isDay(schedule, new Date(midnight))) continue;
    const time = timeFrom(schedule, day === 0 ? (from - midnight) / 1000 : 0);
    if (time !== undefined) return new Date(midnight + time * 1000);
  }
  return undefined;
}

/** Both days have to fit, that of the month and that of the week; cron takes either. */
function isDay({ days, months, weekdays }: Schedule, date: Date): boolean {
  return months.has(date.getUTCMonth() + 1) && days.has(date.getUTCDate()) && weekdays.has(date.getUTCDay());
}

/** The first second of a day, from `least` on. */
function timeFrom({ hours, minutes, seconds }: Schedule, least: number): number | undefined {
  for (let hour = Math.floor(least / 3600); hour < 24; hour++) {
    if (!hours.has(hour)) continue;
    for (let minute = 0; minute < 60; minute++) {
      const start = hour * 3600 + minute * 60;
      if (!minutes.has(minute) || start + 59 < least) continue;
      for (let second = Math.max(0, least - start); second < 60; second++)
        if (seconds.has(second)) return start + second;
    }
  }
  return undefined;
}

function numbersIn(text: string, field: Field): ReadonlySet<number> | undefined {
  const values = new Set<number>();
  for (const item of text.split(',')) {
    const [, from = '', to, step] = /^(\*|\w+)(?:-(\w+))?(?:\/(\d{1,4}))?$/.exec(item) ?? [];
    const every = step === undefined ? 1 : Number(step);
    const isAll = from === '*';
    const first = isAll ? field.first : numberIn(from, field);
    // NCRONTAB goes on to the end from a number with a step.
    const last = to === undefined ? (isAll || step !== undefined ? field.last : first) : numberIn(to, field);
    if (first === undefined || last === undefined || first > last || every === 0 || (isAll && to !== undefined)) {
      return undefined;
    }
    for (let value = first; value <= last; value += every) values.add(value);
  }
  return values;
}

function numberIn(text: string, { first, last, names = [] }: Field): number | undefined {
  const word = text.toLowerCase();
  const named = names.findIndex((name) => name === word || name.slice(0, 3) === word);
  if (named >= 0) return first + named;
  const value = /^\d{1,2}$/.test(text) ? Number(text) : Number.NaN;
  return value >= first && value <= last ? value : undefined;
}

/** The second one gets this part of a period to be finished, and at most that long. */
const FINISH_PART = 0.5;
const FINISH_MS = 2 * 60 * 60_000;

/** Whether what is done on a schedule was due twice since `last`, and should have been finished by now. */
export function isOverdue(schedule: Schedule, last: Date, now: Date): boolean {
  const first = nextRun(schedule, last);
  const second = first && nextRun(schedule, first);
  if (first === undefined || second === undefined) return false;
  const toFinish = Math.min(FINISH_MS, (second.getTime() - first.getTime()) * FINISH_PART);
  return now.getTime() > second.getTime() + toFinish;
}

/** Timers may fire a little early. */
const EARLY_MS = 1_000;
const LOOK_BACK_MS = [2_000, 60_000, 60 * 60_000, DAY_MS, 32 * DAY_MS, 366 * DAY_MS];

/**
 * The time for which a timer that fires now was due: the latest there was, so that one that fires twice, or late, is for
 * the same.
 */
export function dueSlot(text: string, now: Date): Date {
  const parsed = parseSchedule(text);
  const end = now.getTime() + EARLY_MS;
  if ('problem' in parsed) return now;
  for (const back of LOOK_BACK_MS) {
    let due = nextRun(parsed.schedule, new Date(end - back));
    if (due === undefined || due.getTime() > end) continue;
    for (let next = nextRun(parsed.schedule, due); next !== undefined && next.getTime() <= end; ) {
      due = next;
      next = nextRun(parsed.schedule, due);
    }
    return due;
  }
  return now;
}
