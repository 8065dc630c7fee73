import { expect, it } from 'vitest';

import { createDamageLog } from '../../../../src/lib/mirror/refresh/damageLog.ts';

const at = (minutes: number) => new Date(Date.parse('2026-11-20T02:00:00.000Z') + minutes * 60_000);

it('a damaged row is told of once an hour, each by itself', () => {
  const damage = createDamageLog();
  expect([0, 1, 59, 60, 61].map((minutes) => damage.isNews('a', at(minutes)))).toEqual([
    true,
    false,
    false,
    true,
    false,
  ]);
  expect(damage.isNews('b', at(61))).toBe(true);
});

it('of many, those that were told of first make room', () => {
  const damage = createDamageLog();
  const tell = (name: number) => damage.isNews(String(name), at(0));
  for (let name = 0; name <= 1_000; name++) tell(name);
  expect([tell(1_000), tell(1), tell(0)]).toEqual([false, false, true]);
});
