import { app, type HttpRequest, type HttpResponseInit } from '@azure/functions';

import { runs } from '../services.ts';

/** `GET /api/runs/{runId}`: the record of one run. */
export async function runOnHttp(request: HttpRequest): Promise<HttpResponseInit> {
  const runId = request.params['runId'] ?? '';
  const record = await runs.read(runId);
  if (record === undefined) return { status: 404, jsonBody: runNotFound(runId) };
  return { jsonBody: record };
}

export function runNotFound(runId: string) {
  return { error: { code: 'runNotFound', message: `There is no run ${runId.slice(0, 64)}.` } };
}

app.http('runOnHttp', { route: 'runs/{runId}', methods: ['GET'], authLevel: 'function', handler: runOnHttp });
