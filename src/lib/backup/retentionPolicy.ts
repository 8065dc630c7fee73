/** Which backups are to be kept, as a setting or a flag says it: `daily=14,weekly=8,monthly=12`, in the words of restic. */

export const CALENDAR_RULES = ['last', 'hourly', 'daily', 'weekly', 'monthly', 'yearly'] as const;
export type CalendarRule = (typeof CALENDAR_RULES)[number];

/** A span of time as the calendar counts it. */
export interface Span {
  readonly years: number;
  readonly months: number;
  readonly days: number;
  readonly hours: number;
}

/** What any of its rules keeps is kept. At least one of them keeps something. */
export interface RetentionPolicy extends Readonly<Partial<Record<CalendarRule, number>>> {
  readonly within?: Span;
}

const WORDS = [...CALENDAR_RULES, 'within'] as const;
const EXAMPLE = 'such as "daily=14,weekly=8,monthly=12"';
/** More than anybody counts; more digits would be rounded. */
const MOST = 1_000_000;

/** A policy; or what is wrong with the text, to go on after the name of the setting, without the text itself. */
export type ParsedPolicy = { readonly policy: RetentionPolicy } | { readonly problem: string };

export function parseRetentionPolicy(text: string): ParsedPolicy {
  const policy: { -readonly [Rule in keyof RetentionPolicy]: RetentionPolicy[Rule] } = {};
  const parts = text.trim() === '' ? [] : text.split(',');
  for (const [index, part] of parts.entries()) {
    const wrong = (what: string) => ({ problem: `must be a list ${EXAMPLE}: part ${index + 1} ${what}.` });
    const [name = '', value, ...more] = part.split('=').map((piece) => piece.trim());
    const word = WORDS.find((known) => known === name.toLowerCase());
    if (word === undefined) return wrong(`names none of ${WORDS.join(', ')}`);
    if (value === undefined || value === '' || more.length > 0) return wrong(`must be "${word}=" and one value`);
    if (policy[word] !== undefined) return wrong(`has "${word}" once more`);
    if (word === 'within') {
      const span = parseSpan(value);
      if (span === undefined) {
        return wrong('must be a time of years, months, days and hours such as "within=1y6m30d12h" (two weeks are 14d)');
      }
      policy.within = span;
    } else {
      const count = /^\d+$/.test(value) ? Number(value) : Number.NaN;
      if (!(count <= MOST)) return wrong(`must be a whole number from 0 to ${MOST}, such as "${word}=14"`);
      policy[word] = count;
    }
  }
  if (!keepsSomething(policy)) {
    return { problem: `would keep nothing: give at least one rule that is above 0, ${EXAMPLE}.` };
  }
  return { policy };
}

function keepsSomething({ within, ...counts }: RetentionPolicy): boolean {
  return [...Object.values(counts), ...Object.values(within ?? {})].some((count) => count > 0);
}

function parseSpan(text: string): Span | undefined {
  if (!/^(?:\d{1,6}[ymdh])+$/.test(text)) return undefined;
  const units = { y: 0, m: 0, d: 0, h: 0 };
  for (const [, count, unit] of text.matchAll(/(\d+)([ymdh])/g)) units[unit as keyof typeof units] += Number(count);
  return { years: units.y, months: units.m, days: units.d, hours: units.h };
}
