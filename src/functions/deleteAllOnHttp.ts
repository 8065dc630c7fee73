import { app, type HttpRequest, type HttpResponseInit, type InvocationContext } from '@azure/functions';
import { input } from 'durable-functions';
import { runStarter } from '../hosting/runStarter.ts';
import { answerToWork } from '../hosting/workReplies.ts';
import { startRequested } from '../lib/restore/startRequested.ts';
import { working } from '../services.ts';

/** `POST /api/delete-all`: 202 with the record of the run that deletes all devices; 409 unless `confirm` is the name of the hub. */
export function deleteAllOnHttp(request: HttpRequest, context: InvocationContext): Promise<HttpResponseInit> {
  const starter = runStarter(context);
  return answerToWork(request, (body) => startRequested(working(context, starter), 'deleteAll', body));
}

app.http('deleteAllOnHttp', {
  route: 'delete-all',
  methods: ['POST'],
  authLevel: 'function',
  extraInputs: [input.durableClient()],
  handler: deleteAllOnHttp,
});
