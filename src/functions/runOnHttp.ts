import { app, type HttpRequest, type HttpResponseInit } from '@azure/functions';

import { runIdOf } from '../hosting/runIdOf.ts';
import { orDamaged, runNotFound } from '../hosting/runReplies.ts';
import { runs } from '../services.ts';

/** `GET /api/runs/{runId}`: the record of one run; 404 when there is none, 400 when it is no id. */
export async function runOnHttp(request: HttpRequest): Promise<HttpResponseInit> {
  const named = runIdOf(request);
  if ('reply' in named) return named.reply;
  const { runId } = named;
  const record = await runs.read(runId);
  if (record === undefined) return runNotFound(runId);
  return { jsonBody: record };
}

app.http('runOnHttp', {
  route: 'runs/{runId}',
  methods: ['GET'],
  authLevel: 'function',
  handler: (request) => orDamaged(() => runOnHttp(request)),
});
