import type { HttpRequest, HttpResponseInit, InvocationContext } from '@azure/functions';
import { getClient } from 'durable-functions';

import { pauseReply } from '../hosting/pauseReply.ts';
import { suspendRun } from '../hosting/pauseRun.ts';
import { answerAbout } from '../hosting/runReplies.ts';
import { provisioning } from '../services.ts';

/**
 * `POST /api/runs/{runId}/suspend`: 202 when it is suspended, 409 when it has ended or has not begun, 404 when there is
 * none, 400 when it is no id.
 */
export function suspendRunOnHttp(request: HttpRequest, context: InvocationContext): Promise<HttpResponseInit> {
  return answerAbout(request, async (runId) =>
    pauseReply(runId, await suspendRun(provisioning(context), getClient(context), runId), 'runNotStarted'),
  );
}
