/** Where a hub is and how to prove who we are, parsed from a connection string or a host name. */

import type { TokenCredential } from '@azure/core-auth';
import { defined } from '../defined.ts';
import { HubKeeperError } from '../errors.ts';
import { callText } from './callTexts.ts';
import { SasCredential } from './sasCredential.ts';

export interface HubConnection {
  /** As the connection string has it, with the port of an emulator: `myhub.azure-devices.net`, `127.0.0.1:8081`. */
  readonly hostName: string;
  /** `myhub`; for an emulator on a loopback address, host and port. */
  readonly hubName: string;
  /** `https://…`; plain HTTP only for an emulator on a loopback address. No slash at the end. */
  readonly endpoint: string;
  /** Of a connection string. */
  readonly sas?: SasCredential;
  /** Of a bare host name: Microsoft Entra ID. */
  readonly identity?: TokenCredential;
  /** Name of the shared access policy, where the connection string has one. */
  readonly policyName?: string;
}

const FORM = 'HostName=…;SharedAccessKeyName=…;SharedAccessKey=…';
const HOST_NAME = /^(?:\[[0-9a-f:]{2,45}\]|[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?)(?::(\d{1,5}))?$/i;
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/i;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;
const KNOWN_KEYS = [
  'HostName',
  'SharedAccessKeyName',
  'SharedAccessKey',
  'SharedAccessSignature',
  'UseDevelopmentEmulator',
];

/**
 * Parses a service connection string of an IoT hub (`HostName=…;SharedAccessKeyName=…;SharedAccessKey=…`, or with
 * `SharedAccessSignature=…`; `UseDevelopmentEmulator=true` for a local simulator), or a bare host name, for which
 * `identity` makes the credential.
 *
 * @throws HubKeeperError `connectionStringInvalid`, which names what is wrong and never quotes the text.
 */
export function parseHubConnection(text: string, identity?: () => TokenCredential): HubConnection {
  const trimmed = text.trim();
  if (trimmed === '') throw invalid('is empty');
  return /[=;]/.test(trimmed) ? fromConnectionString(trimmed) : fromHostName(trimmed, identity?.());
}

function fromHostName(text: string, identity: TokenCredential | undefined): HubConnection {
  assertHostName(text);
  return {
    hostName: text,
    hubName: hubNameOf(text),
    endpoint: `https://${text}`,
    ...defined({ identity }),
  };
}

function fromConnectionString(text: string): HubConnection {
  const parts = splitParts(text);
  assertServiceConnectionString(parts);
  const hostName = parts.get('HostName');
  const policyName = parts.get('SharedAccessKeyName');
  const key = parts.get('SharedAccessKey');
  const signature = parts.get('SharedAccessSignature');

  const missing = [
    ...(hostName === undefined ? ['HostName'] : []),
    ...(key !== undefined && policyName === undefined ? ['SharedAccessKeyName'] : []),
    ...(key === undefined && signature === undefined ? ['SharedAccessKey (or SharedAccessSignature)'] : []),
  ];
  if (hostName === undefined || missing.length > 0) throw invalid(`lacks ${missing.join(' and ')}`);
  assertHostName(hostName);
  if (key !== undefined && signature !== undefined) {
    throw invalid('has both SharedAccessKey and SharedAccessSignature: keep one');
  }
  const emulator = flag(parts.get('UseDevelopmentEmulator'));
  return {
    hostName,
    hubName: hubNameOf(hostName),
    endpoint: `${emulator && LOOPBACK.test(hostName) ? 'http' : 'https'}://${hostName}`,
    sas: credential(hostName, policyName, key, signature),
    ...defined({ policyName }),
  };
}

/** Of a key and its policy, or of a signature. */
function credential(hostName: string, policyName = '', key?: string, signature = ''): SasCredential {
  if (key !== undefined) {
    if (!BASE64.test(key) || Buffer.from(key, 'base64').length === 0) {
      throw invalid('has a SharedAccessKey that is not base64: was it cut off when it was copied?');
    }
    return SasCredential.fromKey({ hostName, policyName, key });
  }
  if (!/^SharedAccessSignature\s/.test(signature) || !/[\s&]sig=/.test(signature) || /[\r\n]/.test(signature)) {
    throw invalid('has a SharedAccessSignature that does not read "SharedAccessSignature sr=…&sig=…&se=…"');
  }
  return SasCredential.fromSignature(signature);
}

function splitParts(text: string): Map<string, string> {
  const parts = new Map<string, string>();
  for (const part of text.split(';')) {
    const equals = part.indexOf('=');
    if (part.trim() === '') continue;
    if (equals <= 0) throw invalid('has a part that is not NAME=VALUE (parts are separated by ";")');
    const given = part.slice(0, equals).trim();
    const name = KNOWN_KEYS.find((known) => known.toLowerCase() === given.toLowerCase()) ?? given;
    if (parts.has(name)) {
      // Only names of the known list are repeated: a misplaced ";" can put a piece of the key where a name should be.
      throw invalid(KNOWN_KEYS.includes(name) ? `has ${name} twice` : 'has a part twice');
    }
    const value = part.slice(equals + 1).trim();
    if (value !== '') {
      parts.set(name, value);
    }
  }
  return parts;
}

/** The connection strings that people put here by mistake look alike: say which one it is. */
function assertServiceConnectionString(parts: ReadonlyMap<string, string>): void {
  const names = new Set([...parts.keys()].map((name) => name.toLowerCase()));
  const kind = names.has('deviceid')
    ? 'belongs to a device'
    : names.has('accountname') || names.has('accountkey')
      ? 'belongs to a storage account'
      : names.has('endpoint')
        ? 'belongs to an event hub or another service'
        : undefined;
  if (kind !== undefined) throw invalid(`${kind}, not to the service side of an IoT hub`);
}

function assertHostName(text: string): void {
  if (/^\w{1,12}:\/\//.test(text)) throw invalid('has a host name with a scheme: leave "https://" out');
  const port = HOST_NAME.exec(text);
  if (port === null || (port[1] !== undefined && (Number(port[1]) === 0 || Number(port[1]) > 65_535))) {
    throw invalid('has a host name that is none: it reads like myhub.azure-devices.net');
  }
}

function flag(value: string | undefined): boolean {
  if (value === undefined || value.toLowerCase() === 'false') return false;
  if (value.toLowerCase() === 'true') return true;
  throw invalid('has a UseDevelopmentEmulator that is neither true nor false');
}

function hubNameOf(hostName: string): string {
  return LOOPBACK.test(hostName) || /^[\d.[\]:]+$/.test(hostName) ? hostName : (hostName.split('.')[0] ?? hostName);
}

function invalid(what: string): HubKeeperError {
  return new HubKeeperError(callText('connectionStringInvalid', { problem: what, form: FORM }));
}
