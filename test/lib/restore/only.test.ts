import { describe, expect, it } from 'vitest';

import { devicesNamed } from '../../../src/lib/restore/only.ts';

describe('which identities are meant', () => {
  it('means all when no name is given', () => {
    expect(devicesNamed(undefined).only).toBeUndefined();
    expect(devicesNamed([]).only).toBeUndefined();
    expect(devicesNamed([]).notFound()).toBeUndefined();
  });

  it.each([
    [['dev-1'], 'dev-1', true],
    [['dev-1'], 'dev-10', false],
    [['dev-*'], 'dev-10', true],
    [['dev-*'], 'Dev-10', false],
    [['a', 'b*'], 'bc', true],
    [['*'], 'anything', true],
    [['dev\\*'], 'dev*', true],
    [['dev\\*'], 'dev-1', false],
    [['dev**'], 'dev*-1', true],
    [['dev**'], 'dev-1', false],
  ])('of %j, %s: %s', (names, id, meant) => {
    const { only } = devicesNamed(names);
    expect(only?.({ id })).toBe(meant);
    expect(only?.({ id, moduleId: 'zz' })).toBe(meant);
  });

  it('names of which there is nothing are told, as they were given', () => {
    const names = ['a', 'b*', 'c', 'd\\*', 'd*', 'c'];
    const { only, notFound } = devicesNamed(names);
    expect(notFound()).toMatchObject({ all: true, names: ['a', 'b*', 'c', 'd\\*', 'd*'] });
    for (const id of ['a', 'bb', 'dd', 'e']) only?.({ id });
    expect(notFound()).toMatchObject({
      code: 'onlyNotFound',
      all: false,
      names: ['c', 'd\\*'],
      message: expect.stringMatching(/: c, d\\\*\.$/),
    });
    for (const id of ['c', 'd*']) only?.({ id });
    expect(notFound()).toBeUndefined();
    const many = Array.from({ length: 12 }, (_, index) => `d${index}`);
    expect(devicesNamed(many).notFound()?.message).toMatch(/d9 and 2 more\.$/);
  });
});
