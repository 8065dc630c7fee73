import type { HttpRequest, HttpResponseInit } from '@azure/functions';

import { isRunId } from '../lib/runs/runId.ts';
import { apiError } from './apiTexts.ts';

/**
 * The id of the run that a request is about, out of its route `runs/{runId}…`; or the reply to a request whose id can be
 * none: it goes no further, for the id becomes the name of a blob and of an orchestration.
 */
export function runIdOf(request: HttpRequest): { readonly runId: string } | { readonly reply: HttpResponseInit } {
  const runId = request.params['runId'] ?? '';
  if (isRunId(runId)) return { runId };
  return { reply: apiError('runIdInvalid', []) };
}
