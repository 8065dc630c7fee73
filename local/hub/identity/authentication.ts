import { HubError } from '../http/hubError.ts';
import { newKey } from '../policies.ts';
import type { IdentityRow } from '../registry/identityRow.ts';

/** `authentication` of a device, module or line, after reading and before checking. Nulls mean absent. */
export interface AuthenticationInput {
  readonly type: IdentityRow['authenticationType'] | undefined;
  readonly primaryKey: string | null;
  readonly secondaryKey: string | null;
  readonly primaryThumbprint: string | null;
  readonly secondaryThumbprint: string | null;
}

export type AuthenticationColumns = Pick<
  IdentityRow,
  'authenticationType' | 'primaryKey' | 'secondaryKey' | 'primaryThumbprint' | 'secondaryThumbprint'
>;

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const THUMBPRINT = /^(?:[0-9A-Fa-f]{40}|[0-9A-Fa-f]{64})$/;

/**
 * The authentication columns for what a caller gave. An identity is replaced as a whole: without keys new ones are
 * minted, on updates too. Type `none` is refused for devices and becomes `sas` for modules, as the live hub does.
 */
export function resolveAuthentication(
  input: AuthenticationInput | undefined,
  owner: 'device' | 'module',
): AuthenticationColumns {
  const type = typeOf(input, owner);
  const none = { primaryKey: null, secondaryKey: null, primaryThumbprint: null, secondaryThumbprint: null };
  switch (type) {
    case 'sas': {
      const primaryKey = input?.primaryKey ?? null;
      const secondaryKey = input?.secondaryKey ?? null;
      if (primaryKey === null && secondaryKey === null) {
        return { ...none, authenticationType: 'sas', primaryKey: newKey(), secondaryKey: newKey() };
      }
      demandKey('primaryKey', primaryKey);
      demandKey('secondaryKey', secondaryKey);
      return { ...none, authenticationType: 'sas', primaryKey, secondaryKey };
    }
    case 'selfSigned': {
      const primaryThumbprint = demandThumbprint(input?.primaryThumbprint ?? null);
      const secondaryThumbprint = demandThumbprint(input?.secondaryThumbprint ?? null);
      return { ...none, authenticationType: 'selfSigned', primaryThumbprint, secondaryThumbprint };
    }
    case 'certificateAuthority':
      return { ...none, authenticationType: 'certificateAuthority' };
    case 'none':
      return { ...none, authenticationType: 'none' };
    default: {
      const never: never = type;
      throw new Error(`Unknown authentication type ${String(never)}`);
    }
  }
}

function typeOf(input: AuthenticationInput | undefined, owner: 'device' | 'module'): IdentityRow['authenticationType'] {
  if (input === undefined) return 'sas';
  if (input.type === 'none') {
    if (owner === 'module') return 'sas';
    throw new HubError('ArgumentInvalid', "The authentication type 'none' is not allowed for a device.");
  }
  if (input.type !== undefined) return input.type;
  return input.primaryKey === null && input.primaryThumbprint !== null ? 'selfSigned' : 'sas';
}

function demandKey(which: 'primaryKey' | 'secondaryKey', key: string | null): void {
  if (key === null) {
    throw new HubError('ArgumentInvalid', `The ${which} is missing: give both symmetric keys, or neither.`);
  }
  const bytes = BASE64.test(key) ? Buffer.from(key, 'base64').length : 0;
  if (bytes < 16 || bytes > 64) {
    throw new HubError('ArgumentInvalid', `The ${which} must be base64 of 16 to 64 bytes.`);
  }
}

function demandThumbprint(thumbprint: string | null): string | null {
  if (thumbprint === null || thumbprint === '') return null;
  if (!THUMBPRINT.test(thumbprint)) {
    throw new HubError(
      'ArgumentInvalid',
      'StringIsNotThumbprint: a thumbprint has 40 or 64 hexadecimal digits without separators.',
    );
  }
  return thumbprint;
}
