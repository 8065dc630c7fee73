import { expect, test } from 'vitest';

import type { ImportMode } from '../../../../src/lib/devicesFile/importMode.ts';
import { lineToVerify } from '../../../../src/lib/provisioning/verify/nextVerification.ts';

interface VerifiedRow {
  readonly name: string;
  readonly given: {
    readonly mode: ImportMode;
    readonly sent: string;
    readonly asked: string;
    readonly wasCalled: boolean;
  };
  /** What the registry is compared with. */
  readonly expected: object;
}

const WHOLE = '{"id":"d","tags":{"a":1,"b":2}}';
const PATCH = '{"id":"d","tags":{"a":1}}';

test.for<VerifiedRow>([
  {
    name: 'a line is compared as it was sent',
    given: { mode: 'update', sent: PATCH, asked: PATCH, wasCalled: true },
    expected: { id: 'd', tags: { a: 1 } },
  },
  {
    name: 'what was filled in counts',
    given: { mode: 'update', sent: '{"id":"d","status":"disabled"}', asked: '{"id":"d"}', wasCalled: false },
    expected: { id: 'd', status: 'disabled' },
  },
  {
    name: 'what was filled in counts after a call, too',
    given: { mode: 'createOrUpdate', sent: '{"id":"d","status":"disabled"}', asked: '{"id":"d"}', wasCalled: true },
    expected: { id: 'd', status: 'disabled' },
  },
  {
    name: 'of a twin that is written whole, a null stands for what is not there',
    given: { mode: 'update', sent: '{"id":"d","tags":{}}', asked: '{"id":"d","tags":{"a":null}}', wasCalled: false },
    expected: { id: 'd', tags: { a: null } },
  },
  {
    name: 'what was merged is compared whole',
    given: { mode: 'updateTwin', sent: WHOLE, asked: PATCH, wasCalled: false },
    expected: { id: 'd', tags: { a: 1, b: 2 } },
  },
  {
    name: 'what was merged, and may have been patched, is compared as a patch',
    given: { mode: 'updateTwin', sent: WHOLE, asked: PATCH, wasCalled: true },
    expected: { id: 'd', tags: { a: 1 } },
  },
  {
    name: 'what was merged under an ETag of its own is never patched',
    given: { mode: 'updateTwinIfMatchETag', sent: WHOLE, asked: PATCH, wasCalled: true },
    expected: { id: 'd', tags: { a: 1, b: 2 } },
  },
  {
    name: 'a twin that was not sent, for its ETag was stale, is asked for all the same',
    given: {
      mode: 'createOrUpdateIfMatchETag',
      sent: '{"id":"d","eTag":"AAAA"}',
      asked: '{"id":"d","eTag":"AAAA","properties":{"desired":{"a":1}}}',
      wasCalled: false,
    },
    expected: { id: 'd', eTag: 'AAAA', properties: { desired: { a: 1 } } },
  },
  {
    name: 'a module is compared with its module id',
    given: {
      mode: 'updateTwin',
      sent: '{"id":"d","moduleId":"m","tags":{"a":1,"b":2}}',
      asked: '{"id":"d","moduleId":"m","tags":{"a":1}}',
      wasCalled: true,
    },
    expected: { id: 'd', moduleId: 'm', tags: { a: 1 } },
  },
  {
    name: 'a delete is compared as it is',
    given: { mode: 'delete', sent: '{"id":"d","status":"enabled"}', asked: '{"id":"d"}', wasCalled: false },
    expected: { id: 'd', status: 'enabled' },
  },
])('$name', ({ given: { mode, sent: text, asked, wasCalled }, expected }) => {
  const line = lineToVerify({ text, asked, mode, line: JSON.parse(text) }, wasCalled);
  expect(JSON.parse(JSON.stringify(line))).toEqual(expected);
});
