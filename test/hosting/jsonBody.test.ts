import type { HttpRequest } from '@azure/functions';
import { expect, it } from 'vitest';

import { jsonBody } from '../../src/hosting/jsonBody.ts';

const read = (text: string) => jsonBody({ text: async () => text } as HttpRequest, { hub: 'text', dryRun: 'boolean' });

it.each([
  ['', {}],
  [' \n', {}],
  ['{}', {}],
  ['{"hub":"a","dryRun":false}', { hub: 'a', dryRun: false }],
])('a body may be left out, and any of its members: %j', async (text, body) => {
  expect(await read(text)).toEqual({ body });
});

it.each([
  ...['{', '[]', 'null', '"a"'].map((text) => [text, 'its body is no JSON object']),
  ['{"hub":1}', '"hub" must be a text'],
  ['{"dryRun":"yes"}', '"dryRun" must be true or false'],
  ...['{"hubs":"a"}', '{"constructor":"a"}'].map((text) => [text, 'none of hub, dryRun']),
])('a body is refused that is not what the call takes, with what it takes: %j', async (text = '', says = '') => {
  expect(await read(text)).toMatchObject({
    refused: {
      status: 400,
      jsonBody: {
        error: { code: 'requestInvalid', message: expect.stringContaining(says) },
      },
    },
  });
});
