/**
 * ETags: bare in our types (`AAAAAAAAAAE=`), quoted on the wire.
 *
 * Hubs give them quoted in headers and bare in bodies; for configurations only a quoted If-Match counts.
 */

import { RefusedInputError } from '../errors.ts';
import { callText } from './callTexts.ts';
import { asString, type JsonObject } from './reader.ts';

export interface ConditionalOptions {
  /**
   * Write only if the object still has the ETag that it carries; otherwise the hub answers `preconditionFailed`.
   * Default false: whatever is there is overwritten. As in the Azure SDKs.
   */
  readonly onlyIfUnchanged?: boolean;
}

/** Writes to what exists, whatever its ETag. */
export const ANY_ETAG = '"*"';

/** An ETag without the quotes that some sources put around it and others do not. */
export function bareEtag(etag: string): string {
  return etag.replace(/^W\//, '').replace(/^"|"$/g, '');
}

/** The ETag of a body, bare; `''` if it has none. */
export function etagIn(body: JsonObject): string {
  return bareEtag(asString(body['etag']) ?? '');
}

/** The If-Match of an update or delete of `what`, whose ETag is `etag`. */
export function ifMatchFor(what: string, etag: string | undefined, options: ConditionalOptions): string {
  if (options.onlyIfUnchanged !== true) return ANY_ETAG;
  if (etag === undefined || bareEtag(etag) === '' || bareEtag(etag) === '*') {
    throw new RefusedInputError(callText('etagMissing', { identity: what }));
  }
  return `"${bareEtag(etag)}"`;
}
