import type { HttpRequest, HttpResponseInit, InvocationContext } from '@azure/functions';
import { getClient } from 'durable-functions';

import { pauseReply } from '../hosting/pauseReply.ts';
import { resumeRun } from '../hosting/pauseRun.ts';
import { answerAbout } from '../hosting/runReplies.ts';
import { provisioning } from '../services.ts';

/**
 * `POST /api/runs/{runId}/resume`: 202 when it goes on, 409 when it has ended or is not suspended, 404 when there is none,
 * 400 when it is no id.
 */
export function resumeRunOnHttp(request: HttpRequest, context: InvocationContext): Promise<HttpResponseInit> {
  return answerAbout(request, async (runId) =>
    pauseReply(runId, await resumeRun(provisioning(context), getClient(context), runId), 'runNotSuspended'),
  );
}
