import type { HttpRequest, HttpResponseInit } from '@azure/functions';

import { deviceAsked } from '../hosting/mirrorQuestions.ts';
import { answerFromMirror, queryOf } from '../hosting/mirrorReplies.ts';
import { mirrorReader } from '../services.ts';

/**
 * `GET /api/device?id=ID&hub=ALIAS`: all that the mirror knows of a device, whatever its id. A path does not carry each on
 * its way to an app in Azure: `.` and `..` are taken for folders, `%2F` for a slash, and `count` is a count here.
 */
export function deviceByIdOnHttp(request: HttpRequest): Promise<HttpResponseInit> {
  const params = queryOf(request);
  const id = params.get('id') ?? '';
  params.delete('id');
  return answerFromMirror(mirrorReader(), (mirror) => deviceAsked(mirror, id, params));
}
