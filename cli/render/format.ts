/** Numbers and times as people read them. */

import { bytesText } from '../../src/lib/bytesText.ts';
import { countText } from '../../src/lib/countText.ts';

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** `1,234,567` */
export const formatCount = countText;

/** `4 min` of `4 min 59 s` */
export function largestUnit(duration: string): string {
  return duration.split(' ').slice(0, 2).join(' ');
}

/** `4.2 KB` */
export const formatBytes = bytesText;

/** `1 line`, `2,000 lines` */
export function formatPlural(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

/** `0.4 s`, `12 s`, `2 min 5 s`, `1 h 4 min`, `3 d 2 h` */
export function formatDuration(ms: number): string {
  const tenths = Math.max(0, Math.round(ms / 100));
  if (tenths < 100) return `${(tenths / 10).toFixed(1).replace(/\.0$/, '')} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < MINUTE) return `${seconds} s`;
  if (seconds < HOUR) return pair(seconds, MINUTE, 'min', 1, 's');
  if (seconds < DAY) return pair(seconds, HOUR, 'h', MINUTE, 'min');
  return pair(seconds, DAY, 'd', HOUR, 'h');
}

function pair(seconds: number, large: number, largeUnit: string, small: number, smallUnit: string): string {
  const rest = Math.floor((seconds % large) / small);
  return `${Math.floor(seconds / large)} ${largeUnit}${rest === 0 ? '' : ` ${rest} ${smallUnit}`}`;
}

/** `1,240/s`, `3.5/s` */
export function formatRate(perSecond: number): string {
  return perSecond < 10 ? `${perSecond.toFixed(1)}/s` : `${formatCount(Math.round(perSecond))}/s`;
}

/** `2026-11-20 10:11:12 UTC`, `2026-11-20 11:11:12 UTC+01:00`: in local time, with its zone. */
export function formatTime(iso: string): string {
  const time = new Date(iso);
  if (Number.isNaN(time.getTime())) return iso;
  const two = (value: number): string => String(value).padStart(2, '0');
  const date = `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
  const clock = `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`;
  const ahead = -time.getTimezoneOffset();
  const away = Math.abs(ahead);
  const offset = ahead === 0 ? '' : `${ahead < 0 ? '-' : '+'}${two(Math.floor(away / 60))}:${two(away % 60)}`;
  return `${date} ${clock} UTC${offset}`;
}
