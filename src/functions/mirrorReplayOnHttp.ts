import { app } from '@azure/functions';
import { input } from 'durable-functions';

app.http('mirrorReplayOnHttp', {
  route: 'mirror/replay',
  methods: ['POST'],
  authLevel: 'function',
  extraInputs: [input.durableClient()],
  handler: async (request, context) =>
    (await import('../handlers/mirrorReplayOnHttp.ts')).mirrorReplayOnHttp(request, context),
});
