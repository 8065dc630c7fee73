import { Cron } from 'croner';
import { parseTimeSpan } from '../timeSpan.ts';

/** When a timer is due. */
export interface Schedule {
  /** The first occurrence after the given time; undefined when there is none. */
  next(after: Date): Date | undefined;
}

const fieldRanges = [
  { name: 'second', last: 59 },
  { name: 'minute', last: 59 },
  { name: 'hour', last: 23 },
  { name: 'day', last: 31 },
  { name: 'month', last: 12 },
  { name: 'day of week', last: 6 },
] as const;

const fieldSyntax = /^(?:\*|(?:\d+|[a-z]{3})(?:-(?:\d+|[a-z]{3}))?)(?:\/\d+)?$/i;

/**
 * A timer's schedule: NCRONTAB with six fields (seconds first) or five, or a constant interval as TimeSpan
 * (https://learn.microsoft.com/azure/azure-functions/functions-bindings-timer#ncrontab-expressions). Times are those of
 * the process's zone, or of `timeZone`.
 *
 * @throws Error that says what is wrong with the text.
 */
export function parseSchedule(text: string, timeZone?: string): Schedule {
  const interval = parseTimeSpan(text);
  if (interval !== undefined) {
    if (interval <= 0) {
      throw new Error(`schedule "${text}" must be an interval above zero`);
    }
    return { next: (after) => new Date(after.getTime() + interval) };
  }
  const fields = text.trim().split(/\s+/);
  if (fields.length !== 5 && fields.length !== 6) {
    throw new Error(`schedule "${text}" must be five or six NCRONTAB fields or an interval "hh:mm:ss"`);
  }
  const ranges = fieldRanges.slice(fieldRanges.length - fields.length);
  const pattern = fields.map((field, index) => cronerField(field, ranges[index] ?? fieldRanges[0], text)).join(' ');
  let cron: Cron;
  try {
    // NCRONTAB wants the day of month and the day of week both to fit; cron's habit is either.
    cron = new Cron(pattern, { paused: true, domAndDow: true, ...(timeZone !== undefined && { timezone: timeZone }) });
  } catch (error) {
    throw new Error(`schedule "${text}" is not valid: ${error instanceof Error ? error.message : String(error)}`);
  }
  return { next: (after) => cron.nextRun(after) ?? undefined };
}

/** One field in croner's words: it lacks NCRONTAB's `5/15` (from 5 to the end), and has signs that NCRONTAB lacks. */
function cronerField(field: string, range: (typeof fieldRanges)[number], text: string): string {
  return field
    .split(',')
    .map((part) => {
      if (!fieldSyntax.test(part)) {
        throw new Error(`schedule "${text}": "${part}" is not valid in its ${range.name} field`);
      }
      const [base = '', step] = part.split('/');
      return step !== undefined && /^\d+$/.test(base) ? `${base}-${range.last}/${step}` : part;
    })
    .join(',');
}

/** Whether two of the next occurrences are less than a minute apart; the host keeps no record of such timers. */
export function isShorterThanMinute(schedule: Schedule, from: Date): boolean {
  let previous = schedule.next(from);
  for (let looked = 0; looked < 5 && previous !== undefined; looked++) {
    const following = schedule.next(previous);
    if (following !== undefined && following.getTime() - previous.getTime() < 60_000) {
      return true;
    }
    previous = following;
  }
  return false;
}
