import { app } from '@azure/functions';
import { input } from 'durable-functions';

app.http('cancelRunOnHttp', {
  route: 'runs/{runId}/cancel',
  methods: ['POST'],
  authLevel: 'function',
  extraInputs: [input.durableClient()],
  handler: async (request, context) =>
    (await import('../handlers/cancelRunOnHttp.ts')).cancelRunOnHttp(request, context),
});
