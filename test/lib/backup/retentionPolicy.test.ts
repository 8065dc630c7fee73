import { describe, expect, it } from 'vitest';

import { parseRetentionPolicy } from '../../../src/lib/backup/retentionPolicy.ts';

describe('a policy', () => {
  it.each([
    ['daily=14,weekly=8,monthly=12', { daily: 14, weekly: 8, monthly: 12 }],
    [' Last=1 , yearly = 0 ', { last: 1, yearly: 0 }],
    ['hourly=24,within=1y2m3d4h', { hourly: 24, within: { years: 1, months: 2, days: 3, hours: 4 } }],
    ['within=30d', { within: { years: 0, months: 0, days: 30, hours: 0 } }],
    ['within=1d1d', { within: { years: 0, months: 0, days: 2, hours: 0 } }],
  ])('%s', (text, policy) => {
    expect(parseRetentionPolicy(text)).toEqual({ policy });
  });

  it.each([
    ['', 'would keep nothing'],
    ['daily=0,within=0d', 'would keep nothing'],
    ['daily=7,fortnightly=2', 'part 2 names none of last, hourly'],
    ['7', 'part 1 names none'],
    ['daily', 'part 1 must be "daily="'],
    ['daily=', 'part 1 must be "daily="'],
    ['daily=7=8', 'part 1 must be "daily="'],
    ['daily=many', 'part 1 must be a whole number'],
    ['weekly=1,daily=-1', 'part 2 must be a whole number'],
    ['daily=1.5', 'part 1 must be a whole number'],
    ['daily=1e3', 'part 1 must be a whole number'],
    ['daily=10000000', 'part 1 must be a whole number'],
    ['daily=1,daily=2', 'part 2 has "daily" once more'],
    ['daily=1,', 'part 2 names none'],
    ['within=2w', 'two weeks are 14d'],
    ['within=30', 'part 1 must be a time'],
    ['within=-1d', 'part 1 must be a time'],
  ])('"%s" is refused by name', (text, says) => {
    expect(parseRetentionPolicy(text)).toEqual({ problem: expect.stringContaining(says) });
  });
});
