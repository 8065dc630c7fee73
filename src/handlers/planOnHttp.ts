import type { HttpRequest, HttpResponseInit, InvocationContext } from '@azure/functions';
import { runStarter } from '../hosting/runStarter.ts';
import { answerToWork } from '../hosting/workReplies.ts';
import { startRequested } from '../lib/restore/startRequested.ts';
import { startUndoPlan } from '../lib/undo/startUndo.ts';
import { isUndoPlanRequest } from '../lib/undo/undoRequest.ts';
import { working } from '../services.ts';

/**
 * `POST /api/plans`: 202 with the record of the run that compares a hub with a backup, or tells what undoing a run would do;
 * 400, 404, 409 as `answerToWork` says.
 */
export function planOnHttp(request: HttpRequest, context: InvocationContext): Promise<HttpResponseInit> {
  const services = working(context, runStarter(context));
  return answerToWork(request, (body) =>
    isUndoPlanRequest(body) ? startUndoPlan(services, body) : startRequested(services, 'plan', body),
  );
}
