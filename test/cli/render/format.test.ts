import { afterEach, expect, test, vi } from 'vitest';

import { formatBytes, formatDuration, formatPlural, formatRate, formatTime } from '../../../cli/render/format.ts';

test.each([
  [0, '0 s'],
  [440, '0.4 s'],
  [1000, '1 s'],
  [9949, '9.9 s'],
  [9950, '10 s'],
  [59_400, '59 s'],
  [60_000, '1 min'],
  [125_000, '2 min 5 s'],
  [3_600_000, '1 h'],
  [3_840_000, '1 h 4 min'],
  [266_400_000, '3 d 2 h'],
  [-5, '0 s'],
])('%i ms is %s', (ms, text) => {
  expect(formatDuration(ms)).toBe(text);
});

test.each([
  [0, '0 B'],
  [999, '999 B'],
  [1000, '1 KB'],
  [4240, '4.2 KB'],
  [41_200, '41 KB'],
  [999_600, '1 MB'],
  [400_000_000, '400 MB'],
  [2_500_000_000, '2.5 GB'],
])('%i bytes are %s', (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});

test('counts have thousands separators, and one is singular', () => {
  expect(formatPlural(1, 'line')).toBe('1 line');
  expect(formatPlural(1_000_000, 'line')).toBe('1,000,000 lines');
  expect(formatRate(1240.4)).toBe('1,240/s');
  expect(formatRate(3.52)).toBe('3.5/s');
});

afterEach(() => {
  vi.unstubAllEnvs();
});

test.each([
  ['UTC', '2026-11-20 10:11:12 UTC'],
  ['Europe/Berlin', '2026-11-20 11:11:12 UTC+01:00'],
  ['America/St_Johns', '2026-11-20 06:41:12 UTC-03:30'],
])('times are those of the place (%s), and say so', (zone, text) => {
  vi.stubEnv('TZ', zone);
  expect(formatTime('2026-11-20T10:11:12.000Z')).toBe(text);
});
