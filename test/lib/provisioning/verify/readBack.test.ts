import { expect, it } from 'vitest';

import type { ImportMode } from '../../../../src/lib/devicesFile/importMode.ts';
import { lineToVerify } from '../../../../src/lib/provisioning/verify/readBack.ts';

it.each<[string, ImportMode, string, string, boolean, object]>([
  ['as it was sent', 'update', '{"id":"d","tags":{"a":1}}', '{"id":"d","tags":{"a":1}}', true, { tags: { a: 1 } }],
  ['with what was filled in', 'update', '{"id":"d","status":"disabled"}', '{"id":"d"}', false, { status: 'disabled' }],
  [
    'merged',
    'updateTwin',
    '{"id":"d","tags":{"a":1,"b":2}}',
    '{"id":"d","tags":{"a":1}}',
    false,
    { tags: { a: 1, b: 2 } },
  ],
  [
    'as a patch',
    'updateTwin',
    '{"id":"d","tags":{"a":1,"b":2}}',
    '{"id":"d","tags":{"a":1}}',
    true,
    { tags: { a: 1 } },
  ],
  [
    'with the twin that it was not given',
    'createOrUpdateIfMatchETag',
    '{"id":"d","eTag":"AAAA"}',
    '{"id":"d","eTag":"AAAA","properties":{"desired":{"a":1}}}',
    false,
    { eTag: 'AAAA', properties: { desired: { a: 1 } } },
  ],
])('a line is verified %s', (_what, mode, text, asked, wasCalled, verified) => {
  const line = lineToVerify({ text, asked, mode, line: JSON.parse(text) }, wasCalled);
  expect(JSON.parse(JSON.stringify(line))).toEqual({ id: 'd', ...verified });
});
