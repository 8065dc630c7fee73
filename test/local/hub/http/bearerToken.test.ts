import { describe, expect, it } from 'vitest';

import { readBearer } from '../../../../local/hub/http/bearerToken.ts';
import { entraToken } from '../../../helpers/entraToken.ts';

const KEY = 'a key of stand-ins';
const AUDIENCE = 'https://iothubs.azure.net';
const roles = ['IoT Hub Data Contributor'];

function read(token: string, key: string | undefined = KEY) {
  return readBearer({ token, key, audience: AUDIENCE, nowMs: Date.now() });
}

describe('a bearer token', () => {
  it.each([AUDIENCE, `${AUDIENCE}/`])('for %s tells its roles', (audience) => {
    expect(read(entraToken(KEY, { audience, roles })).roles).toEqual(roles);
  });

  it.each([
    ['another audience', entraToken(KEY, { audience: 'https://storage.azure.com', roles })],
    ['expired', entraToken(KEY, { audience: AUDIENCE, roles, seconds: -1 })],
    ['signature', entraToken('another key', { audience: AUDIENCE, roles })],
    ['signature', `${entraToken(KEY, { audience: AUDIENCE, roles })}.x`],
    ['signature', 'abc'],
  ])('is refused for its fault: %s', (why, token) => {
    expect(() => read(token)).toThrow(why);
  });

  it('is refused by a hub without a key for it', () => {
    expect(() => readBearer({ token: 'x', key: undefined, audience: AUDIENCE, nowMs: 0 })).toThrow('no Entra ID');
  });
});
