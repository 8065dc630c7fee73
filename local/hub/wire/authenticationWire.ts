import type { AuthenticationInput } from '../identity/authentication.ts';
import type { IdentityRow } from '../registry/identityRow.ts';
import { createMemberReader, readEnum, readString } from './jsonNet.ts';

const TYPES = ['sas', 'selfSigned', 'certificateAuthority', 'none'] as const;
const readAuthenticationMembers = createMemberReader('Microsoft.Azure.Devices.AuthenticationMechanism', [
  'type',
  'symmetricKey',
  'x509Thumbprint',
]);
const readKeys = createMemberReader('Microsoft.Azure.Devices.SymmetricKey', ['primaryKey', 'secondaryKey']);
const readThumbprints = createMemberReader('Microsoft.Azure.Devices.X509Thumbprint', [
  'primaryThumbprint',
  'secondaryThumbprint',
]);

/** Reads `authentication`; null and absent are the same. */
export function readAuthentication(value: unknown, path: string): AuthenticationInput | undefined {
  const members = readAuthenticationMembers(value, path);
  if (members === undefined) return undefined;
  const keys = readKeys(members.symmetricKey, `${path}.symmetricKey`);
  const thumbprints = readThumbprints(members.x509Thumbprint, `${path}.x509Thumbprint`);
  // The Node SDK sends empty strings for keys that it leaves to the hub.
  const text = (member: unknown, name: string) => readString(member, `${path}.${name}`) || null;
  return {
    type: readEnum(members.type, TYPES, 'Microsoft.Azure.Devices.AuthenticationType', `${path}.type`),
    primaryKey: text(keys?.primaryKey, 'symmetricKey.primaryKey'),
    secondaryKey: text(keys?.secondaryKey, 'symmetricKey.secondaryKey'),
    primaryThumbprint: text(thumbprints?.primaryThumbprint, 'x509Thumbprint.primaryThumbprint'),
    secondaryThumbprint: text(thumbprints?.secondaryThumbprint, 'x509Thumbprint.secondaryThumbprint'),
  };
}

/** `authentication` as the hub shows it: every member is there, absent ones are null. */
export function authenticationDocument(row: IdentityRow) {
  return {
    symmetricKey: { primaryKey: row.primaryKey, secondaryKey: row.secondaryKey },
    x509Thumbprint: { primaryThumbprint: row.primaryThumbprint, secondaryThumbprint: row.secondaryThumbprint },
    type: row.authenticationType,
  };
}
