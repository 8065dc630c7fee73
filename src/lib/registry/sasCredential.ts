/** Shared access signatures for the service side of a hub (IoT Hub documentation: control access with SAS tokens). */

import { createHmac } from 'node:crypto';

const MINUTE_SECONDS = 60;
const TOKEN_LIFE_SECONDS = 60 * MINUTE_SECONDS;
/** A token is renewed while it still holds, so that clocks a few minutes apart and long calls do no harm. */
const RENEW_BEFORE_SECONDS = 10 * MINUTE_SECONDS;

export interface SasKey {
  /** Host name, with its port if it has one: what the token is good for. */
  readonly hostName: string;
  readonly policyName: string;
  /** Base64. */
  readonly key: string;
}

/** Mints and keeps service tokens. Holds the key where neither JSON nor `util.inspect` shows it. */
export class SasCredential {
  readonly #mint: (expiresAt: number) => string;
  readonly #now: () => number;
  #token: { readonly text: string; readonly expiresAt: number } | undefined;

  private constructor(mint: (expiresAt: number) => string, now: () => number) {
    this.#mint = mint;
    this.#now = now;
  }

  /** From a policy's key: tokens of one hour, renewed ten minutes before they end. `now` is in ms since 1970. */
  static fromKey(key: SasKey, now: () => number = Date.now): SasCredential {
    return new SasCredential((expiresAt) => mintToken(key, expiresAt), now);
  }

  /** From a finished signature: used as it is; when it has expired, the hub says so. */
  static fromSignature(signature: string): SasCredential {
    return new SasCredential(() => signature, Date.now);
  }

  /** The value of the Authorization header. */
  token(): string {
    const nowSeconds = Math.floor(this.#now() / 1000);
    if (this.#token === undefined || nowSeconds >= this.#token.expiresAt - RENEW_BEFORE_SECONDS) {
      const expiresAt = nowSeconds + TOKEN_LIFE_SECONDS;
      this.#token = { text: this.#mint(expiresAt), expiresAt };
    }
    return this.#token.text;
  }
}

function mintToken(key: SasKey, expiresAt: number): string {
  const resource = encodeURIComponent(key.hostName);
  const signature = createHmac('sha256', Buffer.from(key.key, 'base64'))
    .update(`${resource}\n${expiresAt}`)
    .digest('base64');
  return `SharedAccessSignature sr=${resource}&sig=${encodeURIComponent(signature)}&se=${expiresAt}&skn=${encodeURIComponent(key.policyName)}`;
}
