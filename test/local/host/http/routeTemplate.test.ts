import { expect, test } from 'vitest';
import { parseRouteTemplate } from '../../../../local/host/http/routeTemplate.ts';

const cases: { route: string; path: string; expected: Record<string, string> | undefined }[] = [
  { route: 'api/a', path: '/api/a', expected: {} },
  { route: 'api/a', path: '/API/A/', expected: {} },
  { route: 'api/a', path: '/api/a/b', expected: undefined },
  { route: 'api/{x}', path: '/api/1', expected: { x: '1' } },
  { route: 'api/{x}', path: '/api', expected: undefined },
  { route: 'api/{x}', path: '/api/a%20b', expected: { x: 'a b' } },
  { route: 'api/{x}', path: '/api/a%2Fb', expected: { x: 'a%2Fb' } },
  { route: 'api/{x}', path: '/api/100%', expected: { x: '100%' } },
  { route: 'api/{x?}', path: '/api', expected: {} },
  { route: 'api/{x?}', path: '/api/1', expected: { x: '1' } },
  { route: 'api/{x=5}', path: '/api', expected: { x: '5' } },
  { route: 'api/{x:int}', path: '/api/12', expected: { x: '12' } },
  { route: 'api/{x:int}', path: '/api/-12', expected: { x: '-12' } },
  { route: 'api/{x:int}', path: '/api/12a', expected: undefined },
  { route: 'api/{x:int}', path: '/api/3000000000', expected: undefined },
  { route: 'api/{x:long}', path: '/api/3000000000', expected: { x: '3000000000' } },
  { route: 'api/{x:int?}', path: '/api', expected: {} },
  { route: 'api/{x:int:min(5)}', path: '/api/4', expected: undefined },
  { route: 'api/{x:range(1,3)}', path: '/api/3', expected: { x: '3' } },
  { route: 'api/{x:length(2,3)}', path: '/api/abcd', expected: undefined },
  {
    route: 'api/{x:guid}',
    path: '/api/7f1b0d9c-5f0e-4a1c-9a51-1f2d3c4b5a69',
    expected: { x: '7f1b0d9c-5f0e-4a1c-9a51-1f2d3c4b5a69' },
  },
  { route: 'api/{x:bool}', path: '/api/maybe', expected: undefined },
  { route: 'api/{x:alpha}', path: '/api/ab1', expected: undefined },
  { route: 'api/{*rest}', path: '/api', expected: {} },
  { route: 'api/{*rest}', path: '/api/a/b/c', expected: { rest: 'a/b/c' } },
  { route: '{*rest}', path: '/a/b', expected: { rest: 'a/b' } },
  { route: 'api/{name}.{ext}', path: '/api/a.b.txt', expected: { name: 'a', ext: 'b.txt' } },
  { route: 'api/v{n:int}/x', path: '/api/v2/x', expected: { n: '2' } },
  { route: '', path: '/', expected: {} },
];

for (const { route, path, expected } of cases) {
  test(`route "${route}" ${expected ? 'matches' : 'does not match'} ${path}`, () => {
    expect(parseRouteTemplate(route).match(path)).toEqual(expected);
  });
}

const refused: { route: string; reason: RegExp }[] = [
  { route: 'a/{x', reason: /unbalanced/ },
  { route: 'a/{x}/{x}', reason: /twice/ },
  { route: 'a/{*x}/b', reason: /catch-all/ },
  { route: 'a/{x?}/b', reason: /optional/ },
  { route: 'a//b', reason: /empty segment/ },
  { route: 'a/{x:zip}', reason: /constraint "zip" is not supported/ },
];

for (const { route, reason } of refused) {
  test(`route "${route}" is refused with a reason`, () => {
    expect(() => parseRouteTemplate(route)).toThrow(reason);
  });
}

test('a more specific route comes before a more general one', () => {
  const routes = ['a/{*rest}', 'a/{x}', 'a/{x:int}', 'a/list'].map(parseRouteTemplate);
  const sorted = routes.toSorted((one, other) => (one.precedence < other.precedence ? -1 : 1));
  expect(sorted.map(({ text }) => text)).toEqual(['a/list', 'a/{x:int}', 'a/{x}', 'a/{*rest}']);
});
