import { createHmac, randomUUID } from 'node:crypto';

export interface TokenClaims {
  readonly audience: string;
  readonly roles: readonly string[];
  /** From now. Default 3600. */
  readonly seconds?: number;
}

/** A token as Microsoft Entra ID gives them, but signed with a shared key, and with the roles that Azure would look up. */
export function entraToken(key: string, { audience, roles, seconds = 3600 }: TokenClaims): string {
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    aud: audience,
    // Azurite knows issuers by this.
    iss: 'https://sts.windows.net/11111111-2222-3333-4444-555555555555/',
    iat: now,
    nbf: now - 60,
    exp: now + seconds,
    jti: randomUUID(),
    roles,
  };
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${part({ typ: 'JWT', alg: 'HS256' })}.${part(claims)}`;
  return `${signed}.${createHmac('sha256', key).update(signed).digest('base64url')}`;
}
