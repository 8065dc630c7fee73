import { app, type HttpRequest, type HttpResponseInit, type InvocationContext } from '@azure/functions';
import { input } from 'durable-functions';

import { answerFromMirror } from '../hosting/mirrorReplies.ts';
import { startRefreshes } from '../hosting/refreshStarter.ts';
import { replayDeadLetters } from '../lib/mirror/events/replay.ts';
import { mirroring } from '../services.ts';

/** A call is cut off after 230 s in Azure. */
const MOST_MS = 100_000;

/**
 * `POST /api/mirror/replay`: reads dead letters again, and applies those that can be used by now. Answers how many were
 * `applied`, how many are `dead` still, and whether some are `left` for another call.
 */
export function mirrorReplayOnHttp(_request: HttpRequest, context: InvocationContext): Promise<HttpResponseInit> {
  return answerFromMirror(mirroring(context), async (mirror) => {
    const { wanted, ...replayed } = await replayDeadLetters(mirror, new Date(mirror.now().getTime() + MOST_MS));
    await startRefreshes(context, wanted);
    return replayed;
  });
}

app.http('mirrorReplayOnHttp', {
  route: 'mirror/replay',
  methods: ['POST'],
  authLevel: 'function',
  extraInputs: [input.durableClient()],
  handler: mirrorReplayOnHttp,
});
