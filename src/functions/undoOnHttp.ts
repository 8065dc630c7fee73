import { app } from '@azure/functions';
import { input } from 'durable-functions';

app.http('undoOnHttp', {
  route: 'runs/{runId}/undo',
  methods: ['POST'],
  authLevel: 'function',
  extraInputs: [input.durableClient()],
  handler: async (request, context) => (await import('../handlers/undoOnHttp.ts')).undoOnHttp(request, context),
});
