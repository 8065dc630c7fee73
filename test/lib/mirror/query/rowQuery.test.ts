import { describe, expect, it, test } from 'vitest';

import { matches, parseRowQuery } from '../../../../src/lib/mirror/query/rowQuery.ts';
import type { MirrorRow } from '../../../../src/lib/mirror/rows/row.ts';
import { rowOf, tagged } from './sampleRows.ts';

const parse = (query: string) => parseRowQuery(new URLSearchParams(query), ['east', 'default']);

describe('the parameters of a query', () => {
  it.each([
    ['', { tags: [], modules: 'none', limit: 100 }],
    ['code=KEY&clientId=default&limit=1', { tags: [], modules: 'none', limit: 1 }],
    ['hub=EAST&id=a%23b', { hub: 'east', id: 'a#b', tags: [], modules: 'none', limit: 100 }],
    ['prefix=p%2B&limit=1000', { prefix: 'p+', tags: [], modules: 'none', limit: 1000 }],
    ['status=Disabled&edge=TRUE', { status: 'disabled', edge: true, tags: [], modules: 'none', limit: 100 }],
    ['edge=false&modules=false', { edge: false, tags: [], modules: 'none', limit: 100 }],
    ['modules=true', { tags: [], modules: 'too', limit: 100 }],
    ['module=$edgeAgent', { tags: [], modules: { id: '$edgeAgent' }, limit: 100 }],
    ['after=a/b', { tags: [], modules: 'none', limit: 100, after: { deviceId: 'a', moduleId: 'b' } }],
    [
      'tag=site=faro&tag=a.b=x%3Dy,z&tag=e=',
      {
        tags: [
          { path: 'site', value: 'faro' },
          { path: 'a.b', value: 'x=y,z' },
          { path: 'e', value: '' },
        ],
        modules: 'none',
        limit: 100,
      },
    ],
  ])('%s', (query, expected) => {
    expect(parse(query)).toEqual(expected);
  });

  it.each([
    ['hub=west', 'hub must be one of default, east.'],
    ['status=on', 'status must be one of enabled, disabled, unknown.'],
    ['edge=yes', 'edge must be true or false.'],
    ['modules=', 'modules must be true or false.'],
    ['module=', 'module must be the id of a module.'],
    ['tag=site', 'tag must be a path and a value, such as site=faro or place.city=Faro.'],
    ['tag==faro', 'tag must be a path and a value, such as site=faro or place.city=Faro.'],
    ['limit=0', 'limit must be a whole number from 1 to 1000.'],
    ['limit=1001', 'limit must be a whole number from 1 to 1000.'],
    ['limit=1e2', 'limit must be a whole number from 1 to 1000.'],
    ['after=', 'after must be the id of a device, or next of an answer.'],
    // A name that is mistyped must not ask for all devices.
    [
      'statu=disabled',
      'There is no parameter statu. There are: hub, id, prefix, status, edge, tag, modules, module, limit, after.',
    ],
  ])('%s is refused', (query, message) => {
    expect(() => parse(query)).toThrow(expect.objectContaining({ code: 'queryInvalid', message }));
  });
});

const { identity: _none, ...unread } = rowOf('new');
const cases: readonly (readonly [string, MirrorRow, boolean])[] = [
  ['', rowOf('p-1'), true],
  ['', rowOf('p-1', { state: 'deleted' }), false],
  ['', rowOf('p-1', { state: 'unknown' }), false],
  ['', rowOf('p-1', { moduleId: 'm' }), false],
  ['modules=true', rowOf('p-1', { moduleId: 'm' }), true],
  ['modules=true', rowOf('p-1'), true],
  ['module=m', rowOf('p-1', { moduleId: 'm' }), true],
  ['module=m', rowOf('p-1', { moduleId: 'M' }), false],
  ['module=m', rowOf('p-1'), false],
  ['hub=east', rowOf('p-1'), false],
  ['hub=east', rowOf('p-1', { hub: 'east' }), true],
  ['id=p-1', rowOf('p-1'), true],
  ['id=p-1', rowOf('p-12'), false],
  ['prefix=p-', rowOf('p-12'), true],
  ['prefix=p-', rowOf('P-12'), false],
  ['status=enabled', rowOf('p-1'), true],
  ['status=disabled', rowOf('p-1'), false],
  ['status=unknown', unread, true],
  ['status=enabled', unread, false],
  // A module has no status, and is no edge device: it is not taken for one that is not.
  ['status=unknown&modules=true', rowOf('p-1', { moduleId: 'm' }), false],
  ['edge=false&modules=true', rowOf('p-1', { moduleId: 'm' }), false],
  ['edge=true', rowOf('p-1', { identity: { edge: true } }), true],
  ['edge=false', rowOf('p-1', { identity: { status: 'enabled' } }), true],
  ['edge=false', unread, false],
  ['tag=site=faro', tagged('p-1', { site: 'faro' }), true],
  ['tag=site=faro', tagged('p-1', { site: 'Faro' }), false],
  ['tag=site=faro', rowOf('p-1'), false],
  ['tag=floor=3', tagged('p-1', { floor: 3 }), true],
  ['tag=floor=3', tagged('p-1', { floor: '3' }), true],
  ['tag=floor=3.0', tagged('p-1', { floor: 3 }), false],
  ['tag=a.b=true', tagged('p-1', { a: { b: true } }), true],
  ['tag=site=faro&tag=floor=3', tagged('p-1', { site: 'faro', floor: 4 }), false],
  ['tag=site=faro&modules=true', tagged('p-1', { site: 'faro' }, { moduleId: 'm' }), true],
];

test.each(cases)('%s: %j is meant: %s', (query, row, meant) => {
  expect(matches(row, parse(query))).toBe(meant);
});
