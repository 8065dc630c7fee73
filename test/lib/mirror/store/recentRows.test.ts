import { expect, it } from 'vitest';

import { createRecentRows } from '../../../../src/lib/mirror/store/recentRows.ts';
import { rowOf } from './storeContract.ts';

const row = (deviceId: string) => ({ row: rowOf('hub', { deviceId }), etag: deviceId });
const names = Array.from({ length: 100 }, (_, n) => `d${n}`);

it('rows that were used longest ago make room for others', () => {
  const recent = createRecentRows(15_000);
  for (const name of names.slice(0, 10)) recent.keep(name, row(name), 500);
  expect(recent.get('d0')).toEqual(row('d0'));
  recent.keep('d10', row('d10'), 500);
  expect(names.slice(0, 11).filter((name) => recent.get(name) === undefined)).toEqual(['d1']);
});

it('what is kept again, or dropped, takes no room twice', () => {
  const recent = createRecentRows(15_000);
  for (let round = 0; round < 3; round += 1) for (const name of names.slice(0, 10)) recent.keep(name, row(name), 500);
  expect(names.slice(0, 10).filter((name) => recent.get(name) === undefined)).toEqual([]);
  for (const name of names) recent.drop(name);
  for (const name of names.slice(50, 60)) recent.keep(name, row(name), 500);
  expect(names.filter((name) => recent.get(name) !== undefined)).toEqual(names.slice(50, 60));
});

it('a row that is larger than all room is not kept', () => {
  const recent = createRecentRows(15_000);
  recent.keep('large', row('large'), 100_000);
  expect(recent.get('large')).toBeUndefined();
});
