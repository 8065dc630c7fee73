import { expect, it } from 'vitest';

import {
  credentialField,
  isCredentialName,
  looksLikeCredential,
} from '../../../src/lib/devicesFile/credentialNames.ts';
import { KEY_1 } from './checkText.ts';

const PRIMARY = 'authentication.symmetricKey.primaryKey';
const THUMBPRINT = 'authentication.x509Thumbprint.primaryThumbprint';

it.each([
  ['primaryKey', PRIMARY],
  ['Primary Key', PRIMARY],
  ['PRIMARY_KEY', PRIMARY],
  ['symmetricKey.primaryKey', PRIMARY],
  ['authentication.symmetricKey.PrimaryKey.', PRIMARY],
  ['key1', PRIMARY],
  ['Key 2', 'authentication.symmetricKey.secondaryKey'],
  ['secondary-key', 'authentication.symmetricKey.secondaryKey'],
  ['thumbprint', THUMBPRINT],
  ['Certificate Thumbprint', THUMBPRINT],
  ['x509Thumbprint.secondaryThumbprint', 'authentication.x509Thumbprint.secondaryThumbprint'],
  ['Fingerprint', THUMBPRINT],
  ['authType', 'authentication.type'],
  ['AuthenticationType', 'authentication.type'],
  ['key', undefined],
  ['AppKey', undefined],
  ['primaryConnectionString', undefined],
  ['ConnectionString', undefined],
  ['SharedAccessSignature', undefined],
  ['sas_token', undefined],
  ['Passwort', undefined],
  ['Schl\u00fcssel', undefined],
  ['x509', undefined],
  ['Device Certificate', undefined],
  ['clientSecret', undefined],
  ['apiKey', undefined],
  ['apikey', undefined],
  ['APIKEY', undefined],
  ['wifiPassword', undefined],
  ['wifipassword', undefined],
  ['WLANPASSWORT', undefined],
  ['Primärschlüssel', PRIMARY],
  ['Sekundärschlüssel', 'authentication.symmetricKey.secondaryKey'],
  ['Geraeteschluessel 1', undefined],
  ['Zugriffsschlüssel', undefined],
])('%s is the name of a credential', (name, field) => {
  expect(isCredentialName(name)).toBe(true);
  expect(credentialField(name)).toBe(field);
});

it.each([
  'Standort',
  'Type',
  'Model',
  'keyboard',
  'Monkey',
  'Turkey',
  'Author',
  'connectionState',
  'Serial No',
  'lastActivityTime',
  'Passage',
  'Zertifizierung',
  'Artikelschlüssel',
  'constructor',
  '',
])('"%s" is none', (name) => {
  expect(isCredentialName(name)).toBe(false);
  expect(credentialField(name)).toBeUndefined();
});

it.each([
  ['a key of 32 bytes', KEY_1, true],
  ['a key of 64 bytes', Buffer.alloc(64, 3).toString('base64'), true],
  ['a SHA-1 thumbprint', 'a0'.repeat(20), true],
  ['a SHA-256 thumbprint with colons', Array.from({ length: 32 }, () => 'A0').join(':'), true],
  ['a connection string', `HostName=h;DeviceId=d;SharedAccessKey=${KEY_1}`, true],
  ['a signature', 'SharedAccessSignature sr=h%2Fdevices%2Fd&sig=x&se=1790000000', true],
  ['a link with a signature', 'https://a.blob.core.windows.net/c/b?sv=2024-11-04&sig=x', true],
  ['the beginning of a certificate', '-----BEGIN CERTIFICATE-----\nMIIB', true],
  ['a whole certificate', `-----BEGIN CERTIFICATE-----\n${'MIIB'.repeat(20)}`, true],
  ['a key of 23 bytes', Buffer.alloc(23, 7).toString('base64'), true],
  ['a key of 16 bytes', Buffer.alloc(16, 7).toString('base64'), true],
  ['an ETag', 'AAAAAAAAAAE=', false],
  ['a UUID', '123e4567-e89b-12d3-a456-426614174000', false],
  ['a sentence', 'The third pump from the left, behind the door of hall 7', false],
  ['a MAC address', 'A0:F7:88:0B:5C:5A', false],
])('tells a cell with a credential: %s', (_what, text, isOne) => {
  expect(looksLikeCredential(text)).toBe(isOne);
});
