import { describe, expect, it } from 'vitest';

import { againText, type Guard, guardOf } from '../../../../src/lib/provisioning/again/sentAgain.ts';

describe('the guard of a line that is sent again', () => {
  it.each<[boolean, boolean, Guard | undefined]>([
    [true, true, 'ifUnchanged'],
    [true, false, 'ifUnchanged'],
    [false, true, 'ifAbsent'],
    [false, false, undefined],
  ])('filled %s, incomplete %s: %s', (isFilled, isIncomplete, guard) => {
    expect(guardOf({ isFilled, isIncomplete })).toBe(guard);
  });
});

describe('a line that is sent again', () => {
  const twin = '"tags":{"a":1.0,"10":"x","2":"y"}';
  it.each<[string, Guard | undefined, string | 'same']>([
    [`{"id":"d",${twin}}`, undefined, 'same'],
    // It was filled with what its device had: it applies to that alone.
    [
      `{"id":"d","importMode":"update","eTag":"MQ==","twinETag":"old",${twin}}`,
      'ifUnchanged',
      `{"id":"d","importMode":"updateIfMatchETag","eTag":"MQ==",${twin}}`,
    ],
    [
      `{"id":"d","eTag":"MQ==",${twin}}`,
      'ifUnchanged',
      `{"id":"d","eTag":"MQ==",${twin},"importMode":"createOrUpdateIfMatchETag"}`,
    ],
    [`{"id":"d","importMode":"update","eTag":"",${twin}}`, 'ifUnchanged', 'same'],
    [`{"id":"d","importMode":"update",${twin}}`, 'ifUnchanged', 'same'],
    // It says nothing of keys, and there was no device: it is for a new one alone.
    [`{"id":"d",${twin}}`, 'ifAbsent', `{"id":"d",${twin},"importMode":"create"}`],
    [`{"id":"d","importMode":"update",${twin}}`, 'ifAbsent', 'same'],
    [`{"id":"d","importMode":"create",${twin}}`, 'ifAbsent', 'same'],
    // These have a guard of their own.
    [`{"id":"d","importMode":"updateIfMatchETag","eTag":"MQ==",${twin}}`, 'ifUnchanged', 'same'],
    [`{"id":"d","importMode":"updateTwinIfMatchETag","twinETag":"AAAA",${twin}}`, 'ifUnchanged', 'same'],
  ])('%s, %s', (text, guard, again) => {
    expect(againText(text, guard)).toBe(again === 'same' ? text : again);
  });
});
