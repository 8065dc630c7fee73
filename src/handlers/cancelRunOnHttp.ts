import type { HttpRequest, HttpResponseInit, InvocationContext } from '@azure/functions';
import { getClient } from 'durable-functions';

import { apiError } from '../hosting/apiTexts.ts';
import { letRunEnd } from '../hosting/pauseRun.ts';
import { answerAbout, runNotFound } from '../hosting/runReplies.ts';
import { isFinal } from '../lib/runs/runRecord.ts';
import { provisioning } from '../services.ts';

/**
 * `POST /api/runs/{runId}/cancel`: 202 when the cancel is noted, 409 when the run has ended, 404 when there is
 * none, 400 when it is no id.
 *
 * It takes effect once the step that is under way has ended. A suspended run is resumed, or it could not end.
 */
export function cancelRunOnHttp(request: HttpRequest, context: InvocationContext): Promise<HttpResponseInit> {
  return answerAbout(request, async (runId) => {
    const services = provisioning(context);
    if ((await services.runs.read(runId)) === undefined) return runNotFound(runId);
    const cancelRequestedAt = services.now().toISOString();
    const record = await services.runs.update(runId, (current) => ({ ...current, cancelRequestedAt }));
    if (isFinal(record.state)) return apiError('runEnded:cancel', [{ state: record.state }], record);
    return { status: 202, jsonBody: await letRunEnd(services, getClient(context), record) };
  });
}
