import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { comparedLine } from '../../../src/lib/registryLines/comparedLine.ts';
import { compareIdentity } from '../../../src/lib/registryLines/compareIdentity.ts';
import type { Fields } from '../../../src/lib/registryLines/differences.ts';
import { parseAsWritten } from '../../../src/lib/registryLines/exactJson.ts';
import { LineDigest } from '../../../src/lib/registryLines/lineDigest.ts';

const digest = new LineDigest();
const digestOf = (text: string) => digest.of(comparedLine(parseAsWritten(text) as Fields));

describe('a digest', () => {
  it.each([
    [
      'the order of keys',
      '{"tags":{"a":1,"b":{"c":[1,{"x":1,"y":2}],"d":null}},"id":"d"}',
      '{"id":"d","tags":{"b":{"c":[1,{"y":2,"x":1}]},"a":1}}',
    ],
    [
      'how numbers are written',
      '{"tags":{"a":1.0,"b":[9007199254740993]}}',
      '{"tags":{"a":1e0,"b":[9007199254740993.0]}}',
    ],
    [
      'what a hub counts',
      '{"eTag":"1","properties":{"desired":{"$version":1},"reported":{"a":1}}}',
      '{"eTag":"2","twinETag":"x"}',
    ],
    [
      'the case of thumbprints and words',
      '{"status":"Enabled","authentication":{"type":"SelfSigned","x509Thumbprint":{"primaryThumbprint":"AB"}}}',
      '{"authentication":{"type":"selfSigned","x509Thumbprint":{"primaryThumbprint":"ab","secondaryThumbprint":null}}}',
    ],
    [
      'scopes of one parent',
      '{"id":"d","deviceScope":"ms-azure-iot-edge://gw-1"}',
      '{"id":"d","parentScopes":["ms-azure-iot-edge://gw-2"]}',
    ],
  ])('is the same whatever %s', (_, one, other) => {
    expect(digestOf(one)).toBe(digestOf(other));
    expect(digestOf(one)).not.toBe('');
  });

  it.each([
    ['{"a":[]}', '{"a":{}}'],
    ['{"a":[1]}', '{"a":{"0":1}}'],
    ['{"a":[null]}', '{"a":[]}'],
    ['{"a":[{"b":null}]}', '{"a":[{}]}'],
    ['{"a":[[1],2]}', '{"a":[1,[2]]}'],
    ['{"a":1,"b":2}', '{"a":2,"b":1}'],
    ['{"a":"1"}', '{"a":1}'],
    ['{"a":"true"}', '{"a":true}'],
    ['{"a":{"b":1}}', '{"b":{"a":1}}'],
    ['{"a":""}', '{}'],
    ['{"ab":"c"}', '{"a":"bc"}'],
  ])('tells %s from %s', (one, other) => {
    expect(digestOf(`{"tags":${one}}`)).not.toBe(digestOf(`{"tags":${other}}`));
    expect(digestOf(`{"tags":${one}}`)).not.toBe(digestOf(`{"properties":{"desired":${one}}}`));
  });

  it('is none of a line that is nested without end', () => {
    expect(digestOf(`{"tags":${'{"a":'.repeat(3000)}1${'}'.repeat(3000)}}`)).toBe('');
  });

  it('never says that two lines are the same in which anything differs', () => {
    const value = fc.jsonValue({ maxDepth: 3 });
    const line = fc.record(
      {
        status: fc.constantFrom('enabled', 'disabled'),
        tags: value,
        properties: fc.record({ desired: value }),
        parent: fc.constantFrom('', 'a', 'b'),
        managedBy: value,
        more: value,
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(line, line, fc.boolean(), (one, part, whole) => {
        // Mostly a little of another.
        const other = whole ? part : { ...one, ...Object.fromEntries(Object.entries(part).slice(0, 1)) };
        const [before, after] = [one, other].map((members) => JSON.stringify({ id: 'd', ...members }));
        const { fields } = compareIdentity(
          { text: before ?? '', keys: 'included' },
          { text: after ?? '', keys: 'included' },
        );
        if (fields.length > 0) expect(digestOf(before ?? '')).not.toBe(digestOf(after ?? ''));
      }),
      { numRuns: 1000 },
    );
  });
});
