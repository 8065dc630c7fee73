import { describe, expect, it } from 'vitest';

import {
  mergedTwin,
  removalOf,
  twinMembers,
  twinOf,
  wholeTwin,
  withTwin,
} from '../../../src/lib/registryLines/twinText.ts';
import { memberMap, objectText } from '../../../src/lib/textFile/jsonMembers.ts';

describe('the sections that a line gives', () => {
  it.each([
    ['{"id":"d"}', {}],
    ['{"tags":null,"properties":null}', {}],
    ['{"tags":{},"properties":{"desired":null}}', { tags: '{}' }],
    [
      '{"tags":{"a":1.0},"properties":{"reported":{},"desired":{"10":1,"2":2}}}',
      { tags: '{"a":1.0}', desired: '{"10":1,"2":2}' },
    ],
    ['{"properties":{"desired":{"$version":3,"n":2.50,"$metadata":{"n":{}}}}}', { desired: '{"n":2.50}' }],
  ])('of %s are %j', (line, twin) => {
    expect(twinOf(memberMap(line))).toEqual(twin);
  });
});

describe('what a patch comes to, and what has to go', () => {
  it.each([
    {
      before: '{"a":1,"b":2,"site":"faro"}',
      patch: '{"site":null}',
      merged: '{"a":1,"b":2}',
      removal: '{"site":null}',
    },
    { before: '{"x":1,"y":{"p":1,"q":2}}', patch: '{"y":{"p":5}}', merged: '{"x":1,"y":{"p":5,"q":2}}' },
    { before: '{"a":1.0,"10":"x","2":"y"}', patch: '{"z":1E5}', merged: '{"a":1.0,"10":"x","2":"y","z":1E5}' },
    { before: '{"a":1}', patch: '{"gone":null,"o":{"p":null}}', merged: '{"a":1,"o":{}}' },
    { before: '{"y":{"p":1,"q":2}}', patch: '{"y":{"p":null}}', merged: '{"y":{"q":2}}', removal: '{"y":{"p":null}}' },
    { before: '{"y":{"p":1}}', patch: '{"y":3}', merged: '{"y":3}' },
    { before: '{"y":3}', patch: '{"y":{"p":1}}', merged: '{"y":{"p":1}}' },
    { before: '{"l":[1,{"a":null}]}', patch: '{"l":[2]}', merged: '{"l":[2]}' },
    { before: undefined, patch: '{"a":1,"b":null}', merged: '{"a":1}' },
  ])('$patch into $before', ({ before, patch, merged, removal }) => {
    for (const name of ['tags', 'desired'] as const) {
      const was = before === undefined ? {} : { [name]: before };
      const is = mergedTwin(was, { [name]: patch });
      expect(is).toEqual({ [name]: merged });
      expect(removalOf(was, is)).toEqual(removal === undefined ? undefined : { [name]: removal });
    }
  });

  it.each([
    { before: '{"a":1,"b":{"c":1,"d":2}}', after: '{"b":{"c":3}}', removal: '{"a":null,"b":{"d":null}}' },
    { before: '{"a":1}', after: '{}', removal: '{"a":null}' },
    { before: '{"a":{"b":1}}', after: '{"a":{}}', removal: '{"a":{"b":null}}' },
    { before: '{"a":1}', after: '{"a":2,"b":3}' },
    { before: '{"a":{"b":1}}', after: '{"a":[]}' },
  ])('$after written over $before', ({ before, after, removal }) => {
    expect(removalOf({ tags: before, desired: '{"x":1}' }, { tags: after })).toEqual(
      removal === undefined ? undefined : { tags: removal },
    );
  });

  it('is nothing in a section that the line leaves out', () => {
    expect(mergedTwin({ tags: '{"a":1}', desired: '{"b":1}' }, { desired: '{}' })).toEqual({ desired: '{"b":1}' });
  });
});

it('a whole section has no nulls, and is else as it is written', () => {
  expect(wholeTwin({ tags: '{ "a" : 1.0, "b":"nul" }', desired: '{"a":null,"b":{"c":null,"d":1.0}}' })).toEqual({
    tags: '{ "a" : 1.0, "b":"nul" }',
    desired: '{"b":{"d":1.0}}',
  });
});

it('the sections of a line are put in the place of its own', () => {
  const line = '{"id":"d","tags":{"a":1},"properties":{"desired":{},"reported":{"r":1.0}},"status":"enabled"}';
  expect(objectText(withTwin(memberMap(line), { tags: '{"b":2}', desired: '{"c":3}' }))).toBe(
    '{"id":"d","tags":{"b":2},"properties":{"desired":{"c":3},"reported":{"r":1.0}},"status":"enabled"}',
  );
  expect(objectText(twinMembers({ desired: '{"c":3}' }))).toBe('{"properties":{"desired":{"c":3}}}');
});
