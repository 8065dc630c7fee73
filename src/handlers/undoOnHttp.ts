import type { HttpRequest, HttpResponseInit, InvocationContext } from '@azure/functions';
import { answerAbout } from '../hosting/runReplies.ts';
import { runStarter } from '../hosting/runStarter.ts';
import { answerToWork } from '../hosting/workReplies.ts';
import { startUndo } from '../lib/undo/startUndo.ts';
import { working } from '../services.ts';

/**
 * `POST /api/runs/{runId}/undo`: 202 with the record of the run that undoes it; 409 unless `confirm` is the name of the hub,
 * or when it cannot be undone, 404 when there is no such run.
 */
export function undoOnHttp(request: HttpRequest, context: InvocationContext): Promise<HttpResponseInit> {
  const services = working(context, runStarter(context));
  return answerAbout(request, (runId) => answerToWork(request, (body) => startUndo(services, runId, body)));
}
