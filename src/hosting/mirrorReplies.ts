/** HTTP replies to questions about the mirror. */

import type { HttpResponseInit } from '@azure/functions';

import { type MirrorQueryCode, MirrorQueryError, sayOfQuery } from '../lib/mirror/query/queryTexts.ts';
import { StoreUnavailable } from '../lib/mirror/store/mirrorStore.ts';
import { safeError } from '../lib/redact.ts';
import { isOfStorage } from '../lib/storage/storageErrors.ts';

export const MIRROR_STATUS: Readonly<Record<MirrorQueryCode, number>> = {
  queryInvalid: 400,
  tooManyGroups: 400,
  deviceUnknown: 404,
  mirrorOff: 409,
  deviceInSeveral: 409,
  countUnderWay: 503,
  storeUnavailable: 503,
  storageUnavailable: 503,
};

/**
 * The reply of `answer`; or why the question cannot be answered.
 *
 * @param mirror undefined: it is off
 */
export async function answerFromMirror<Mirror>(
  mirror: Mirror | undefined,
  answer: (mirror: Mirror) => Promise<object>,
): Promise<HttpResponseInit> {
  if (mirror === undefined) return refusal(sayOfQuery('mirrorOff'));
  try {
    return { jsonBody: await answer(mirror) };
  } catch (error) {
    if (error instanceof MirrorQueryError) {
      return refusal({ code: error.code as MirrorQueryCode, message: error.message, action: error.action });
    }
    if (error instanceof StoreUnavailable) {
      return refusal(sayOfQuery(error.lacksRole ? 'storeUnavailable:role' : 'storeUnavailable'));
    }
    // Thrown, it would get into the log of the host, with whatever it quotes.
    if (isOfStorage(error)) return refusal(sayOfQuery('storageUnavailable', { why: safeError(error).message }));
    throw error;
  }
}

function refusal(error: {
  readonly code: MirrorQueryCode;
  readonly message: string;
  readonly action?: string | undefined;
}): HttpResponseInit {
  return { status: MIRROR_STATUS[error.code], jsonBody: { error } };
}

/**
 * The query of a request, each value of a parameter that is given several times: the host joins these with commas in what
 * it hands to the worker, and gives the address as it came (GrpcMessageConversionExtensions.cs).
 */
export function queryOf({ url }: { readonly url: string }): URLSearchParams {
  return new URL(url).searchParams;
}
