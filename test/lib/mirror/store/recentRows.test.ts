import { expect, it } from 'vitest';

import { createRecentRows } from '../../../../src/lib/mirror/store/recentRows.ts';

const row = (deviceId: string, text = 'x') => ({
  row: { hub: 'h', deviceId, state: 'unknown' as const, updatedAt: text.padEnd(100), changes: [] },
  etag: deviceId,
});
const names = Array.from({ length: 100 }, (_, n) => `d${n}`);
/** For ten rows and no more. */
const MOST = 10 * (JSON.stringify(row('d10')).length + 300);

it('rows that were used longest ago make room for others', () => {
  const recent = createRecentRows(MOST);
  for (const name of names.slice(0, 10)) recent.keep(name, row(name));
  expect(recent.get('d0')).toEqual(row('d0'));
  recent.keep('d10', row('d10'));
  expect(names.slice(0, 11).filter((name) => recent.get(name) === undefined)).toEqual(['d1']);
});

it('what is kept again, or dropped, takes no room twice', () => {
  const recent = createRecentRows(MOST);
  for (let round = 0; round < 3; round += 1) for (const name of names.slice(0, 10)) recent.keep(name, row(name));
  expect(names.slice(0, 10).filter((name) => recent.get(name) === undefined)).toEqual([]);
  for (const name of names) recent.drop(name);
  for (const name of names.slice(50, 60)) recent.keep(name, row(name));
  expect(names.filter((name) => recent.get(name) !== undefined)).toEqual(names.slice(50, 60));
});

it('a row that is larger than all room is not kept', () => {
  const recent = createRecentRows(MOST);
  recent.keep('large', row('large', 'x'.repeat(MOST)));
  expect(recent.get('large')).toBeUndefined();
});
