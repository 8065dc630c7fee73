/** Shapes of `authentication` in a line of the ExportImportDevice format. */

import type { Findings } from './findings.ts';
import { readKeys } from './keyNames.ts';

/** Bytes of a symmetric key (IoT Hub docs: base64 of 16 to 64 bytes). */
const KEY_MIN = 16;
const KEY_MAX = 64;

const TYPES = ['sas', 'selfSigned', 'certificateAuthority', 'none'] as const;
type AuthenticationType = (typeof TYPES)[number];

const TYPE_BY_LOWER_CASE = new Map<string, AuthenticationType>(TYPES.map((type) => [type.toLowerCase(), type]));

const AUTHENTICATION_KEYS = ['symmetricKey', 'x509Thumbprint', 'type'] as const;
const SYMMETRIC_KEYS = ['primaryKey', 'secondaryKey'] as const;
const THUMBPRINTS = ['primaryThumbprint', 'secondaryThumbprint'] as const;

/** What the line's authentication would do to an existing identity if it were applied as it stands. */
export interface AuthenticationVerdict {
  /** What is not there and would be replaced: keys or a thumbprint; undefined if nothing is missing. */
  readonly missing: 'keys' | 'thumbprint' | undefined;
  /** What to write instead, if something had to be spelled anew. */
  readonly rewritten: Readonly<Record<string, unknown>> | undefined;
}

const COMPLETE: AuthenticationVerdict = { missing: undefined, rewritten: undefined };
const KEYS_MISSING: AuthenticationVerdict = { missing: 'keys', rewritten: undefined };

/**
 * @param value what the line has, not null
 * @param forModule a module; a device otherwise
 */
export function checkAuthentication(value: unknown, forModule: boolean, findings: Findings): AuthenticationVerdict {
  const read = readKeys(value, 'authentication', AUTHENTICATION_KEYS, findings);
  if (read === undefined) return COMPLETE;
  const { symmetricKey, x509Thumbprint, type } = read.values;
  let { rewritten } = read;
  const rewrite = (key: string, to: unknown): void => {
    rewritten = { ...(rewritten ?? (value as Record<string, unknown>)), [key]: to };
  };

  const keys = readPair(symmetricKey, 'authentication.symmetricKey', SYMMETRIC_KEYS, findings);
  const thumbprints = readPair(x509Thumbprint, 'authentication.x509Thumbprint', THUMBPRINTS, findings);
  if (keys.rewritten !== undefined) rewrite('symmetricKey', keys.rewritten);
  if (thumbprints.rewritten !== undefined) rewrite('x509Thumbprint', thumbprints.rewritten);

  const spelled = readType(type, findings);
  if (spelled === 'unreadable') return COMPLETE;
  let kind = spelled;
  if (kind !== undefined && kind !== type) rewrite('type', kind);
  if (kind === undefined) {
    // Without a type a hub takes keys; with thumbprints alone it would make keys and drop the thumbprints.
    if (thumbprints.any && !keys.any) {
      findings.reject('authTypeMissing', {}, 'authentication.type');
      return COMPLETE;
    }
    kind = 'sas';
  }
  if (kind === 'none') {
    if (!forModule) {
      findings.reject('authNone', {}, 'authentication.type');
      return COMPLETE;
    }
    // A live hub makes it sas; written out, so that the result does not depend on that.
    findings.warn('moduleAuthNone');
    rewrite('type', 'sas');
    kind = 'sas';
  }

  if (kind !== 'sas' && keys.any) {
    findings.reject('keysWithCertificate', { type: kind }, 'authentication.symmetricKey');
  }
  if (kind !== 'selfSigned' && thumbprints.any) {
    findings.reject('thumbprintWithoutSelfSigned', { type: kind }, 'authentication.x509Thumbprint');
  }
  if (kind === 'sas') {
    if (!keys.any) return rewritten === undefined ? KEYS_MISSING : { missing: 'keys', rewritten };
    checkSymmetricKey(keys.first, 'authentication.symmetricKey.primaryKey', findings);
    checkSymmetricKey(keys.second, 'authentication.symmetricKey.secondaryKey', findings);
  }
  if (kind === 'selfSigned') {
    checkThumbprint(thumbprints.first, 'authentication.x509Thumbprint.primaryThumbprint', findings);
    checkThumbprint(thumbprints.second, 'authentication.x509Thumbprint.secondaryThumbprint', findings);
    const { first, second } = thumbprints;
    if (first !== undefined && second !== undefined && first.length !== second.length) {
      findings.warn('thumbprintsDiffer');
    }
    if (!thumbprints.any) {
      findings.warn('thumbprintMissing');
      return { missing: 'thumbprint', rewritten };
    }
  }
  return rewritten === undefined ? COMPLETE : { missing: undefined, rewritten };
}

