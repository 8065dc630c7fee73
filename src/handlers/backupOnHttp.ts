import type { HttpRequest, HttpResponseInit, InvocationContext } from '@azure/functions';

import { hubAsked } from '../hosting/hubAsked.ts';
import { jsonBody } from '../hosting/jsonBody.ts';
import { runStarter } from '../hosting/runStarter.ts';
import { startWork } from '../lib/work/startWork.ts';
import { settings, working } from '../services.ts';

/** `POST /api/backups` `{"hub":ALIAS}`: 202 with the record of the run that makes a backup, 400 when the hub is not clear. */
export async function backupOnHttp(request: HttpRequest, context: InvocationContext): Promise<HttpResponseInit> {
  const read = await jsonBody(request, { hub: 'text' });
  if ('refused' in read) return read.refused;
  const asked = hubAsked([...settings.hubs.keys()], read.body.hub);
  if ('refused' in asked) return asked.refused;
  const starter = runStarter(context);
  const run = await startWork(working(context, starter), starter, { kind: 'backup', hub: asked.hub, request: {} });
  return { status: 202, jsonBody: run };
}
