import type { HttpRequest, HttpResponseInit } from '@azure/functions';

import { answerAbout, runNotFound } from '../hosting/runReplies.ts';
import { runs } from '../services.ts';

/** `GET /api/runs/{runId}`: the record of one run; 404 when there is none, 400 when it is no id. */
export function runOnHttp(request: HttpRequest): Promise<HttpResponseInit> {
  return answerAbout(request, async (runId) => {
    const record = await runs.read(runId);
    return record === undefined ? runNotFound(runId) : { jsonBody: record };
  });
}
