/**
 * Errors that people and callers act on.
 *
 * Class identity does not survive a durable activity (the host serialises errors), so callers branch on `code`; the
 * classes only say who has to act. Texts given here must already be free of secrets.
 */

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
  readonly action?: string;

  constructor(options: HubKeeperErrorOptions) {
    super(options.message);
    this.code = options.code;
    if (options.action !== undefined) {
      this.action = options.action;
    }
  }
}

/** What a person handed in (a file, an option, an argument) cannot be used; retrying the same changes nothing. */
export class RefusedInputError extends HubKeeperError {
  override readonly name = 'RefusedInputError';
}
