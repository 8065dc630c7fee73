import { app, type HttpRequest, type HttpResponseInit } from '@azure/functions';

import { runNotFound } from '../hosting/runReplies.ts';
import { runs } from '../services.ts';

/** `GET /api/runs/{runId}`: the record of one run. */
export async function runOnHttp(request: HttpRequest): Promise<HttpResponseInit> {
  const runId = request.params['runId'] ?? '';
  const record = await runs.read(runId);
  if (record === undefined) return { status: 404, jsonBody: runNotFound(runId) };
  return { jsonBody: record };
}

app.http('runOnHttp', { route: 'runs/{runId}', methods: ['GET'], authLevel: 'function', handler: runOnHttp });
