import type { HttpRequest, HttpResponseInit } from '@azure/functions';

import { apiError } from '../hosting/apiTexts.ts';
import { hubAsked } from '../hosting/hubAsked.ts';
import { listBackups } from '../lib/backup/catalogue.ts';
import { settings, storage } from '../services.ts';

const MOST = 1_000;

/** `GET /api/backups?hub=ALIAS&limit=50`: what there is of backups, newest first; those of all hubs when none is named. */
export async function backupsOnHttp(request: HttpRequest): Promise<HttpResponseInit> {
  const limit = Number(request.query.get('limit') ?? '50');
  if (!Number.isInteger(limit) || limit < 1 || limit > MOST) return apiError('limitInvalid', [{ most: MOST }]);
  const named = request.query.get('hub');
  if (named === null) return { jsonBody: { backups: (await listBackups(storage)).slice(0, limit) } };
  const asked = hubAsked([...settings.hubs.keys()], named);
  if ('refused' in asked) return asked.refused;
  return { jsonBody: { backups: (await listBackups(storage, asked.hub)).slice(0, limit) } };
}
