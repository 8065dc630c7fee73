import { createHmac, timingSafeEqual } from 'node:crypto';
import { HubError } from './hubError.ts';

/** What tokens for the REST surface of a hub are for, and those for Event Hubs. */
export const HUB_AUDIENCE = 'https://iothubs.azure.net';
export const EVENTS_AUDIENCE = 'https://eventhubs.azure.net';

export interface BearerInput {
  /** A JSON Web Token, without `Bearer`. */
  readonly token: string;
  /** The key that stand-ins for Microsoft Entra ID sign with (HMAC-SHA256); absent: no token is accepted. */
  readonly key: string | undefined;
  readonly audience: string;
  readonly nowMs: number;
}

export interface Bearer {
  /** Names of the roles on this hub. In Azure no token tells them: the hub looks them up. */
  readonly roles: readonly string[];
  readonly expiresMs: number;
}

/** Verifies signature, audience and times of a token. */
export function readBearer({ token, key, audience, nowMs }: BearerInput): Bearer {
  if (key === undefined) throw unauthorized('This simulator knows no Entra ID: start it with --entra-key.');
  const [header = '', payload = '', signature = '', ...more] = token.trim().split('.');
  const expected = createHmac('sha256', key).update(`${header}.${payload}`).digest();
  const given = Buffer.from(signature, 'base64url');
  if (more.length > 0 || given.length !== expected.length || !timingSafeEqual(given, expected)) {
    throw unauthorized('The signature of the token is wrong.');
  }
  const { aud, exp, nbf, roles } = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>;
  if (typeof aud !== 'string' || aud.replace(/\/$/, '') !== audience)
    throw unauthorized('The token is for another audience.');
  if (typeof exp !== 'number' || exp * 1000 <= nowMs) throw unauthorized('The token has expired.');
  if (typeof nbf === 'number' && nbf * 1000 > nowMs) throw unauthorized('The token is not valid yet.');
  return { roles: Array.isArray(roles) ? roles.map(String) : [], expiresMs: exp * 1000 };
}

function unauthorized(why: string): HubError {
  return new HubError('IotHubUnauthorizedAccess', `Unauthorized. ${why}`);
}
