import { describe, expect, test } from 'vitest';

import { againText, type Guard, guardOf } from '../../../../src/lib/provisioning/again/sentAgain.ts';

interface GuardRow {
  readonly name: string;
  readonly given: { readonly isFilled: boolean; readonly isIncomplete: boolean };
  readonly expected: Guard | undefined;
}

describe('the guard of a line that is sent again', () => {
  test.for<GuardRow>([
    {
      name: 'what was filled in applies to the device as it was',
      given: { isFilled: true, isIncomplete: true },
      expected: 'ifUnchanged',
    },
    {
      name: 'so does a twin that was merged or made whole',
      given: { isFilled: true, isIncomplete: false },
      expected: 'ifUnchanged',
    },
    {
      name: 'what lacks something, and found nobody to take it from, is for a new device alone',
      given: { isFilled: false, isIncomplete: true },
      expected: 'ifAbsent',
    },
    {
      name: 'what is complete may be sent again as it is',
      given: { isFilled: false, isIncomplete: false },
      expected: undefined,
    },
  ])('$name', ({ given, expected }) => {
    expect(guardOf(given)).toBe(expected);
  });
});

interface AgainRow {
  readonly name: string;
  readonly given: { readonly text: string; readonly guard: Guard | undefined };
  /** `same`: as it was sent the first time. */
  readonly expected: string;
}

describe('a line that is sent again', () => {
  const twin = '"tags":{"a":1.0,"10":"x","2":"y"}';
  test.for<AgainRow>([
    {
      name: 'goes as it went, where it needs no guard',
      given: { text: `{"id":"d","importMode":"update","eTag":"MQ==",${twin}}`, guard: undefined },
      expected: 'same',
    },
    // It was filled with what its device had: it applies to that alone.
    {
      name: 'compares the ETag of the device that it was filled from',
      given: { text: `{"id":"d","importMode":"update","eTag":"MQ==",${twin}}`, guard: 'ifUnchanged' },
      expected: `{"id":"d","importMode":"updateIfMatchETag","eTag":"MQ==",${twin}}`,
    },
    {
      name: 'does not compare the ETag of the twin, which it writes as it is',
      given: { text: `{"id":"d","importMode":"update","eTag":"MQ==","twinETag":"old",${twin}}`, guard: 'ifUnchanged' },
      expected: `{"id":"d","importMode":"updateIfMatchETag","eTag":"MQ==",${twin}}`,
    },
    {
      name: 'compares it in the mode that lines have without one',
      given: { text: `{"id":"d","eTag":"MQ==",${twin}}`, guard: 'ifUnchanged' },
      expected: `{"id":"d","eTag":"MQ==",${twin},"importMode":"createOrUpdateIfMatchETag"}`,
    },
    {
      name: 'compares it where the mode is written in other case',
      given: { text: `{"id":"d","importMode":"UPDATE","eTag":"MQ==",${twin}}`, guard: 'ifUnchanged' },
      expected: `{"id":"d","importMode":"updateIfMatchETag","eTag":"MQ==",${twin}}`,
    },
    {
      name: 'of a module compares that of the module',
      given: {
        text: `{"id":"d","moduleId":"m","importMode":"createOrUpdate","eTag":"Mg==",${twin}}`,
        guard: 'ifUnchanged',
      },
      expected: `{"id":"d","moduleId":"m","importMode":"createOrUpdateIfMatchETag","eTag":"Mg==",${twin}}`,
    },
    {
      name: 'keeps its text where it is put together anew',
      given: { text: '{"id":"größe-😀","importMode":"update","eTag":"MQ==","tags":{"b" : 1E5}}', guard: 'ifUnchanged' },
      expected: '{"id":"größe-😀","importMode":"updateIfMatchETag","eTag":"MQ==","tags":{"b" : 1E5}}',
    },
    {
      name: 'goes as it went, where there is no ETag to compare',
      given: { text: `{"id":"d","importMode":"update",${twin}}`, guard: 'ifUnchanged' },
      expected: 'same',
    },
    {
      name: 'goes as it went, where the ETag to compare is empty',
      given: { text: `{"id":"d","importMode":"update","eTag":"",${twin}}`, guard: 'ifUnchanged' },
      expected: 'same',
    },
    // It says nothing of keys, and there was no device: it is for a new one alone.
    {
      name: 'creates, and does not give new keys to a device that has come meanwhile',
      given: { text: `{"id":"d","importMode":"createOrUpdate",${twin}}`, guard: 'ifAbsent' },
      expected: `{"id":"d","importMode":"create",${twin}}`,
    },
    {
      name: 'creates in the mode that lines have without one',
      given: { text: `{"id":"d","moduleId":"m",${twin}}`, guard: 'ifAbsent' },
      expected: `{"id":"d","moduleId":"m",${twin},"importMode":"create"}`,
    },
    {
      name: 'goes as it went, where it never creates',
      given: { text: `{"id":"d","importMode":"update",${twin}}`, guard: 'ifAbsent' },
      expected: 'same',
    },
    {
      name: 'goes as it went, where it only creates',
      given: { text: `{"id":"d","importMode":"create",${twin}}`, guard: 'ifAbsent' },
      expected: 'same',
    },
    // These have a guard of their own.
    {
      name: 'goes as it went, where it compares an ETag of its own',
      given: { text: `{"id":"d","importMode":"updateIfMatchETag","eTag":"MQ==",${twin}}`, guard: 'ifUnchanged' },
      expected: 'same',
    },
    {
      name: 'goes as it went, where it compares an ETag of its own and is for a new device, too',
      given: { text: `{"id":"d","importMode":"createOrUpdateIfMatchETag","eTag":"MQ==",${twin}}`, guard: 'ifAbsent' },
      expected: 'same',
    },
    {
      name: 'goes as it went, where it was merged under the ETag of the twin',
      given: {
        text: `{"id":"d","importMode":"updateTwinIfMatchETag","twinETag":"AAAA",${twin}}`,
        guard: 'ifUnchanged',
      },
      expected: 'same',
    },
    {
      name: 'goes as it went, where it merges without an ETag, for its identity is left alone',
      given: { text: `{"id":"d","importMode":"updateTwin","eTag":"MQ==",${twin}}`, guard: 'ifUnchanged' },
      expected: 'same',
    },
    {
      name: 'goes as it went, where it deletes',
      given: { text: '{"id":"d","importMode":"delete","eTag":"MQ=="}', guard: 'ifUnchanged' },
      expected: 'same',
    },
  ])('$name', ({ given: { text, guard }, expected }) => {
    expect(againText(text, guard)).toBe(expected === 'same' ? text : expected);
  });
});
