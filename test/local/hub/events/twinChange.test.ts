import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sectionChange } from '../../../../local/hub/events/twinChange.ts';
import type { JsonObject } from '../../../../local/hub/twin/twinLimits.ts';
import { mergeSection } from '../../../../local/hub/twin/twinSections.ts';

describe('the change of a section', () => {
  it.each<[string, JsonObject, JsonObject, JsonObject]>([
    ['what is new', {}, { a: 1 }, { a: 1 }],
    ['what differs', { a: 1, b: 2 }, { a: 1, b: 3 }, { b: 3 }],
    ['null for what is gone', { a: 1, b: 2 }, { b: 2 }, { a: null }],
    ['only the parts of an object that differ', { a: { b: 1, c: 2 } }, { a: { b: 1, c: 3 } }, { a: { c: 3 } }],
    ['null in an object for what is gone', { a: { b: 1, c: 2 } }, { a: { b: 1 } }, { a: { c: null } }],
    ['an object for a value', { a: 1 }, { a: { b: 1 } }, { a: { b: 1 } }],
    ['a value for an object', { a: { b: 1 } }, { a: 1 }, { a: 1 }],
    ['arrays as a whole', { a: [1, 2] }, { a: [1, 3] }, { a: [1, 3] }],
    ['nothing', { a: { b: [1] } }, { a: { b: [1] } }, {}],
  ])('has %s', (_, before, after, change) => {
    expect({ ...sectionChange(before, after) }).toEqual(change);
  });

  it('makes of the section before, merged into it, the section after', () => {
    const key = fc.constantFrom('a', 'b', 'c', '__proto__');
    const { section } = fc.letrec<{ section: JsonObject }>((tie) => ({
      section: fc.dictionary(
        key,
        fc.oneof(
          { depthSize: 'small' },
          fc.integer(),
          fc.string(),
          fc.array(fc.integer(), { maxLength: 2 }),
          tie('section'),
        ),
        { maxKeys: 3, noNullPrototype: false },
      ) as fc.Arbitrary<JsonObject>,
    }));
    fc.assert(
      fc.property(section, section, (before, after) => {
        const merged = mergeSection(before, sectionChange(before, after));
        expect(JSON.parse(JSON.stringify(merged))).toEqual(JSON.parse(JSON.stringify(after)));
      }),
    );
  });
});
