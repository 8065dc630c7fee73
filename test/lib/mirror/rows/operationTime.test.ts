import { describe, expect, it } from 'vitest';

import { clockTime, operationTime } from '../../../../src/lib/mirror/rows/operationTime.ts';

describe('the time of an operation', () => {
  it.each([
    ['2026-11-20T10:11:12.1234567Z', '2026-11-20T10:11:12.1234567Z'],
    ['2026-11-20T10:11:12.123Z', '2026-11-20T10:11:12.1230000Z'],
    ['2026-11-20T10:11:12Z', '2026-11-20T10:11:12.0000000Z'],
    ['2026-11-20T10:11:12.123456789Z', '2026-11-20T10:11:12.1234567Z'],
    ['2026-11-20T10:11:12.5+00:00', '2026-11-20T10:11:12.5000000Z'],
    ['2026-11-20t10:11:12z', '2026-11-20T10:11:12.0000000Z'],
    ['2026-11-20T10:11:12.5+01:00', undefined],
    ['2026-13-20T10:11:12Z', undefined],
    ['20 Nov 2026', undefined],
    ['', undefined],
  ])('%s is %s', (text, expected) => {
    expect(operationTime(text)).toBe(expected);
  });

  it('of a clock of ours has as many digits', () => {
    expect(clockTime(new Date(0).toISOString())).toBe('1970-01-01T00:00:00.0000000Z');
    expect(() => clockTime('today')).toThrow(RangeError);
  });
});
