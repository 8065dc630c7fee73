import { app, type HttpRequest, type HttpResponseInit, type InvocationContext } from '@azure/functions';
import { input } from 'durable-functions';

import { answerToRestore } from '../hosting/restoreReplies.ts';
import { runStarter } from '../hosting/runStarter.ts';
import { startRequested } from '../lib/restore/startRequested.ts';
import { working } from '../services.ts';

/** `POST /api/plans`: 202 with the record of the run that compares a hub with a backup; 400, 404, 409 as `answerToRestore` says. */
export function planOnHttp(request: HttpRequest, context: InvocationContext): Promise<HttpResponseInit> {
  const starter = runStarter(context);
  return answerToRestore(request, (body) => startRequested(working(context, starter), 'plan', body));
}

app.http('planOnHttp', {
  route: 'plans',
  methods: ['POST'],
  authLevel: 'function',
  extraInputs: [input.durableClient()],
  handler: planOnHttp,
});
