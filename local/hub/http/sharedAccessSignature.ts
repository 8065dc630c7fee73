import { createHmac, timingSafeEqual } from 'node:crypto';
import { type Policy, RIGHTS, type Right } from '../policies.ts';
import { HubError } from './hubError.ts';

export interface TokenCheck {
  /** The `Authorization` header as received. */
  readonly header: string | undefined;
  readonly policies: readonly Policy[];
  /** Lower-case host names, with and without port, that this hub answers to. */
  readonly hosts: ReadonlySet<string>;
  /** The path of the request, without query. */
  readonly path: string;
  readonly nowMs: number;
}

/**
 * Verifies a service SAS token and returns the rights of its policy.
 * The signature covers the `sr` text exactly as the token has it: clients disagree on escaping it and on the order of
 * the fields (https://learn.microsoft.com/azure/iot-hub/authenticate-authorize-sas).
 */
export function checkToken(check: TokenCheck): ReadonlySet<Right> {
  const { header } = check;
  if (header === undefined || header === '') throw unauthorized('The Authorization header is missing.');
  if (/^Bearer\s/i.test(header)) {
    throw unauthorized('This simulator knows no Entra ID: use a SharedAccessSignature token.');
  }
  const match = /^SharedAccessSignature\s+(.+)$/i.exec(header);
  if (!match?.[1]) throw unauthorized('The Authorization header is not a SharedAccessSignature token.');
  const fields = parseFields(match[1]);
  const { sr, sig, se, skn } = fields;
  if (sr === undefined || sig === undefined || se === undefined) throw unauthorized('The token lacks sr, sig or se.');
  if (skn === undefined) throw unauthorized('The token names no policy (skn); device tokens are not accepted here.');
  const policyName = decoded(skn);
  const policy = check.policies.find(({ name }) => name === policyName);
  if (policy === undefined) throw unauthorized(`The hub has no policy '${policyName}'.`);
  if (!/^\d+$/.test(se)) throw unauthorized('The expiry (se) of the token is no number of seconds.');
  if (Number(se) * 1000 <= check.nowMs) throw unauthorized('The token has expired.');
  if (!covers(decoded(sr), check)) throw unauthorized('The token is for another hub or resource (sr).');
  const given = Buffer.from(decoded(sig), 'base64');
  const valid = [policy.primaryKey, policy.secondaryKey].some((key) => {
    const expected = createHmac('sha256', Buffer.from(key, 'base64')).update(`${sr}\n${se}`).digest();
    return expected.length === given.length && timingSafeEqual(expected, given);
  });
  if (!valid) throw unauthorized('The signature of the token is wrong.');
  return new Set(RIGHTS.filter((right) => policy.rights.includes(right)));
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

/** A token is good for its resource and what lies below it. */
function covers(resource: string, check: TokenCheck): boolean {
  const bare = resource.replace(/^[a-z]+:\/\//i, '').replace(/\/+$/, '');
  const slash = bare.indexOf('/');
  const host = (slash < 0 ? bare : bare.slice(0, slash)).toLowerCase();
  if (!check.hosts.has(host)) return false;
  if (slash < 0) return true;
  const below = bare.slice(slash);
  return check.path === below || check.path.startsWith(`${below}/`);
}

function unauthorized(why: string): HubError {
  return new HubError('IotHubUnauthorizedAccess', `Unauthorized. ${why}`);
}
