import type { HttpRequest, HttpResponseInit, InvocationContext } from '@azure/functions';

import { jsonBody } from '../hosting/jsonBody.ts';
import { answerFromMirror } from '../hosting/mirrorReplies.ts';
import { startRefreshes } from '../hosting/refreshStarter.ts';
import { replayDeadLetters } from '../lib/mirror/events/replay.ts';
import { mirroring } from '../services.ts';

/** A call is cut off after 230 s in Azure. */
const MOST_MS = 100_000;

/**
 * `POST /api/mirror/replay` `{"after":NAME}`: reads dead letters again, and applies those that can be used by now. Answers how
 * many were `applied`, how many are `dead` still, and whether some are `left`: for a call `after` what `next` names, or for
 * later, when the store answers.
 */
export async function mirrorReplayOnHttp(request: HttpRequest, context: InvocationContext): Promise<HttpResponseInit> {
  const asked = await jsonBody(request, { after: 'text' });
  if ('refused' in asked) return asked.refused;
  return answerFromMirror(mirroring(context), async (mirror) => {
    const until = new Date(mirror.now().getTime() + MOST_MS);
    const { wanted, ...replayed } = await replayDeadLetters(mirror, { ...asked.body, until });
    await startRefreshes(context, wanted);
    return replayed;
  });
}
