import { describe, expect, it } from 'vitest';

import { parseOnly } from '../../../src/lib/restore/only.ts';

describe('which identities are meant', () => {
  it('means all when no name is given', () => {
    expect(parseOnly(undefined)).toBeUndefined();
    expect(parseOnly([])).toBeUndefined();
  });

  it.each([
    [['dev-1'], 'dev-1', true],
    [['dev-1'], 'dev-10', false],
    [['dev-*'], 'dev-10', true],
    [['dev-*'], 'Dev-10', false],
    [['a', 'b*'], 'bc', true],
    [['*'], 'anything', true],
  ])('of %j, %s: %s', (names, id, meant) => {
    const only = parseOnly(names);
    expect(only?.({ id })).toBe(meant);
    expect(only?.({ id, moduleId: 'zz' })).toBe(meant);
  });
});
