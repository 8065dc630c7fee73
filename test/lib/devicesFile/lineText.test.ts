import { expect, it } from 'vitest';
import { additions, withoutAdditions, withoutFiller, withoutHubKeys } from '../../../src/lib/devicesFile/lineText.ts';

it.each([
  ['{"n":2.50,"$version":3,"$metadata":{"n":{}}}', '{"n":2.50}'],
  ['{"\\u0024version":3,"n":1}', '{"n":1}'],
  ['{"$version":3}', '{}'],
  ['{ "n" : 1.0 , "a" : { "$version" : 1 } }', '{ "n" : 1.0 , "a" : { "$version" : 1 } }'],
  ['{ "price" : "3 $" , "tab" : "\\t" }', '{ "price" : "3 $" , "tab" : "\\t" }'],
  ['null', 'null'],
  ['["$version"]', '["$version"]'],
])('a section without what a hub adds to it: %s', (written, left) => {
  expect(withoutHubKeys(written)).toBe(left);
});

it.each([
  ['{"importMode":"create",\t"status":"enabled","id":"d","tags":{}}', '{"id":"d","tags":{}}'],
  ['{\t"status":"enabled","id":"d"}', '{"id":"d"}'],
  ['{"id":"d","importMode":"create","status":"enabled"}', '{"id":"d","importMode":"create","status":"enabled"}'],
])('a row as it was read: %s', (row, read) => {
  expect(withoutAdditions(row)).toBe(read);
});

it.each([
  [`{${additions('createOrUpdate', false, false)}"id":"d","tags":{"a":1.0}}`, '{"id":"d","tags":{"a":1.0}}'],
  [`{${additions('update', false, false)}"id":"d"}`, '{"importMode":"update","id":"d"}'],
  ['{"status":"enabled","id":"d"}', '{"status":"enabled","id":"d"}'],
  ['{"importMode":"update","status":"enabled","id":"d"}', '{"importMode":"update","status":"enabled","id":"d"}'],
  ['{"id":"d","status":"enabled"}', '{"id":"d","status":"enabled"}'],
])('a line to be dropped again has no status that it did not have: %s', (line, again) => {
  expect(withoutFiller(line)).toBe(again);
});
