import type { HttpRequest, HttpResponseInit, InvocationContext } from '@azure/functions';

import { answerAboutBackup } from '../hosting/backupReplies.ts';
import { hubAsked } from '../hosting/hubAsked.ts';
import { jsonBody } from '../hosting/jsonBody.ts';
import { runStarter } from '../hosting/runStarter.ts';
import { BackupError } from '../lib/backup/backupErrors.ts';
import { openBackup } from '../lib/backup/catalogue.ts';
import { findBackup, hubOfLatest } from '../lib/backup/findBackup.ts';
import type { VerifyRequest } from '../lib/backup/verifyStages.ts';
import { startWork } from '../lib/work/startWork.ts';
import { settings, storage, working } from '../services.ts';

/**
 * `POST /api/backups/verify` `{"backup":NAME}`, `{"hub":ALIAS}` or nothing, for all of all hubs: 202 with the record of the
 * run that reads them again, 404 when there is no such backup.
 */
export async function verifyBackupsOnHttp(request: HttpRequest, context: InvocationContext): Promise<HttpResponseInit> {
  const read = await jsonBody(request, { backup: 'text', hub: 'text' });
  if ('refused' in read) return read.refused;
  const { backup, hub } = read.body;
  const aliases = [...settings.hubs.keys()];
  if (backup === undefined && hub === undefined) return start(context, {});
  if (backup === undefined) {
    const asked = hubAsked(aliases, hub);
    return 'refused' in asked ? asked.refused : start(context, { hub: asked.hub });
  }
  return answerAboutBackup(async () => {
    const name = await findBackup(storage, backup, hub ?? hubOfLatest(settings.hubs));
    await demandBackup(name);
    return start(context, { backup: name });
  });
}

/** @throws BackupError when there is nothing of that name that could be compared; a damaged one can */
async function demandBackup(name: string): Promise<void> {
  try {
    await openBackup(storage, name);
  } catch (error) {
    if (!(error instanceof BackupError) || error.code !== 'backupDamaged') throw error;
  }
}

async function start(context: InvocationContext, wanted: VerifyRequest): Promise<HttpResponseInit> {
  const starter = runStarter(context);
  const run = await startWork(working(context, starter), starter, { kind: 'verify', request: { ...wanted } });
  return { status: 202, jsonBody: run };
}
