/** HTTP replies about runs. */

import type { HttpRequest, HttpResponseInit } from '@azure/functions';

import { RunDamaged } from '../lib/runs/parseRunRecord.ts';
import { isRunId } from '../lib/runs/runId.ts';
import { apiError } from './apiTexts.ts';

export function runNotFound(runId: string): HttpResponseInit {
  return apiError('runNotFound', [{ run: runId.slice(0, 64) }]);
}

/**
 * The reply of `answer` to a request about the run of its route, `runs/{runId}…`; 409 with what to do when the record of
 * the run is damaged. An id that can be none goes no further, for it becomes the name of a blob and of an orchestration.
 */
export async function answerAbout(
  request: HttpRequest,
  answer: (runId: string) => Promise<HttpResponseInit>,
): Promise<HttpResponseInit> {
  const runId = request.params['runId'] ?? '';
  if (!isRunId(runId)) return apiError('runIdInvalid', []);
  try {
    return await answer(runId);
  } catch (error) {
    if (!(error instanceof RunDamaged)) throw error;
    const { code, message, action } = error;
    return { status: 409, jsonBody: { error: { code, message, action } } };
  }
}
