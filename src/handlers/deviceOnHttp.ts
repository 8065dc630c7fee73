import type { HttpRequest, HttpResponseInit } from '@azure/functions';

import { COUNT, countAsked, deviceAsked } from '../hosting/mirrorQuestions.ts';
import { answerFromMirror, queryOf } from '../hosting/mirrorReplies.ts';
import { mirrorReader } from '../services.ts';

/** `GET /api/devices/{id}?hub=ALIAS`: all that the mirror knows of a device. */
export function deviceOnHttp(request: HttpRequest): Promise<HttpResponseInit> {
  const params = queryOf(request);
  const id = request.params['id'] ?? '';
  return answerFromMirror(mirrorReader(), async (mirror) =>
    id === COUNT ? countAsked(mirror, params) : deviceAsked(mirror, id, params),
  );
}
