import type { HttpRequest, HttpResponseInit, InvocationContext } from '@azure/functions';
import { runStarter } from '../hosting/runStarter.ts';
import { answerToWork } from '../hosting/workReplies.ts';
import { startRequested } from '../lib/restore/startRequested.ts';
import { working } from '../services.ts';

/** `POST /api/drills`: 202 with the record of the run that restores a backup into an empty hub and compares. */
export function drillOnHttp(request: HttpRequest, context: InvocationContext): Promise<HttpResponseInit> {
  const starter = runStarter(context);
  return answerToWork(request, (body) => startRequested(working(context, starter), 'drill', body));
}
