import type { HttpRequest, HttpResponseInit, InvocationContext } from '@azure/functions';

import { hubAsked } from '../hosting/hubAsked.ts';
import { jsonBody } from '../hosting/jsonBody.ts';
import { runStarter } from '../hosting/runStarter.ts';
import { pruneBackups } from '../lib/backup/pruneBackups.ts';
import { settings, working } from '../services.ts';

/**
 * `POST /api/backups/prune` `{"hub":ALIAS,"dryRun":true}`: removes what `BACKUP_KEEP` does not keep, of one hub or of all.
 * 200 with what is kept, and what was removed (or would be), each with why.
 */
export async function pruneBackupsOnHttp(request: HttpRequest, context: InvocationContext): Promise<HttpResponseInit> {
  const read = await jsonBody(request, { hub: 'text', dryRun: 'boolean' });
  if ('refused' in read) return read.refused;
  const { hub: named, dryRun = false } = read.body;
  const asked = named === undefined ? { hub: undefined } : hubAsked([...settings.hubs.keys()], named);
  if ('refused' in asked) return asked.refused;
  const pruned = await pruneBackups(working(context, runStarter(context)), { hub: asked.hub, dryRun });
  return { jsonBody: { dryRun, ...pruned } };
}
