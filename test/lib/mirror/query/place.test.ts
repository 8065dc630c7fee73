import { describe, expect, it, test } from 'vitest';

import { compareRows, isBehind, type Place, parsePlace, placeText } from '../../../../src/lib/mirror/query/place.ts';

const places: readonly (readonly [string, Place])[] = [
  ['pump-1', { deviceId: 'pump-1' }],
  ['pump-1/', { deviceId: 'pump-1', moduleId: '' }],
  ['pump-1/filter', { deviceId: 'pump-1', moduleId: 'filter' }],
  ['pump-1//east', { deviceId: 'pump-1', moduleId: '', hub: 'east' }],
  ['a#b?c%2Fd+e/$edgeAgent/east', { deviceId: 'a#b?c%2Fd+e', moduleId: '$edgeAgent', hub: 'east' }],
];

describe('a place', () => {
  it.each(places)('is written as %s, and read again', (text, place) => {
    expect(placeText(place)).toBe(text);
    expect(parsePlace(text)).toEqual(place);
  });

  it.each(['', '/', '/m', 'a/b/', 'a/b/c/d'])('is not %j', (text) => {
    expect(parsePlace(text)).toBeUndefined();
  });
});

test('rows stand by device, then hub, then module, by the codes of their characters', () => {
  const rows = [
    { hub: 'b', deviceId: 'A' },
    { hub: 'a', deviceId: 'a' },
    { hub: 'a', deviceId: 'a', moduleId: 'M' },
    { hub: 'a', deviceId: 'a', moduleId: 'm' },
    { hub: 'b', deviceId: 'a' },
    { hub: 'b', deviceId: 'a', moduleId: '$m' },
    { hub: 'a', deviceId: 'a-' },
    { hub: 'a', deviceId: 'ab' },
  ];
  expect(rows.toReversed().toSorted(compareRows)).toEqual(rows);
  // Behind a row of a device are those of the device that stand behind it here.
  const ofA = rows.slice(1, 6);
  for (const [at, { hub, deviceId, moduleId = '' }] of ofA.entries()) {
    const place = { hub, deviceId, moduleId };
    expect(ofA.filter((row) => isBehind(row, place))).toEqual(ofA.slice(at + 1));
  }
  expect(ofA.filter((row) => isBehind(row, { deviceId: 'a' }))).toEqual([]);
});
