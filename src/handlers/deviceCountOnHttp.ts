import type { HttpRequest, HttpResponseInit } from '@azure/functions';

import { countAsked } from '../hosting/mirrorQuestions.ts';
import { answerFromMirror, queryOf } from '../hosting/mirrorReplies.ts';
import { mirrorReader } from '../services.ts';

/** `GET /api/devices/count?hub=ALIAS&by=tag.site`: how many devices there are, by groups; at most a minute old. */
export function deviceCountOnHttp(request: HttpRequest): Promise<HttpResponseInit> {
  return answerFromMirror(mirrorReader(), (mirror) => countAsked(mirror, queryOf(request)));
}
