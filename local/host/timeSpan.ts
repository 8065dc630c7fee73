/**
 * Milliseconds of a .NET TimeSpan text such as `00:05:00`, `1.12:00:00` or `00:00:01.5`; undefined when it is none
 * (https://learn.microsoft.com/dotnet/standard/base-types/standard-timespan-format-strings).
 */
export function parseTimeSpan(text: string): number | undefined {
  const match = /^(-)?(?:(\d+)\.)?(\d{1,2}):(\d{1,2})(?::(\d{1,2})(\.\d{1,7})?)?$/.exec(text.trim());
  if (match === null) {
    return undefined;
  }
  const [, sign, days = '0', hours = '0', minutes = '0', seconds = '0', fraction = '0'] = match;
  if (Number(hours) > 23 || Number(minutes) > 59 || Number(seconds) > 59) {
    return undefined;
  }
  const total = ((Number(days) * 24 + Number(hours)) * 60 + Number(minutes)) * 60 + Number(seconds) + Number(fraction);
  return Math.round(total * 1000) * (sign === undefined ? 1 : -1);
}
