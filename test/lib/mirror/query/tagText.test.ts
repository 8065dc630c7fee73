import { expect, test } from 'vitest';

import { isTagPath, tagText } from '../../../../src/lib/mirror/query/tagText.ts';

const tags = {
  site: 'faro',
  floor: 3,
  ratio: 1.5,
  live: false,
  empty: '',
  gone: null,
  place: { city: 'Faro', deep: { room: '12' } },
  list: ['a'],
  __proto__x: 1,
};

test.each([
  ['site', 'faro'],
  ['floor', '3'],
  ['ratio', '1.5'],
  ['live', 'false'],
  ['empty', ''],
  ['place.city', 'Faro'],
  ['place.deep.room', '12'],
  // An object or an array has no text, and nothing is below a string.
  ['place', undefined],
  ['list', undefined],
  ['list.0', undefined],
  ['site.length', undefined],
  ['gone', undefined],
  ['other', undefined],
  // What every object has is no tag.
  ['constructor', undefined],
  ['constructor.name', undefined],
  ['__proto__', undefined],
])('the text of the tag %s is %j', (path, text) => {
  expect(tagText(tags, path)).toBe(text);
});

test.each([
  ['site', true],
  ['place.city', true],
  ['höhe', true],
  ['', false],
  ['.site', false],
  ['site.', false],
  ['a..b', false],
  ['$metadata', false],
  ['two words', false],
])('whether %j can be the path of a tag: %s', (path, is) => {
  expect(isTagPath(path)).toBe(is);
});
