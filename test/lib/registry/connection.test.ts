import { createHmac } from 'node:crypto';
import { inspect } from 'node:util';

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { HubKeeperError } from '../../../src/lib/errors.ts';
import { parseHubConnection } from '../../../src/lib/registry/index.ts';
import { SasCredential } from '../../../src/lib/registry/sasCredential.ts';

const KEY = Buffer.from('0123456789abcdef0123456789abcdef').toString('base64');
const FULL = `HostName=myhub.azure-devices.net;SharedAccessKeyName=iothubowner;SharedAccessKey=${KEY}`;

function errorOf(text: string): HubKeeperError {
  try {
    parseHubConnection(text);
  } catch (error) {
    if (error instanceof HubKeeperError) {
      return error;
    }
    throw error;
  }
  throw new Error('It was taken.');
}

describe('parseHubConnection', () => {
  it('reads host, hub name and policy, and goes over HTTPS', () => {
    expect(parseHubConnection(FULL)).toMatchObject({
      hostName: 'myhub.azure-devices.net',
      hubName: 'myhub',
      endpoint: 'https://myhub.azure-devices.net',
      policyName: 'iothubowner',
    });
  });

  it('takes names in any case, blanks around parts and a last separator', () => {
    const text = ` hostname = myhub.azure-devices.net ; SHAREDACCESSKEYNAME=p; sharedAccessKey=${KEY};\n`;
    expect(parseHubConnection(text)).toMatchObject({ hostName: 'myhub.azure-devices.net', policyName: 'p' });
  });

  it('keeps the = of a base64 key', () => {
    const token = parseHubConnection(FULL).sas?.token() ?? '';
    const fields = new URLSearchParams(token.replace(/^SharedAccessSignature /, ''));
    const expected = createHmac('sha256', Buffer.from(KEY, 'base64'))
      .update(`myhub.azure-devices.net\n${fields.get('se')}`)
      .digest('base64');
    expect(fields.get('sig')).toBe(expected);
  });

  it.each([
    ['127.0.0.1:8081', 'true', 'http://127.0.0.1:8081'],
    ['localhost:8081', 'TRUE', 'http://localhost:8081'],
    ['[::1]:8081', 'true', 'http://[::1]:8081'],
    ['127.0.0.1:8081', 'false', 'https://127.0.0.1:8081'],
    ['10.0.0.7:8081', 'true', 'https://10.0.0.7:8081'],
    ['myhub.azure-devices.net', 'true', 'https://myhub.azure-devices.net'],
    ['localhost.example.com', 'true', 'https://localhost.example.com'],
    ['127.0.0.1.example.com', 'true', 'https://127.0.0.1.example.com'],
  ])('reaches %s with UseDevelopmentEmulator=%s at %s', (host, flag, endpoint) => {
    const text = `HostName=${host};SharedAccessKeyName=p;SharedAccessKey=${KEY};UseDevelopmentEmulator=${flag}`;
    expect(parseHubConnection(text).endpoint).toBe(endpoint);
  });

  it('uses plain HTTP for a loopback host only with the flag', () => {
    const text = `HostName=127.0.0.1:8081;SharedAccessKeyName=p;SharedAccessKey=${KEY}`;
    expect(parseHubConnection(text).endpoint).toBe('https://127.0.0.1:8081');
  });

  it('names an emulator by host and port', () => {
    expect(parseHubConnection(`HostName=127.0.0.1:8081;SharedAccessKeyName=p;SharedAccessKey=${KEY}`).hubName).toBe(
      '127.0.0.1:8081',
    );
  });

  it('takes a finished signature', () => {
    const signature = 'SharedAccessSignature sr=myhub.azure-devices.net&sig=abc%3D&se=1&skn=p';
    const connection = parseHubConnection(`HostName=myhub.azure-devices.net;SharedAccessSignature=${signature}`);
    expect(connection.sas?.token()).toBe(signature);
  });

  it('takes a bare host name with an identity, and asks for the identity only then', () => {
    const identity = { getToken: () => Promise.resolve(null) };
    let asked = 0;
    const make = () => {
      asked += 1;
      return identity;
    };
    expect(parseHubConnection(FULL, make).identity).toBeUndefined();
    expect(asked).toBe(0);
    expect(parseHubConnection('myhub.azure-devices.net', make)).toEqual({
      hostName: 'myhub.azure-devices.net',
      hubName: 'myhub',
      endpoint: 'https://myhub.azure-devices.net',
      identity,
    });
  });

  it.each([
    ['', 'is empty'],
    [`SharedAccessKeyName=p;SharedAccessKey=${KEY}`, 'lacks HostName'],
    [`HostName=myhub.azure-devices.net;SharedAccessKey=${KEY}`, 'lacks SharedAccessKeyName'],
    ['HostName=myhub.azure-devices.net;SharedAccessKeyName=p', 'lacks SharedAccessKey (or SharedAccessSignature)'],
    [
      'HostName=;SharedAccessKeyName=p;SharedAccessKey=',
      'lacks HostName and SharedAccessKey (or SharedAccessSignature)',
    ],
    [`HostName=myhub.azure-devices.net;SharedAccessKeyName=p;SharedAccessKey=not base64`, 'not base64'],
    [`${FULL};SharedAccessSignature=SharedAccessSignature sr=a&sig=b`, 'has both'],
    [`${FULL};HostName=other.azure-devices.net`, 'has HostName twice'],
    ['HostName=myhub.azure-devices.net;SharedAccessSignature=sr=a&sig=b', 'SharedAccessSignature that does not read'],
    [`HostName=https://myhub.azure-devices.net;SharedAccessKeyName=p;SharedAccessKey=${KEY}`, 'with a scheme'],
    [`HostName=my hub;SharedAccessKeyName=p;SharedAccessKey=${KEY}`, 'host name that is none'],
    [`HostName=h:99999;SharedAccessKeyName=p;SharedAccessKey=${KEY}`, 'host name that is none'],
    [`HostName=h/devices;SharedAccessKeyName=p;SharedAccessKey=${KEY}`, 'host name that is none'],
    [`HostName=user@h;SharedAccessKeyName=p;SharedAccessKey=${KEY}`, 'host name that is none'],
    [`${FULL};nonsense`, 'not NAME=VALUE'],
    [`${FULL};UseDevelopmentEmulator=yes`, 'neither true nor false'],
    [`HostName=h;DeviceId=d1;SharedAccessKey=${KEY}`, 'belongs to a device'],
    [`DefaultEndpointsProtocol=https;AccountName=a;AccountKey=${KEY}`, 'belongs to a storage account'],
    [`Endpoint=sb://a.servicebus.windows.net/;SharedAccessKeyName=p;SharedAccessKey=${KEY}`, 'an event hub'],
    ['UseDevelopmentStorage=true', 'lacks HostName'],
    ['my hub', 'host name that is none'],
  ])('refuses %j and says what is wrong with it', (text, what) => {
    const error = errorOf(text);
    expect(error.code).toBe('connectionStringInvalid');
    expect(error.message).toContain(what);
    expect(error.action).toContain('shared access policies');
  });

  it('never quotes the text that it refuses', () => {
    const secret = fc
      .uint8Array({ minLength: 16, maxLength: 48 })
      .map((bytes) => Buffer.from(bytes).toString('base64'));
    const around = fc.constantFrom(
      (key: string) => `HostName=h.azure-devices.net;SharedAccessKey=${key}`,
      (key: string) => `HostName=h.azure-devices.net;SharedAccessKeyName=p;SharedAccessKey=${key};${key}=1;${key}=2`,
      (key: string) => `HostName=${key};SharedAccessKeyName=p;SharedAccessKey=${key}!`,
      (key: string) => `HostName=h;SharedAccessKeyName=p;SharedAccessKey=${key};UseDevelopmentEmulator=${key}`,
      (key: string) => `AccountName=a;AccountKey=${key}`,
      (key: string) => `HostName=h;SharedAccessSignature=${key}`,
      (key: string) => `/${key}`,
      (key: string) => `;${key}`,
    );
    fc.assert(
      fc.property(secret, around, (key, shape) => {
        const error = errorOf(shape(key));
        return !`${error.message}${error.action}${error.stack}`.includes(key.slice(0, 12));
      }),
    );
  });

  it('shows its key neither as JSON nor when inspected', () => {
    const connection = parseHubConnection(FULL);
    connection.sas?.token();
    expect(JSON.stringify(connection)).not.toContain(KEY);
    expect(inspect(connection, { depth: 9, showHidden: true })).not.toContain(KEY.slice(0, 10));
    expect(inspect(connection, { depth: 9, showHidden: true })).not.toContain('sig=');
  });
});

describe('SasCredential', () => {
  const key = { hostName: '127.0.0.1:8081', policyName: 'a policy', key: KEY };
  const HOUR_MS = 3_600_000;

  it('signs host and port for one hour', () => {
    const token = SasCredential.fromKey(key, () => 1_000_000_000).token();
    const fields = new URLSearchParams(token.replace(/^SharedAccessSignature /, ''));
    expect(token).toMatch(/^SharedAccessSignature sr=127\.0\.0\.1%3A8081&sig=[^&+/=]+&se=1003600&skn=a%20policy$/);
    expect(fields.get('sig')).toBe(
      createHmac('sha256', Buffer.from(KEY, 'base64')).update('127.0.0.1%3A8081\n1003600').digest('base64'),
    );
  });

  it('gives the same token until ten minutes before its end, then a new one', () => {
    let now = 0;
    const credential = SasCredential.fromKey(key, () => now);
    const first = credential.token();
    now = HOUR_MS - 601_000;
    expect(credential.token()).toBe(first);
    now = HOUR_MS - 600_000;
    expect(credential.token()).not.toBe(first);
    expect(credential.token()).toContain('&se=6600&');
  });
});
