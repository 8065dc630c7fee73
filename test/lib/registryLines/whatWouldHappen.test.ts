import { describe, expect, it } from 'vitest';

import { IMPORT_MODES, type ImportMode } from '../../../src/lib/devicesFile/importMode.ts';
import {
  EFFECTS,
  type Effect,
  etagsAskedFor,
  isThereAfter,
  whatWouldHappen,
} from '../../../src/lib/registryLines/whatWouldHappen.ts';

const SAME = { etagDiffers: false };
const OTHER = { etagDiffers: true };

describe('what would happen to a line', () => {
  it.each<[mode: ImportMode, missing: Effect, there: Effect, thereWithAnotherEtag: Effect]>([
    ['create', 'created', 'failsExists', 'failsExists'],
    ['createOrUpdate', 'created', 'overwritten', 'overwritten'],
    ['createOrUpdateIfMatchETag', 'created', 'overwritten', 'failsEtag'],
    ['update', 'failsMissing', 'overwritten', 'overwritten'],
    ['updateIfMatchETag', 'failsMissing', 'overwritten', 'failsEtag'],
    ['updateTwin', 'failsMissing', 'twinUpdated', 'twinUpdated'],
    ['updateTwinIfMatchETag', 'failsMissing', 'twinUpdated', 'failsEtag'],
    ['delete', 'unchanged', 'deleted', 'deleted'],
    ['deleteIfMatchETag', 'unchanged', 'deleted', 'failsEtag'],
  ])(
    'in mode %s: %s where nothing is there, %s where it is, %s where its ETag is another',
    (mode, missing, there, other) => {
      for (const line of [{ mode }, { mode, moduleId: 'filter' }]) {
        expect(whatWouldHappen(line, undefined)).toBe(missing);
        expect(whatWouldHappen(line, SAME)).toBe(there);
        expect(whatWouldHappen(line, OTHER)).toBe(other);
      }
    },
  );

  it.each(IMPORT_MODES)('in mode %s: a module has no place without its device, whatever was there', (mode) => {
    const expected = mode.startsWith('delete') ? 'unchanged' : 'failsDeviceMissing';
    for (const found of [undefined, SAME, OTHER]) {
      expect(whatWouldHappen({ mode, moduleId: 'filter' }, found, { isThere: false })).toBe(expected);
    }
  });

  it('leaves the device there, or not', () => {
    expect(EFFECTS.filter((effect) => !isThereAfter(effect))).toEqual(['deleted', 'unchanged', 'failsMissing']);
  });
});

describe('the ETags that a line asks for', () => {
  const both = { eTag: 'a', twinETag: '"t"', tags: {} };
  it.each<[mode: ImportMode, line: object, expected: object]>([
    ['createOrUpdate', both, {}],
    ['update', both, {}],
    ['delete', both, {}],
    ['updateTwin', both, {}],
    ['updateIfMatchETag', both, { eTag: 'a', twinETag: 't' }],
    ['createOrUpdateIfMatchETag', { ...both, tags: null }, { eTag: 'a' }],
    [
      'createOrUpdateIfMatchETag',
      { eTag: 'W/"a"', twinETag: 't', properties: { desired: {} } },
      { eTag: 'a', twinETag: 't' },
    ],
    ['updateIfMatchETag', { eTag: '*' }, {}],
    ['updateIfMatchETag', { eTag: '"*"' }, {}],
    ['updateTwinIfMatchETag', { eTag: 'a', twinETag: 't' }, { twinETag: 't' }],
    ['deleteIfMatchETag', both, { eTag: 'a' }],
  ])('in mode %s, of %j: %j', (mode, line, expected) => {
    expect(etagsAskedFor(mode, line)).toEqual(expected);
  });
});
