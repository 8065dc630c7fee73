import { app } from '@azure/functions';
import { input } from 'durable-functions';

app.http('suspendRunOnHttp', {
  route: 'runs/{runId}/suspend',
  methods: ['POST'],
  authLevel: 'function',
  extraInputs: [input.durableClient()],
  handler: async (request, context) =>
    (await import('../handlers/suspendRunOnHttp.ts')).suspendRunOnHttp(request, context),
});
