import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { IdentityKey } from '../../../../src/lib/mirror/rows/row.ts';
import {
  identityOf,
  isRowKey,
  modulesRange,
  queueKeyOf,
  queueRange,
  rowKeyOf,
  rowRange,
} from '../../../../src/lib/mirror/store/rowKeys.ts';

const CHARACTERS = [..."!#$%'()*+,-.0123456789:;=?@ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"];
/** Often the same characters, so that many ids begin alike. */
const character = fc.oneof(fc.constantFrom(...CHARACTERS), fc.constantFrom('a', '!', '#', '%', '?', '-', 'z'));
const id = fc.string({ unit: character, minLength: 1, maxLength: 128, size: 'small' });
const longId = fc.string({ unit: character, minLength: 128, maxLength: 128 });
const identity: fc.Arbitrary<IdentityKey> = fc
  .tuple(fc.oneof({ weight: 9, arbitrary: id }, longId), fc.option(fc.oneof({ weight: 9, arbitrary: id }, longId)))
  .map(([deviceId, moduleId]) => (moduleId === null ? { deviceId } : { deviceId, moduleId }));
const text = fc.oneof(
  id,
  fc.string({ maxLength: 10 }),
  fc.tuple(id, fc.string({ maxLength: 3 })).map((parts) => parts.join('')),
);

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
const compareIdentities = (a: IdentityKey, b: IdentityKey) =>
  compare(a.deviceId, b.deviceId) || compare(a.moduleId ?? '', b.moduleId ?? '');
const isIn = (key: string, range: { from: string; below: string } | undefined) =>
  range !== undefined && key >= range.from && key < range.below;

describe('a row key', () => {
  it('keeps the order of ids: by their characters, a device before its modules', () => {
    fc.assert(
      fc.property(identity, identity, (a, b) => {
        expect(compare(rowKeyOf(a), rowKeyOf(b))).toBe(compareIdentities(a, b));
      }),
    );
  });

  it('tells whose it is', () => {
    fc.assert(
      fc.property(identity, (key) => {
        expect(identityOf(rowKeyOf(key))).toEqual(key);
      }),
    );
  });

  it('has only characters that keys of tables may have, and is never too long', () => {
    fc.assert(
      fc.property(identity, (key) => {
        expect(rowKeyOf(key)).toMatch(/^[ -"$&-.0->@-~]{1,512}$/);
      }),
    );
    const longest = { deviceId: '%'.repeat(128), moduleId: "'".repeat(128) };
    expect(rowKeyOf(longest)).toHaveLength(258);
  });

  it('is of a row or of an entry of the queue, and never of both', () => {
    fc.assert(
      fc.property(identity, (key) => {
        const keys = [rowKeyOf(key), queueKeyOf('2026-11-20T12:00:00.000Z', '0f')];
        expect(keys.map((made) => isIn(made, rowRange({})))).toEqual([true, false]);
        expect(keys.map((made) => isIn(made, queueRange()))).toEqual([false, true]);
      }),
    );
  });

  it.each([
    ['2026-11-20T12:00:00.000Z', '2026-11-20T12:00:00.000Z', true],
    ['2026-11-20T12:00:00.000Z', '2026-11-20T12:00:00.001Z', true],
    ['2026-11-20T12:00:00.001Z', '2026-11-20T12:00:00.000Z', false],
    ['2026', '2026-11', true],
    ['2026-11', '2026', false],
  ])('of an entry that is due at %s is in the range of what is due by %s: %j', (due, dueBy, expected) => {
    for (const own of ['0', 'f', 'zzz']) expect(isIn(queueKeyOf(due, own), queueRange(dueBy))).toBe(expected);
  });

  it.each(['', 'ü', 'a b', 'a/b', 'a\\b', 'a\u0000', 'a"b', 'a&b', 'a>b', 'a~', 'x'.repeat(129)])(
    'is not made of the id %j',
    (bad) => {
      expect(isRowKey({ deviceId: bad })).toBe(false);
      expect(isRowKey({ deviceId: 'a', moduleId: bad })).toBe(false);
      expect(() => rowKeyOf({ deviceId: bad })).toThrow(RangeError);
      expect(() => rowKeyOf({ deviceId: 'a', moduleId: bad })).toThrow(RangeError);
    },
  );
});

describe('a range', () => {
  it('of rows has exactly those of the devices that come after a text and begin with another, whatever they are', () => {
    fc.assert(
      fc.property(identity, fc.option(text), fc.option(text), (key, after, prefix) => {
        const range = { ...(after === null ? {} : { after }), ...(prefix === null ? {} : { prefix }) };
        const expected = (after === null || key.deviceId > after) && key.deviceId.startsWith(prefix ?? '');
        expect(isIn(rowKeyOf(key), rowRange(range))).toBe(expected);
      }),
      { numRuns: 1000 },
    );
    // Random texts are seldom so near.
    fc.assert(
      fc.property(identity, fc.string({ maxLength: 2 }), fc.nat(128), (key, rest, length) => {
        const near = key.deviceId.slice(0, length) + rest;
        expect(isIn(rowKeyOf(key), rowRange({ after: near }))).toBe(key.deviceId > near);
        expect(isIn(rowKeyOf(key), rowRange({ prefix: near }))).toBe(key.deviceId.startsWith(near));
      }),
      { numRuns: 1000 },
    );
  });

  it('of the modules of a device has these alone', () => {
    fc.assert(
      fc.property(identity, id, (key, deviceId) => {
        const expected = key.deviceId === deviceId && key.moduleId !== undefined;
        expect(isIn(rowKeyOf(key), modulesRange(deviceId))).toBe(expected);
        expect(isIn(rowKeyOf(key), modulesRange(key.deviceId))).toBe(key.moduleId !== undefined);
      }),
    );
  });
});
