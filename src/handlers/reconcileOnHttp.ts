import type { HttpRequest, HttpResponseInit, InvocationContext } from '@azure/functions';

import { hubAsked } from '../hosting/hubAsked.ts';
import { jsonBody } from '../hosting/jsonBody.ts';
import { runStarter } from '../hosting/runStarter.ts';
import { orRefusal } from '../hosting/workReplies.ts';
import { startReconcile } from '../lib/mirror/reconcile/startReconcile.ts';
import { settings, working } from '../services.ts';

/**
 * `POST /api/mirror/reconcile` `{"hub":ALIAS,"dryRun":true}`: 202 with the record of the run that compares the mirror with
 * the hub, the one that goes on if there is one; 400 when the hub is not clear, 409 when the mirror is off.
 */
export async function reconcileOnHttp(request: HttpRequest, context: InvocationContext): Promise<HttpResponseInit> {
  const read = await jsonBody(request, { hub: 'text', dryRun: 'boolean' });
  if ('refused' in read) return read.refused;
  const { hub, ...asked } = read.body;
  const named = hubAsked([...settings.hubs.keys()], hub);
  if ('refused' in named) return named.refused;
  const services = working(context, runStarter(context));
  return orRefusal(async () => ({
    status: 202,
    jsonBody: await startReconcile(services, { hub: named.hub, ...asked }),
  }));
}
