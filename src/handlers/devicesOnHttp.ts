import type { HttpRequest, HttpResponseInit } from '@azure/functions';

import { answerFromMirror, queryOf } from '../hosting/mirrorReplies.ts';
import { listRows } from '../lib/mirror/query/listRows.ts';
import { parseRowQuery } from '../lib/mirror/query/rowQuery.ts';
import { mirrorReader } from '../services.ts';

/**
 * `GET /api/devices?prefix=pump-&tag=site=faro&limit=100`: rows of the mirror by id; a page may be empty and still have a
 * `next`.
 */
export function devicesOnHttp(request: HttpRequest): Promise<HttpResponseInit> {
  return answerFromMirror(mirrorReader(), (parts) => listRows(parts, parseRowQuery(queryOf(request), parts.hubs)));
}
