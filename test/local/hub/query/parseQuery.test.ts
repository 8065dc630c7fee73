import { describe, expect, it } from 'vitest';
import { evaluate } from '../../../../local/hub/query/evaluate.ts';
import { parseQuery } from '../../../../local/hub/query/parseQuery.ts';

const document: Record<string, unknown> = {
  deviceId: 'a1',
  status: 'enabled',
  tags: { n: 5, s: 'x', list: ['p'], nothing: null, deep: { er: true } },
  configurations: { "0x1f-*!'+%_": { status: 'Applied' } },
};

function lookup(segments: readonly string[]): unknown {
  return segments.reduce<unknown>(
    (value, segment) => (value as Record<string, unknown> | undefined)?.[segment],
    document,
  );
}

function holds(condition: string): unknown {
  const { where } = parseQuery(`SELECT * FROM devices WHERE ${condition}`);
  return where && evaluate(where, lookup);
}

describe('a condition', () => {
  const cases: readonly (readonly [condition: string, value: unknown])[] = [
    ["deviceId = 'a1'", true],
    ['deviceId = "a\\u0031"', true],
    ["deviceId <> 'a1'", false],
    ["deviceId != 'a2' AND status = 'enabled'", true],
    ['tags.n > 4 and tags.n <= 5', true],
    ['tags.n >= 6 or tags.n < 1', false],
    ['tags.n + 1 = 6', true],
    ['tags.n * 2 - 1 = 9', true],
    ['tags.n % 2 = 1 and tags.n / 5 = 1', true],
    ['tags.n = 0x5', true],
    ['tags.n = -5', false],
    ["tags.n = '5'", false],
    ["tags.n < '6'", undefined],
    ['tags.nothing = null', true],
    ['tags.deep.er', true],
    ['NOT tags.deep.er', false],
    ['not not tags.deep.er', true],
    ["tags.missing = 'x'", undefined],
    ["NOT tags.missing = 'x'", undefined],
    ["tags.missing = 'x' OR status = 'enabled'", true],
    ["tags.missing = 'x' AND status = 'disabled'", false],
    ['is_defined(tags.s)', true],
    ['NOT IS_DEFINED(tags.missing)', true],
    ["STARTSWITH(deviceId, 'a')", true],
    ["NOT STARTSWITH(deviceId, 'b')", true],
    ["startswith(tags.n, '5')", undefined],
    ["deviceId IN ['a1', 'b']", true],
    ["deviceId IN ('b')", false],
    ["deviceId NIN ['b']", true],
    ["deviceId NOT IN ['a1']", false],
    ["'p' IN tags.list", true],
    ["(status = 'disabled' OR tags.n = 5) AND deviceId = 'a1'", true],
    ["status = 'disabled' OR tags.n = 5 AND deviceId = 'zz'", false],
    ["tags.[[s]] = 'x'", true],
    ["configurations.[[0x1f-*!'+%_]].status = 'Applied'", true],
    ["devices.configurations.[[0x1f-*!'+%_]].status = 'Targeted'", false],
    ["configurations.[[other]].status = 'Applied'", undefined],
    ["ARRAY_CONTAINS(tags.list, 'p')", true],
    ["array_contains(tags.list, 'q')", false],
    ["ARRAY_CONTAINS(tags.s, 'x')", undefined],
    ['tags.deep = tags.deep', undefined],
  ];
  for (const [condition, value] of cases) {
    it(`${condition} is ${value}`, () => {
      expect(holds(condition)).toBe(value);
    });
  }
});

describe('a query', () => {
  it('is parsed into its parts, key words in any case', () => {
    expect(parseQuery('select top 5 tags.a as x, Count() as n from devices.modules group by tags.a')).toEqual({
      top: 5,
      source: 'devices.modules',
      where: undefined,
      select: [
        { kind: 'path', path: { kind: 'path', segments: ['tags', 'a'] }, alias: 'x' },
        { kind: 'aggregate', name: 'COUNT', path: undefined, alias: 'n' },
      ],
      groupBy: [{ kind: 'path', segments: ['tags', 'a'] }],
    });
  });

  const wrong = [
    '',
    'SELECT',
    'SELECT * FROM',
    'SELECT * FROM things',
    'SELECT * FROM devices WHERE',
    "SELECT * FROM devices WHERE deviceId = 'a",
    'SELECT * FROM devices WHERE deviceId ==',
    'SELECT * FROM devices WHERE LOWER(deviceId)',
    'SELECT * FROM devices WHERE STARTSWITH(deviceId)',
    'SELECT SUM() FROM devices',
    'SELECT * FROM devices ORDER BY deviceId',
    'SELECT deviceId, FROM devices',
    'DELETE FROM devices',
    'SELECT * FROM devices WHERE tags.a = #',
  ];
  for (const text of wrong) {
    it(`"${text}" is refused with the position`, () => {
      expect(() => parseQuery(text)).toThrow(/at position \d+$/);
    });
  }
});
