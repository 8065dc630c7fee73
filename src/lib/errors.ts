/**
 * Errors that people and callers act on.
 *
 * Class identity does not survive a durable activity (the host serialises errors), so callers branch on `code`; the
 * classes only say who has to act. Texts given here must already be free of secrets.
 */

import { safeError } from './redact.ts';

export interface HubKeeperErrorOptions {
  /** Stable name to branch on, e.g. `connectionStringInvalid`. */
  readonly code: string;
  /** What happened and where, for a person. */
  readonly message: string;
  /** What a person can do about it. */
  readonly action?: string | undefined;
}

/** Base of every error that HubKeeper raises on purpose. */
export class HubKeeperError extends Error {
  override readonly name: string = 'HubKeeperError';
  readonly code: string;
  readonly action: string | undefined;

  constructor(options: HubKeeperErrorOptions) {
    super(options.message);
    this.code = options.code;
    this.action = options.action;
  }
}

/** What a person handed in (a file, an option, an argument) cannot be used; retrying the same changes nothing. */
export class RefusedInputError extends HubKeeperError {
  override readonly name = 'RefusedInputError';
}

/**
 * Whether an error was raised by our own code (or by what it calls, for what our code gave it), not by a service or a
 * network: a retry gives the same.
 */
export function isOwnFault(error: unknown): error is Error {
  const isOfLanguage =
    error instanceof TypeError ||
    error instanceof RangeError ||
    error instanceof ReferenceError ||
    error instanceof SyntaxError ||
    error instanceof URIError;
  // Node gives some errors of the network another class, and always a code of the system.
  return isOfLanguage && !/^E[A-Z]+$|^UND_ERR/.test(String((error as { readonly code?: unknown }).code ?? ''));
}

/** What may be told of an error of our own: a message that quotes text (of JSON that cannot be parsed) is left out. */
export function ownFaultText(error: Error): string {
  const { name, message } = safeError(error);
  return error instanceof SyntaxError ? name : `${name}: ${message}`;
}