function readType(type: unknown, findings: Findings): AuthenticationType | undefined | 'unreadable' {
  if (type === undefined || type === null) return undefined;
  const known = typeof type === 'string' ? TYPE_BY_LOWER_CASE.get(type.toLowerCase()) : undefined;
  if (known !== undefined) return known;
  // Enum names of other SDKs, such as SELF_SIGNED (Azure/azure-iot-sdk-java#1599: 400012 on import).
  const meant =
    typeof type === 'string' ? TYPE_BY_LOWER_CASE.get(type.replace(/[_\-\s]/g, '').toLowerCase()) : undefined;
  const hint = meant === undefined ? 'Use one of these' : `Write "${meant}"`;
  findings.reject('authTypeUnknown', { hint }, 'authentication.type');
  return 'unreadable';
}

interface Pair {
  readonly first: string | undefined;
  readonly second: string | undefined;
  /** One of the two is there, or should be but is of a wrong type. */
  readonly any: boolean;
  readonly rewritten: Readonly<Record<string, unknown>> | undefined;
}

const NO_PAIR: Pair = { first: undefined, second: undefined, any: false, rewritten: undefined };

/** Null and "" are what exports write for a value that is not there. */
function readPair(value: unknown, path: string, names: readonly [string, string], findings: Findings): Pair {
  if (value === undefined || value === null) return NO_PAIR;
  const read = readKeys(value, path, names, findings);
  if (read === undefined) return NO_PAIR;
  const text = (name: string): string | undefined => {
    const found = read.values[name];
    if (found === undefined || found === null || found === '') return undefined;
    if (typeof found === 'string') return found;
    findings.reject('wrongType', { expected: 'a string' }, `${path}.${name}`);
    return undefined;
  };
  const first = text(names[0]);
  const second = text(names[1]);
  return { first, second, any: first !== undefined || second !== undefined, rewritten: read.rewritten };
}

function checkSymmetricKey(key: string | undefined, path: string, findings: Findings): void {
  if (key === undefined) {
    findings.reject('oneKeyOnly', {}, path);
    return;
  }
  const bytes = base64Bytes(key);
  if (bytes === undefined) findings.reject('keyNotBase64', {}, path);
  else if (bytes < KEY_MIN || bytes > KEY_MAX) {
    findings.reject('keyLength', { length: bytes, min: KEY_MIN, max: KEY_MAX }, path);
  }
}

/** How many bytes `text` stands for, or undefined if it is not base64 with padding. Decodes nothing. */
function base64Bytes(text: string): number | undefined {
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return undefined;
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  return (text.length / 4) * 3 - padding;
}

const THUMBPRINT = /^(?:[0-9a-fA-F]{40}|[0-9a-fA-F]{64})$/;

function checkThumbprint(thumbprint: string | undefined, path: string, findings: Findings): void {
  if (thumbprint === undefined || THUMBPRINT.test(thumbprint)) return;
  const isSeparated = thumbprint.length <= 256 && THUMBPRINT.test(thumbprint.replace(/[:\s-]/g, ''));
  findings.reject(isSeparated ? 'thumbprintSeparators' : 'thumbprintInvalid', {}, path);
}
