import { type Bearer, EVENTS_AUDIENCE, readBearer } from '../http/bearerToken.ts';
import { HubError } from '../http/hubError.ts';
import { readToken } from '../http/sharedAccessSignature.ts';
import type { Policy } from '../policies.ts';

/** What the tokens of a connection are checked by. */
export interface Audience {
  readonly policies: readonly Policy[];
  /** Lower-case host names, with and without port, that the endpoint answers to. */
  readonly hosts: () => ReadonlySet<string>;
  readonly now: () => number;
  /** As of the options of a hub. With one, the endpoint stands in for an Event Hub, as its own takes keys only. */
  readonly entraKey?: string | undefined;
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

const JWT_TYPE = 'jwt';
const RECEIVER_ROLE = 'Azure Event Hubs Data Receiver';
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
      if (type === JWT_TYPE && audience.entraKey !== undefined) {
        const { expiresMs } = receiverToken(audience, token);
        expiries.set('', Math.max(expiresMs, expiries.get('') ?? 0));
        return;
      }
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
    if (audience.entraKey !== undefined && typeof token === 'string' && token.startsWith('eyJ')) {
      receiverToken(audience, token);
      return true;
    }
    return covers(listenToken(audience, token).path, address);
  } catch (error) {
    if (error instanceof HubError) return false;
    throw error;
  }
}

/** A token of whoever may receive from all Event Hubs of the namespace. */
function receiverToken({ entraKey: key, now }: Audience, token: unknown): Bearer {
  const bearer = readBearer({ token: String(token), key, audience: EVENTS_AUDIENCE, nowMs: now() });
  if (!bearer.roles.includes(RECEIVER_ROLE)) {
    throw new HubError('IotHubUnauthorizedAccess', "Unauthorized access. 'Listen' claim(s) are required.");
  }
  return bearer;
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
