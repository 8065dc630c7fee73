import { HubError } from '../http/hubError.ts';
import { readToken } from '../http/sharedAccessSignature.ts';
import type { Policy } from '../policies.ts';

/** What the tokens of a connection are checked by. */
export interface Audience {
  readonly policies: readonly Policy[];
  /** Lower-case host names, with and without port, that the endpoint answers to. */
  readonly hosts: () => ReadonlySet<string>;
  readonly now: () => number;
}

/** What the tokens that a connection has put allow it to read. */
export interface Claims {
  /** Throws HubError, a 401, for a token that does not open the endpoint. */
  put(token: unknown, type: unknown): void;
  /** Whether a token that is still good covers an address. */
  cover(address: string): boolean;
  /** When the next token expires, in ms. */
  nextExpiryMs(): number | undefined;
}

const SAS_TYPES = ['servicebus.windows.net:sastoken', 'azure-devices.net:sastoken'];

export function createClaims(audience: Audience): Claims {
  /** When the token for a path expires. */
  const expiries = new Map<string, number>();
  const forgetExpired = () => {
    for (const [path, expiresMs] of expiries) if (expiresMs <= audience.now()) expiries.delete(path);
  };
  return {
    put: (token, type) => {
      forgetExpired();
      // The built-in endpoint of a hub takes no Entra ID tokens.
      if (!SAS_TYPES.some((known) => known === type)) {
        throw new HubError('IotHubUnauthorizedAccess', `Unauthorized. Tokens of type '${type}' are not accepted here.`);
      }
      const { path, expiresMs } = listenToken(audience, token);
      expiries.set(path, Math.max(expiresMs, expiries.get(path) ?? 0));
    },
    cover: (address) => {
      forgetExpired();
      return [...expiries.keys()].some((path) => covers(path, address));
    },
    nextExpiryMs: () => {
      forgetExpired();
      return expiries.size === 0 ? undefined : Math.min(...expiries.values());
    },
  };
}

/** Whether one token by itself allows to read what an address names. */
export function tokenCovers(audience: Audience, token: unknown, address: string): boolean {
  try {
    return covers(listenToken(audience, token).path, address);
  } catch (error) {
    if (error instanceof HubError) return false;
    throw error;
  }
}

function listenToken({ policies, hosts, now }: Audience, token: unknown) {
  const text = typeof token === 'string' ? token : undefined;
  // Clients of Event Hubs sign with the key as it is written, those of IoT Hub with its bytes.
  const read = readToken({ header: text, policies, hosts: hosts(), nowMs: now(), keyBytes: (key) => Buffer.from(key) });
  if (!read.rights.has('ServiceConnect')) {
    throw new HubError('IotHubUnauthorizedAccess', 'Unauthorized. The policy lacks the right ServiceConnect.');
  }
  return read;
}

function covers(path: string, address: string): boolean {
  const [own, wanted] = [path, `/${address}`].map((text) => text.toLowerCase());
  return own === '' || wanted === own || wanted?.startsWith(`${own}/`) === true;
}
