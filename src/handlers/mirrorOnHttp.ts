import type { HttpRequest, HttpResponseInit } from '@azure/functions';

import { answerFromMirror } from '../hosting/mirrorReplies.ts';
import { mirrorStatus } from '../lib/mirror/status/mirrorStatus.ts';
import { mirrorReader } from '../services.ts';

/** `GET /api/mirror`: how far the mirror is behind, how its rows stand, and what there is to say of it. */
export function mirrorOnHttp(_request: HttpRequest): Promise<HttpResponseInit> {
  return answerFromMirror(mirrorReader(), (parts) => mirrorStatus(parts, true));
}
