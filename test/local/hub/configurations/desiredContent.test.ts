import { describe, expect, it } from 'vitest';
import { isLayered, withContent, withoutContent } from '../../../../local/hub/configurations/desiredContent.ts';

const plain = (value: unknown) => JSON.parse(JSON.stringify(value));

describe('the content of a configuration', () => {
  it.each([
    [{ a: 1 }, { 'properties.desired': { b: 2 } }, { b: 2 }],
    [{ a: 1 }, { 'properties.desired.b.c': 2 }, { a: 1, b: { c: 2 } }],
    [{ a: { b: 1, c: 2 } }, { 'properties.desired.a': { d: 3 } }, { a: { d: 3 } }],
    [{ a: 1 }, { 'properties.desired.a.b': 2 }, { a: { b: 2 } }],
    [{}, { 'properties.desired': { a: 1 }, 'properties.desired.b': 2 }, { a: 1, b: 2 }],
    [{ a: 1 }, {}, { a: 1 }],
  ])('turns %j with %j into %j', (desired, content, expected) => {
    const before = plain(desired);
    expect(plain(withContent(desired, content))).toEqual(expected);
    expect(desired).toEqual(before);
  });

  it.each([
    [{ a: 1, b: { c: 2, d: 3 } }, { 'properties.desired.b.c': 0 }, { a: 1, b: { d: 3 } }],
    [{ a: 1 }, { 'properties.desired.b.c': 0, 'properties.desired.a.x': 0 }, { a: 1 }],
    [{ a: 1 }, { 'properties.desired': {} }, {}],
  ])('leaves of %j without %j this: %j', (desired, content, expected) => {
    expect(plain(withoutContent(desired, content))).toEqual(expected);
  });

  it('takes __proto__ for a name like any other', () => {
    withContent({}, { 'properties.desired.__proto__.polluted': true });
    expect('polluted' in {}).toBe(false);
  });

  it('is layered when a module of it only adds', () => {
    const whole = { $edgeAgent: { 'properties.desired': {} } };
    expect(isLayered(whole)).toBe(false);
    expect(isLayered({ ...whole, m: { 'properties.desired.a': 1 } })).toBe(true);
  });
});
