import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { memberMap, membersOf, mergePatchText, objectText } from '../../../src/lib/textFile/jsonMembers.ts';

describe('the members of an object as they are written', () => {
  const cases: readonly (readonly [text: string, members: readonly (readonly [string, string])[]])[] = [
    ['{}', []],
    [' { } ', []],
    [
      '{"a":1.0,"10":"x","2":"y"}',
      [
        ['a', '1.0'],
        ['10', '"x"'],
        ['2', '"y"'],
      ],
    ],
    [
      '{ "a" : 1.50 , "b" : [ 1 , {"c":"}"} ] , "d" : null }',
      [
        ['a', '1.50'],
        ['b', '[ 1 , {"c":"}"} ]'],
        ['d', 'null'],
      ],
    ],
    [
      '{"a\\"b":"c\\\\","\\u0064":"\\\\\\""}',
      [
        ['a"b', '"c\\\\"'],
        ['d', '"\\\\\\""'],
      ],
    ],
    [
      '{"a":1,"a":2}',
      [
        ['a', '1'],
        ['a', '2'],
      ],
    ],
    [
      '{"":":","a":"{,}"}',
      [
        ['', '":"'],
        ['a', '"{,}"'],
      ],
    ],
    ['{"__proto__":1e5}', [['__proto__', '1e5']]],
  ];
  it.each(cases)('%s', (text, members) => {
    expect(membersOf(text).map(({ key, value }) => [key, value])).toEqual(members);
  });

  it('puts together what it took apart, whatever the blanks', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue()),
        fc.constantFrom('', ' ', '\t', '\r\n'),
        (value, indent) => {
          const text = JSON.stringify(value, undefined, indent);
          expect(JSON.parse(objectText(memberMap(text)))).toEqual(JSON.parse(text));
        },
      ),
    );
  });
});

describe('a merge patch as text', () => {
  const cases: readonly (readonly [base: string | undefined, patch: string, merged: string])[] = [
    ['{"a":1.0,"10":"x","2":"y"}', '{"2":"z"}', '{"a":1.0,"10":"x","2":"z"}'],
    ['{"a":1,"b":2,"site":"faro"}', '{"site":null}', '{"a":1,"b":2}'],
    ['{"x":1,"y":{"p":1,"q":2}}', '{"y":{"p":5}}', '{"x":1,"y":{"p":5,"q":2}}'],
    ['{"x":[1,2]}', '{"x":[3]}', '{"x":[3]}'],
    ['{"x":1}', '{"x":{"a":null,"b":1.50}}', '{"x":{"b":1.50}}'],
    [undefined, '{"x":{"a":null}}', '{"x":{}}'],
    ['{"x":1}', '{}', '{"x":1}'],
  ];
  it.each(cases)('%s and %s', (base, patch, merged) => {
    expect(mergePatchText(base, patch)).toBe(merged);
  });

  // RFC 7396, section 2, by the book.
  const byTheBook = (target: unknown, patch: unknown): unknown => {
    if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
    const isObject = typeof target === 'object' && target !== null && !Array.isArray(target);
    const result = new Map(Object.entries(isObject ? target : {}));
    for (const [key, value] of Object.entries(patch)) {
      if (value === null) result.delete(key);
      else result.set(key, byTheBook(result.get(key), value));
    }
    return Object.fromEntries(result);
  };
  it('means what the RFC says', () => {
    const key = fc.constantFrom('a', 'b', '1', '"', '__proto__');
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof({ maxDepth: 4 }, fc.jsonValue({ maxDepth: 1 }), fc.dictionary(key, tie('tree'))),
    }));
    fc.assert(
      fc.property(tree, tree, (target, patch) => {
        const merged = mergePatchText(JSON.stringify(target), JSON.stringify(patch));
        // Through text on both sides: a key `__proto__` is an own one then.
        expect(JSON.parse(merged)).toEqual(JSON.parse(JSON.stringify(byTheBook(target, patch))));
      }),
    );
  });
});
