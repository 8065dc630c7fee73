import { createHmac, timingSafeEqual } from 'node:crypto';
import { type Policy, RIGHTS, type Right } from '../policies.ts';
import { HubError } from './hubError.ts';

export interface TokenInput {
  /** The `Authorization` header as received. */
  readonly header: string | undefined;
  readonly policies: readonly Policy[];
  /** Lower-case host names, with and without port, that this hub answers to. */
  readonly hosts: ReadonlySet<string>;
  readonly nowMs: number;
  /** What of a key signs; absent: the bytes that its base64 stands for. */
  readonly keyBytes?: (key: string) => Buffer;
}

export interface TokenCheck extends TokenInput {
  /** The path of the request, without query. */
  readonly path: string;
}

export interface Token {
  readonly rights: ReadonlySet<Right>;
  /** What the token is for, below the host: '' is everything. */
  readonly path: string;
  readonly expiresMs: number;
}

/** Verifies a service SAS token for a path and returns the rights of its policy. */
export function checkToken(check: TokenCheck): ReadonlySet<Right> {
  const { rights, path } = readToken(check);
  // A token is good for its resource and what lies below it.
  if (path !== '' && check.path !== path && !check.path.startsWith(`${path}/`)) throw elsewhere();
  return rights;
}

/**
 * Verifies a service SAS token.
 * The signature covers the `sr` text exactly as the token has it: clients disagree on escaping it and on the order of
 * the fields (https://learn.microsoft.com/azure/iot-hub/authenticate-authorize-sas).
 */
export function readToken(input: TokenInput): Token {
  const { header } = input;
  if (header === undefined || header === '') throw unauthorized('The Authorization header is missing.');
  const match = /^SharedAccessSignature\s+(.+)$/i.exec(header);
  if (!match?.[1]) throw unauthorized('The Authorization header is not a SharedAccessSignature token.');
  const fields = parseFields(match[1]);
  const { sr, sig, se, skn } = fields;
  if (sr === undefined || sig === undefined || se === undefined) throw unauthorized('The token lacks sr, sig or se.');
  if (skn === undefined) throw unauthorized('The token names no policy (skn); device tokens are not accepted here.');
  const policyName = decoded(skn);
  const policy = input.policies.find(({ name }) => name === policyName);
  if (policy === undefined) throw unauthorized(`The hub has no policy '${policyName}'.`);
  if (!/^\d+$/.test(se)) throw unauthorized('The expiry (se) of the token is no number of seconds.');
  if (Number(se) * 1000 <= input.nowMs) throw unauthorized('The token has expired.');
  const path = pathOf(decoded(sr), input.hosts);
  const keyBytes = input.keyBytes ?? ((key) => Buffer.from(key, 'base64'));
  const given = Buffer.from(decoded(sig), 'base64');
  const valid = [policy.primaryKey, policy.secondaryKey].some((key) => {
    const expected = createHmac('sha256', keyBytes(key)).update(`${sr}\n${se}`).digest();
    return expected.length === given.length && timingSafeEqual(expected, given);
  });
  if (!valid) throw unauthorized('The signature of the token is wrong.');
  const rights = new Set(RIGHTS.filter((right) => policy.rights.includes(right)));
  return { rights, path, expiresMs: Number(se) * 1000 };
}

function parseFields(text: string): Record<string, string | undefined> {
  const fields: Record<string, string | undefined> = {};
  for (const part of text.split('&')) {
    const at = part.indexOf('=');
    if (at > 0) fields[part.slice(0, at).toLowerCase()] = part.slice(at + 1);
  }
  return fields;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw unauthorized('The token is not properly URL-encoded.');
  }
}

/** The resource below its host, which must be this hub. */
function pathOf(resource: string, hosts: ReadonlySet<string>): string {
  const bare = resource.replace(/^[a-z]+:\/\//i, '').replace(/\/+$/, '');
  const slash = bare.indexOf('/');
  const host = (slash < 0 ? bare : bare.slice(0, slash)).toLowerCase();
  if (!hosts.has(host)) throw elsewhere();
  return slash < 0 ? '' : bare.slice(slash);
}

function elsewhere(): HubError {
  return unauthorized('The token is for another hub or resource (sr).');
}

function unauthorized(why: string): HubError {
  return new HubError('IotHubUnauthorizedAccess', `Unauthorized. ${why}`);
}
