/** HTTP replies about runs. */

import type { HttpResponseInit } from '@azure/functions';

import { RunDamaged } from '../lib/runs/parseRunRecord.ts';
import { apiError } from './apiTexts.ts';

export function runNotFound(runId: string): HttpResponseInit {
  return apiError('runNotFound', [{ run: runId.slice(0, 64) }]);
}

/** The reply of `answer`; 409 with what to do when the record of the run is damaged. */
export async function orDamaged(answer: () => Promise<HttpResponseInit>): Promise<HttpResponseInit> {
  try {
    return await answer();
  } catch (error) {
    if (!(error instanceof RunDamaged)) throw error;
    const { code, message, action } = error;
    return { status: 409, jsonBody: { error: { code, message, action } } };
  }
}
