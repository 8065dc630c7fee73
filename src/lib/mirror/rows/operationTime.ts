/** Times of operations: ISO UTC with seven digits, as hubs write them. Compared as text: a Date would cut them to three. */

const ISO = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?(?:Z|[+-]00:?00)$/i;

/** A time with seven digits, whatever number of them it is written with; undefined when it is no such time. */
export function operationTime(text: string): string | undefined {
  const [, seconds, digits = ''] = ISO.exec(text) ?? [];
  if (seconds === undefined || Number.isNaN(Date.parse(`${seconds}Z`))) return undefined;
  return `${seconds.toUpperCase()}.${digits.slice(0, 7).padEnd(7, '0')}Z`;
}

/** The same of a time of ours, or of a service: one that is certain to be a time. */
export function clockTime(iso: string): string {
  const time = operationTime(iso);
  if (time === undefined) throw new RangeError('The time is not ISO UTC.');
  return time;
}
