/**
 * ETags: bare in our types (`AAAAAAAAAAE=`), quoted on the wire.
 *
 * Hubs give them quoted in headers and bare in bodies; for configurations only a quoted If-Match counts.
 */

import { RefusedInputError } from '../errors.ts';
import { callText } from './callTexts.ts';

export interface ConditionalOptions {
  /**
   * Write only if the object still has the ETag that it carries; otherwise the hub answers `preconditionFailed`.
   * Default false: whatever is there is overwritten. As in the Azure SDKs.
   */
  readonly onlyIfUnchanged?: boolean;
}

/** Writes to what exists, whatever its ETag. */
export const ANY_ETAG = '"*"';

export function bareEtag(etag: string): string {
  return etag.replace(/^W\//, '').replace(/^"|"$/g, '');
}

/** The If-Match of an update or delete of `what`, whose ETag is `etag`. */
export function ifMatchFor(what: string, etag: string | undefined, options: ConditionalOptions): string {
  if (options.onlyIfUnchanged !== true) {
    return ANY_ETAG;
  }
  if (etag === undefined || bareEtag(etag) === '' || bareEtag(etag) === '*') {
    throw new RefusedInputError(callText('etagMissing', { identity: what }));
  }
  return `"${bareEtag(etag)}"`;
}
